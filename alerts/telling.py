"""Telling of incidents: a notice is given to every channel, and each tells it at least once, under the notice's one id,
whatever is killed when."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import F, Min, Q, QuerySet
from django.utils import timezone

from alerts.channels import mail, posting
from alerts.channels.answers import Answer, Later
from alerts.channels.table import CHANNELS
from alerts.models import ChannelName, Incident, Notice, NoticeDelivery, Receiver, Schedule
from alerts.rules.table import RULE_OF
from events.delivery.leases import is_over

logger = logging.getLogger(__name__)

#: Nobody is told of what began so long ago.
GIVEN_UP_AFTER = timedelta(days=1)
_FIRST_WAIT, _LONGEST_WAIT = timedelta(minutes=1), timedelta(hours=1)
AT_ONCE = 100
#: By their names as rows have them; not those of another version.
_RULES = {name.value: rule for name, rule in RULE_OF.items()}
_LEASES = {name.value: channel.lease for name, channel in CHANNELS.items()}
#: In seconds. A turn holds a thread of the worker, which events need, and the next turn comes soon.
_TURN = 15.0
#: Of one receiver: a slow one, which takes five for each, has a thread for a third of the time.
_TURN_OF_RECEIVER = 5.0


def tell(now: datetime | None = None) -> None:
    """Give due notices to the channels, and mail what is due, as far as there is time."""
    now = now or timezone.now()
    hand_over(now)
    take_turn(NoticeDelivery.objects.filter(channel=ChannelName.MAIL), now)


@transaction.atomic
def hand_over(now: datetime) -> None:
    """Write the deliveries of due notices: from here on, each channel has its own time and attempts.

    In the quiet hours of their account, notices wait until these end: then they are due again.
    """
    due = list(
        Notice.objects.filter(due_at__lte=now).order_by("due_at", "pk").select_related("incident__tenant")[:AT_ONCE]
    )
    quiet = _quiet_until(due, now)
    mine = []
    for notice in due:
        later = quiet.get(notice.pk)
        is_mine = Notice.objects.filter(pk=notice.pk, due_at=notice.due_at).update(due_at=later)
        if is_mine and not later and not notice.is_over:
            mine.append(notice)
    NoticeDelivery.objects.bulk_create(_deliveries(mine, now), ignore_conflicts=True)


def _quiet_until(notices: list[Notice], now: datetime) -> dict[UUID, datetime]:
    """Until when those wait that come in quiet hours."""
    accounts = {notice.incident.tenant_id for notice in notices if notice.incident.tenant_id}
    schedules = Schedule.objects.filter(tenant__in=accounts).select_related("tenant") if accounts else ()
    known = {schedule.tenant_id: schedule for schedule in schedules}
    found = {}
    for notice in notices:
        schedule, rule = known.get(notice.incident.tenant_id or ""), _RULES.get(notice.incident.rule)
        if schedule and not (schedule.severe_at_once and rule and rule.is_severe):
            end = schedule.quiet_until_after(now)
            if end:
                found[notice.pk] = end
    return found


def _deliveries(notices: list[Notice], now: datetime) -> list[NoticeDelivery]:
    accounts = {notice.incident.tenant_id for notice in notices}
    receivers = Receiver.objects.filter(Q(tenant=None) | Q(tenant__in=accounts), disabled_at=None) if notices else ()
    return [
        NoticeDelivery(notice=notice, channel=channel, receiver=receiver, due_at=now)
        for notice in notices
        for channel, receiver in [(ChannelName.MAIL, None), *_posted(notice.incident, receivers)]
    ]


def _posted(incident: Incident, receivers: Iterable[Receiver]) -> list[tuple[str, Receiver]]:
    """The account's own, and the host's, which are told nothing of an account that is closed to the host."""
    is_open = incident.tenant.can_partner_manage if incident.tenant else incident.tenant_id is None
    return [
        (each.channel, each)
        for each in receivers
        if each.tenant_id == incident.tenant_id or (each.tenant_id is None and is_open)
    ]


def receivers_due(now: datetime | None = None) -> list[UUID]:
    """Those to which something is due, and at which nobody is at work: what has waited longest comes first."""
    now = now or timezone.now()
    due = NoticeDelivery.objects.filter(due_at__lte=now, receiver__in=_free(now)).order_by()
    since = due.values("receiver").annotate(since=Min("due_at")).order_by("since", "receiver")
    return list(since.values_list("receiver", flat=True))


def post(receiver_id: UUID, now: datetime | None = None) -> None:
    """Post what is due to the receiver, unless somebody does. So a slow one takes one thread, and delays no other."""
    now = now or timezone.now()
    if not _free(now).filter(pk=receiver_id).update(waits_until=now + _lease_of_turn()):
        return
    answer = take_turn(NoticeDelivery.objects.filter(receiver=receiver_id), now, seconds=_TURN_OF_RECEIVER)
    wait = _wait(Receiver.objects.values_list("failures", flat=True).filter(pk=receiver_id).first() or 0)
    if answer and answer.retry_after:
        wait = max(wait, min(timedelta(seconds=answer.retry_after), _LONGEST_WAIT))
    Receiver.objects.filter(pk=receiver_id).update(waits_until=now + wait if answer else None)


def _lease_of_turn() -> timedelta:
    """Whoever posts to a receiver for longer is taken for dead: twice what a turn takes with the last request of it."""
    return posting.lease() + timedelta(seconds=2 * _TURN_OF_RECEIVER)


def _free(now: datetime) -> QuerySet[Receiver]:
    waits = Q(waits_until=None) | is_over("waits_until", now, _LONGEST_WAIT)
    return Receiver.objects.filter(waits, disabled_at=None)


def _wait(failures: int) -> timedelta:
    """How long after so many failures in a row."""
    return min(_FIRST_WAIT * int(2 ** min(max(failures - 1, 0), 10)), _LONGEST_WAIT)


def take_turn(deliveries: QuerySet[NoticeDelivery], now: datetime, *, seconds: float = _TURN) -> Later | None:
    """Tell what is due of these, which all go the same way. Where it is away, the turn is over, and the answer says so:
    each further one would wait for it as long."""
    started = time.monotonic()
    due = deliveries.filter(due_at__lte=now).order_by("due_at", "pk")
    for delivery in due.select_related("notice__incident__tenant", "receiver")[:AT_ONCE]:
        if _claim(delivery, now + timedelta(seconds=time.monotonic() - started)):
            answer = _tell(delivery, now)
            if isinstance(answer, Later) and answer.is_away:
                return answer
        if time.monotonic() - started > seconds:
            break
    return None


def _claim(delivery: NoticeDelivery, now: datetime) -> bool:
    """Hold the delivery for as long as telling it may take; False where somebody else does."""
    lease = _LEASES.get(delivery.channel, mail.lease)()
    mine = NoticeDelivery.objects.filter(pk=delivery.pk, due_at=delivery.due_at)
    return bool(mine.update(due_at=now + lease, attempts=F("attempts") + 1))


def _tell(delivery: NoticeDelivery, now: datetime) -> Answer:
    row, answer = NoticeDelivery.objects.filter(pk=delivery.pk), _answer(delivery)
    if isinstance(answer, Later):
        logger.warning("The notice %s is not told by %s: %s.", delivery.notice_id, delivery.channel, answer.reason)
        is_young = now - delivery.notice.created_at < GIVEN_UP_AFTER
        row.update(due_at=now + _wait(delivery.attempts + 1) if is_young else None)
    else:
        row.update(due_at=None, told_at=now)
    return answer


def _answer(delivery: NoticeDelivery) -> Answer:
    try:
        return CHANNELS[ChannelName(delivery.channel)].deliver(delivery)
    except OSError as error:  # SMTP's own exceptions are OSErrors too; they hold addresses, which no log does
        return Later(type(error).__name__)
    except Exception as error:
        logger.exception("The notice %s cannot be told by %s.", delivery.notice_id, delivery.channel)
        return Later(type(error).__name__)

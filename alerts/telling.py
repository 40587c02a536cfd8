"""Telling of incidents: a notice is given to every channel, and each tells it at least once, under the notice's one id,
whatever is killed when."""

from __future__ import annotations

import logging
import time
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from alerts.channels.answers import Answer, Later
from alerts.channels.table import CHANNELS
from alerts.models import ChannelName, Notice, NoticeDelivery

logger = logging.getLogger(__name__)

#: Whoever is at work on a delivery for longer is taken for dead, and it is told again.
LEASE = timedelta(minutes=10)
#: Nobody is told of what began so long ago.
GIVEN_UP_AFTER = timedelta(days=1)
_FIRST_WAIT, _LONGEST_WAIT = timedelta(minutes=1), timedelta(hours=1)
AT_ONCE = 100
#: In seconds. A turn holds a thread of the worker, which events need, and the next turn comes soon.
_TURN = 15.0


def tell(now: datetime | None = None) -> None:
    """Give due notices to the channels, and tell what is due there, as far as there is time."""
    now = now or timezone.now()
    hand_over(now)
    take_turn(NoticeDelivery.objects.filter(channel=ChannelName.MAIL), now)


@transaction.atomic
def hand_over(now: datetime) -> None:
    """Write the deliveries of due notices: from here on, each channel has its own time and attempts."""
    due = Notice.objects.filter(due_at__lte=now).order_by("due_at", "pk")
    for notice in due.select_related("incident__tenant")[:AT_ONCE]:
        is_mine = Notice.objects.filter(pk=notice.pk, due_at=notice.due_at).update(due_at=None)
        if is_mine and not notice.is_over:
            NoticeDelivery.objects.bulk_create(_deliveries(notice, now), ignore_conflicts=True)


def _deliveries(notice: Notice, now: datetime) -> list[NoticeDelivery]:
    return [NoticeDelivery(notice=notice, channel=ChannelName.MAIL, due_at=now)]


def take_turn(deliveries: QuerySet[NoticeDelivery], now: datetime) -> None:
    """Tell what is due of these, which all go the same way. Where it is away, the turn is over: each further one would
    wait for it as long."""
    started = time.monotonic()
    due = deliveries.filter(due_at__lte=now).order_by("due_at", "pk")
    for delivery in due.select_related("notice__incident__tenant")[:AT_ONCE]:
        mine = NoticeDelivery.objects.filter(pk=delivery.pk, due_at=delivery.due_at)
        is_mine = mine.update(due_at=now + LEASE, attempts=F("attempts") + 1)
        if (is_mine and _tell(delivery, now)) or time.monotonic() - started > _TURN:
            return


def _tell(delivery: NoticeDelivery, now: datetime) -> bool:
    """Is the turn over?"""
    row, answer = NoticeDelivery.objects.filter(pk=delivery.pk), _answer(delivery)
    if not isinstance(answer, Later):
        row.update(due_at=None, told_at=now)
        return False
    logger.warning("The notice %s is not told by %s: %s.", delivery.notice_id, delivery.channel, answer.reason)
    wait = min(_FIRST_WAIT * 2 ** min(delivery.attempts, 10), _LONGEST_WAIT)
    row.update(due_at=now + wait if now - delivery.notice.created_at < GIVEN_UP_AFTER else None)
    return answer.is_away


def _answer(delivery: NoticeDelivery) -> Answer:
    try:
        return CHANNELS[ChannelName(delivery.channel)](delivery)
    except OSError as error:  # SMTP's own exceptions are OSErrors too; they hold addresses, which no log does
        return Later(type(error).__name__)
    except Exception as error:
        logger.exception("The notice %s cannot be told by %s.", delivery.notice_id, delivery.channel)
        return Later(type(error).__name__)

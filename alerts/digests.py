"""The daily digest: what opened and closed in an account, what is still open, and the figures of the day before.

A row is an account's of a day; a mail is a person's, with a part for each of their accounts.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from datetime import time as time_of_day
from functools import cache
from smtplib import SMTPRecipientsRefused, SMTPResponseException
from socket import gaierror
from typing import Any, NamedTuple

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone, translation

from accounts.mail import Kind, as_name, reason_of, send_now
from accounts.models import Tenant
from accounts.views.pages import address
from alerts.channels.mail import Recipient, is_refused_for_good, recipients_of
from alerts.models import Digest, Incident, Schedule
from alerts.rules.table import RANK
from alerts.words import describe
from common.time_zones import moment_of
from events.figures.usage import passed_between

logger = logging.getLogger(__name__)

#: Later, the digest of a day is not worth sending.
GIVEN_UP_AFTER = timedelta(hours=12)
#: Of each kind of incident, so many are named.
SHOWN = 20
_DAY, _WAIT = timedelta(days=1), timedelta(minutes=5)
#: Longer than a turn takes, with its last mail.
_LEASE = timedelta(minutes=3)
_AT_ONCE = 100
#: In seconds, as in telling.py.
_TURN = 15.0
#: After these the server has surely not taken the mail.
_NOT_TAKEN = (SMTPRecipientsRefused, SMTPResponseException, ConnectionRefusedError, gaierror)


def write_due(now: datetime | None = None) -> None:
    """Write the digests whose hour has come. Two schedulers at once write each once: a constraint holds one a day."""
    now = now or timezone.now()
    wanted = {}
    for schedule in Schedule.objects.filter(digest_hour__isnull=False).select_related("tenant"):
        digest = _of_today(schedule, now)
        if digest is not None:
            wanted[schedule.tenant_id] = digest
    # One of the same day, or of a later one where the time zone has changed since.
    known = Digest.objects.filter(tenant__in=wanted).order_by("day").values_list("tenant_id", "day")
    last = dict(known)
    new = [digest for tenant, digest in wanted.items() if tenant not in last or last[tenant] < digest.day]
    Digest.objects.bulk_create(new, ignore_conflicts=True, batch_size=500)


def _of_today(schedule: Schedule, now: datetime) -> Digest | None:
    """Today's, if its hour has come not too long ago, and since that hour was chosen."""
    zone = schedule.tenant.zone
    day = now.astimezone(zone).date()
    moment = moment_of(day, time_of_day(schedule.digest_hour or 0), zone)
    if not schedule.digest_since <= moment <= now < moment + GIVEN_UP_AFTER:
        return None
    midnights = (moment_of(each, time_of_day(), zone) for each in (day - _DAY, day))
    since, until = midnights
    return Digest(tenant=schedule.tenant, day=day, since=since, until=until, due_at=now)


def send_due(now: datetime | None = None) -> None:
    """Send the digests that are written, as far as there is time. A mail that fails ends the turn.

    What one person gets of one day is one mail: the digests of all accounts that have agreed on hour and time zone.
    """
    now, started = now or timezone.now(), time.monotonic()
    mine = _claim(now)
    mails, context = _mails(mine), cache(_context)
    failed: list[_Mail] = []
    for place, mail in enumerate(mails):
        if time.monotonic() - started > _TURN:
            _give_back(mine, [*failed, *mails[place:]], now, now)
            return
        try:
            _send(mail, context)
        except OSError as error:
            logger.warning("The digest %s is not mailed: %s.", mail.digests[0].pk, reason_of(error))
            failed.append(mail)
            if not isinstance(error, SMTPRecipientsRefused):  # the others' mails would wait for it as long
                failed += mails[place + 1 :]
                break
    _give_back(mine, failed, now, now + _WAIT)


@transaction.atomic
def _claim(now: datetime) -> list[Digest]:
    """Hold those that are due. Whoever comes first gets them all: what belongs into one mail stays together."""
    skip = connection.features.has_select_for_update_skip_locked
    due = Digest.objects.filter(due_at__lte=now).order_by("due_at", "pk").select_for_update(skip_locked=skip)
    mine = Digest.objects.filter(pk__in=list(due.values_list("pk", flat=True)[:_AT_ONCE]))
    mine.update(due_at=now + _LEASE)
    mine.exclude(tenant__in=Tenant.objects.all()).update(due_at=None)  # their accounts are gone
    return list(mine.select_related("tenant").order_by("tenant__name", "pk"))


class _Mail(NamedTuple):
    """What one person gets."""

    to: Recipient
    digests: list[Digest]


def _mails(digests: Iterable[Digest]) -> list[_Mail]:
    """Whoever was not reached yet, with the digests of one and the same day."""
    mails: dict[tuple[datetime, datetime, str], _Mail] = {}
    for digest in digests:
        for each in recipients_of(digest.tenant):
            if each.person not in digest.reached:
                mails.setdefault((digest.since, digest.until, each.person), _Mail(each, [])).digests.append(digest)
    return list(mails.values())


def _send(mail: _Mail, context: Callable[[Digest, str], dict[str, Any]]) -> None:
    """OSError where it is to be tried again.

    Somebody is marked before their mail is sent: whatever is killed when, nobody gets two. Who may have got it, since
    the server fell silent, is left out; a mail that was surely not taken is tried again.
    """
    first, (person, email, language) = mail.digests[0], mail.to
    with translation.override(language):
        told = {"day": first.day - _DAY, "parts": [context(digest, language) for digest in mail.digests]}
        _mark(mail.digests, lambda reached: [*reached, person])
        try:
            send_now("emails/digest", email, told, kind=Kind.DIGEST, message_id=f"digest-{first.pk}")
        except OSError as error:
            if isinstance(error, _NOT_TAKEN) and not is_refused_for_good(error):
                _mark(mail.digests, lambda reached: [each for each in reached if each != person])
                raise
            if not isinstance(error, SMTPRecipientsRefused):
                raise


def _mark(digests: list[Digest], change: Callable[[list[str]], list[str]]) -> None:
    for digest in digests:
        digest.reached = change(digest.reached)
    Digest.objects.bulk_update(digests, ["reached"])


def _give_back(mine: Iterable[Digest], unsent: Iterable[_Mail], now: datetime, at: datetime) -> None:
    """Those that somebody was not sent are due again, as long as they are worth it; the others are done."""
    young = {digest.pk for mail in unsent for digest in mail.digests if now < digest.until + _DAY}
    Digest.objects.filter(pk__in=young).update(due_at=at)
    Digest.objects.filter(pk__in={digest.pk for digest in mine} - young).update(due_at=None)


def _context(digest: Digest, language: str) -> dict[str, Any]:
    """An account's part of the mail, in the active language, which is ``language``."""
    tenant = digest.tenant
    mine = Incident.objects.filter(tenant=tenant, rule__in=list(RANK))
    day = (digest.since, digest.until)
    told = {
        "opened": Q(opened_at__gte=day[0], opened_at__lt=day[1]),
        "closed": Q(closed_at__gte=day[0], closed_at__lt=day[1]),
        "open": Q(closed_at=None),
    }
    return {
        "account": as_name(tenant.name),
        "passed": passed_between(tenant, *day),
        "link": f"{settings.BASE_URL}{address('alerts:incidents', tenant)}",
        "settings_link": f"{settings.BASE_URL}{address('alerts:rules', tenant)}",
        **{name: _lines(mine.filter(when), tenant) for name, when in told.items()},
    }


def _lines(incidents: QuerySet[Incident], tenant: Tenant) -> list[str]:
    shown = list(incidents.order_by("opened_at", "pk")[: SHOWN + 1])
    lines = [_line(each, tenant) for each in shown[:SHOWN]]
    return [*lines, "…"] if len(shown) > SHOWN else lines


def _line(incident: Incident, tenant: Tenant) -> str:
    return f"{incident.opened_at.astimezone(tenant.zone):%Y-%m-%d %H:%M} {describe(incident, as_name).what}"

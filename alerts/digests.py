"""The daily digest: what opened and closed in an account, what is still open, and the figures of the day before."""

from __future__ import annotations

import logging
import time
from datetime import datetime, timedelta
from datetime import time as time_of_day
from smtplib import SMTPRecipientsRefused, SMTPResponseException
from socket import gaierror
from typing import Any

from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils import timezone

from accounts.mail import Kind, as_name, reason_of, send_now
from accounts.models import Tenant
from accounts.views.pages import address
from alerts.channels.mail import is_refused_for_good, recipients_of
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
_DAY, _LEASE, _WAIT = timedelta(days=1), timedelta(minutes=10), timedelta(minutes=5)
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
    """Send the digests that are written, as far as there is time. A mail that fails ends the turn."""
    now, started = now or timezone.now(), time.monotonic()
    for digest in Digest.objects.filter(due_at__lte=now).select_related("tenant").order_by("due_at", "pk")[:_AT_ONCE]:
        mine = Digest.objects.filter(pk=digest.pk, due_at=digest.due_at)
        if not mine.update(due_at=now + _LEASE):
            continue
        try:
            _send(digest)
        except OSError as error:
            logger.warning("The digest %s is not mailed: %s.", digest.pk, reason_of(error))
            is_young = now < digest.until + _DAY
            Digest.objects.filter(pk=digest.pk).update(due_at=now + _WAIT if is_young else None)
            return
        Digest.objects.filter(pk=digest.pk).update(due_at=None)
        if time.monotonic() - started > _TURN:
            return


def _send(digest: Digest) -> None:
    """Mail it to whoever it was not sent to; OSError where it is to be tried again.

    Somebody is marked before their mail is sent: whatever is killed when, nobody gets two. Who may have got it, since
    the server fell silent, is left out; a mail that was surely not taken is tried again.
    """
    tenant = Tenant.objects.filter(pk=digest.tenant_id).first()
    people = [each for each in recipients_of(tenant) if each.person not in digest.reached] if tenant else []
    context = _context(digest, tenant) if tenant and people else {}
    failed: OSError | None = None
    for person, email in people:
        _mark(digest, [*digest.reached, person])
        try:
            send_now("emails/digest", email, context, kind=Kind.DIGEST, message_id=f"digest-{digest.pk}")
        except OSError as error:
            if isinstance(error, _NOT_TAKEN) and not is_refused_for_good(error):
                _mark(digest, [each for each in digest.reached if each != person])
                failed = error
            if not isinstance(error, SMTPRecipientsRefused):  # the others' mails would wait for it as long
                raise
    if failed:
        raise failed


def _mark(digest: Digest, reached: list[str]) -> None:
    digest.reached = reached
    Digest.objects.filter(pk=digest.pk).update(reached=reached)


def _context(digest: Digest, tenant: Tenant) -> dict[str, Any]:
    mine = Incident.objects.filter(tenant=tenant, rule__in=list(RANK))
    day = (digest.since, digest.until)
    told = {
        "opened": Q(opened_at__gte=day[0], opened_at__lt=day[1]),
        "closed": Q(closed_at__gte=day[0], closed_at__lt=day[1]),
        "open": Q(closed_at=None),
    }
    return {
        "account": as_name(tenant.name),
        "day": digest.day - _DAY,
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

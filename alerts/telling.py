"""Telling of incidents. A notice is told at least once, under its one id, whatever is killed when."""

from __future__ import annotations

import logging
import time
from datetime import datetime, timedelta
from itertools import filterfalse
from smtplib import SMTPRecipientsRefused

from django.conf import settings
from django.db.models import F, Q
from django.utils import timezone

from accounts.mail import Kind, as_name, reaches_nobody, send_now
from accounts.models import Membership, RoleLevel
from accounts.models.people import MembershipQuerySet, cannot_sign_in
from alerts.models import Incident, Notice
from alerts.words import describe

logger = logging.getLogger(__name__)

#: Whoever is at work on a notice for longer is taken for dead, and it is told again.
LEASE = timedelta(minutes=10)
#: Nobody is told of what began so long ago.
GIVEN_UP_AFTER = timedelta(days=1)
_FIRST_WAIT, _LONGEST_WAIT = timedelta(minutes=1), timedelta(hours=1)
AT_ONCE = 100
#: In seconds. A turn holds a thread of the worker, which events need, and the next turn comes soon.
_TURN = 15.0


def tell(now: datetime | None = None) -> None:
    """Tell of what is due, as far as there is time. A mail that fails ends the turn: the server may be away, and each
    further mail would wait for it as long."""
    now, started = now or timezone.now(), time.monotonic()
    due = Notice.objects.filter(due_at__lte=now).order_by("due_at", "pk")
    for notice in due.select_related("incident__tenant")[:AT_ONCE]:
        mine = Notice.objects.filter(pk=notice.pk, due_at=notice.due_at)
        is_mine = mine.update(due_at=now + LEASE, attempts=F("attempts") + 1)
        if (is_mine and not _tell(notice, now)) or time.monotonic() - started > _TURN:
            return


def _tell(notice: Notice, now: datetime) -> bool:
    row = Notice.objects.filter(pk=notice.pk)
    if notice.is_over:
        row.update(due_at=None)
        return True
    try:
        _mail(notice)
    except Exception as error:
        # SMTP's own exceptions are OSErrors too; they hold addresses, which no log does.
        is_ours = not isinstance(error, OSError)
        logger.warning("The notice %s is not mailed: %s.", notice.pk, type(error).__name__, exc_info=is_ours)
        wait = min(_FIRST_WAIT * 2 ** min(notice.attempts, 10), _LONGEST_WAIT)
        row.update(due_at=now + wait if now - notice.created_at < GIVEN_UP_AFTER else None)
        return False
    row.update(due_at=None, told_at=now)
    return True


def _mail(notice: Notice) -> None:
    incident = notice.incident
    words = describe(incident)
    context = {
        "title": as_name(words.title),
        "what": as_name(words.what),
        "remedy": words.remedy,
        "account": as_name(incident.tenant.name) if incident.tenant else "",
        "since": incident.opened_at,
        "link": f"{settings.BASE_URL}{words.path}",
    }
    not_yet: SMTPRecipientsRefused | None = None
    for email in filterfalse(reaches_nobody, recipients(incident)):
        try:
            if not send_now("emails/incident", email, context, kind=Kind.ALERT, message_id=str(notice.pk)):
                logger.warning("Somebody has had their alerts of today: the notice %s is not mailed.", notice.pk)
        except SMTPRecipientsRefused as error:  # one mailbox, of which the others' mails do not depend
            if _is_for_good(error):
                logger.warning("A mailbox is refused for good: the notice %s is not mailed there.", notice.pk)
            else:
                not_yet = error
    if not_yet:
        raise not_yet


def _is_for_good(error: SMTPRecipientsRefused) -> bool:
    return all(code >= 500 for code, _ in error.recipients.values())


def recipients(incident: Incident) -> list[str]:
    """Those who can do something: the account's admins and standard people, and where there are none, the host's.

    The host's people are not told of an account that is closed to them.
    """
    able = Membership.objects.accepted().filter(level__in=(RoleLevel.ADMIN, RoleLevel.MANAGE)).exclude(cannot_sign_in())
    own = _addresses(able, Q(tenant=incident.tenant_id)) if incident.tenant_id else []
    # Of an account that has gone meanwhile, nobody is told.
    is_open_to_host = incident.tenant.can_partner_manage if incident.tenant else incident.tenant_id is None
    return own or (_addresses(able, Q(tenant=None)) if is_open_to_host else [])


def _addresses(memberships: MembershipQuerySet, of: Q) -> list[str]:
    return list(memberships.filter(of).order_by("user__email").values_list("user__email", flat=True))

"""Notices by mail, to those who can do something."""

from __future__ import annotations

import logging
from itertools import filterfalse
from smtplib import SMTPRecipientsRefused

from django.conf import settings
from django.db.models import Q

from accounts.mail import Kind, as_name, reaches_nobody, send_now
from accounts.models import Membership, RoleLevel
from accounts.models.people import MembershipQuerySet, cannot_sign_in
from alerts.channels.answers import Answer, Taken
from alerts.models import Incident, NoticeDelivery
from alerts.words import describe

logger = logging.getLogger(__name__)


def deliver(delivery: NoticeDelivery) -> Answer:
    """Mail the notice; OSError where the mail server does not take it."""
    notice = delivery.notice
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
    return Taken()


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

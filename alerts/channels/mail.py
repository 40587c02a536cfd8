"""Notices by mail, to those who can do something."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from smtplib import SMTPRecipientsRefused
from typing import Any, NamedTuple

from django.conf import settings
from django.db.models import Q

from accounts.mail import Kind, as_name, reaches_nobody, send_now
from accounts.models import Membership, RoleLevel
from accounts.models.people import MembershipQuerySet, cannot_sign_in
from alerts.channels.answers import Answer, Taken
from alerts.models import Incident, NoticeDelivery
from alerts.words import describe

logger = logging.getLogger(__name__)


class Recipient(NamedTuple):
    """Somebody who is mailed."""

    #: The person's id.
    person: str
    email: str


def deliver(delivery: NoticeDelivery) -> Answer:
    """Mail the notice to whoever was not reached yet; OSError where the mail server does not take it."""
    incident = delivery.notice.incident
    words = describe(incident, as_name)
    context = {
        "title": words.title,
        "what": words.what,
        "remedy": words.remedy,
        "account": as_name(incident.tenant.name) if incident.tenant else "",
        "since": incident.opened_at,
        "link": f"{settings.BASE_URL}{words.path}",
    }
    not_yet: SMTPRecipientsRefused | None = None
    for person, email in recipients(incident):
        if person in delivery.reached:
            continue
        try:
            _send(delivery, email, context)
        except SMTPRecipientsRefused as error:  # one mailbox, of which the others' mails do not depend
            if not _is_for_good(error):
                not_yet = error
                continue
            logger.warning("A mailbox is refused for good: the notice %s is not mailed there.", delivery.notice_id)
        delivery.reached.append(person)
        NoticeDelivery.objects.filter(pk=delivery.pk).update(reached=delivery.reached)
    if not_yet:
        raise not_yet
    return Taken()


def _send(delivery: NoticeDelivery, email: str, context: Mapping[str, Any]) -> None:
    if not send_now("emails/incident", email, context, kind=Kind.ALERT, message_id=str(delivery.notice_id)):
        logger.warning("Somebody has had their alerts of today: the notice %s is not mailed.", delivery.notice_id)


def _is_for_good(error: SMTPRecipientsRefused) -> bool:
    return all(code >= 500 for code, _ in error.recipients.values())


def recipients(incident: Incident) -> list[Recipient]:
    """Those who can do something: the account's admins and standard people, and where there are none, the host's.

    The host's people are not told of an account that is closed to them.
    """
    able = Membership.objects.accepted().filter(level__in=(RoleLevel.ADMIN, RoleLevel.MANAGE)).exclude(cannot_sign_in())
    own = _people(able, Q(tenant=incident.tenant_id)) if incident.tenant_id else []
    # Of an account that has gone meanwhile, nobody is told.
    is_open_to_host = incident.tenant.can_partner_manage if incident.tenant else incident.tenant_id is None
    found = own or (_people(able, Q(tenant=None)) if is_open_to_host else [])
    return [recipient for recipient in found if not reaches_nobody(recipient.email)]


def _people(memberships: MembershipQuerySet, of: Q) -> list[Recipient]:
    rows = memberships.filter(of).order_by("user__email").values_list("user_id", "user__email")
    return [Recipient(str(user), email) for user, email in rows]

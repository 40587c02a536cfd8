"""Notices by mail, to those who can do something."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import UTC
from smtplib import SMTPRecipientsRefused
from typing import Any, NamedTuple

from django.conf import settings
from django.db.models import Q

from accounts.mail import Kind, as_name, reaches_nobody, send_now
from accounts.models import Membership, RoleLevel, Tenant
from accounts.models.people import MembershipQuerySet, cannot_sign_in
from alerts.channels.answers import Answer, Taken
from alerts.models import Incident, Notice, NoticeDelivery
from alerts.words import describe

logger = logging.getLogger(__name__)


#: By what is told: the mail, and with which others it is counted. What is over uses up nobody's alerts of a day.
_MAILS = {
    Notice.Kind.OPENED: ("emails/incident", Kind.ALERT),
    Notice.Kind.CLOSED: ("emails/incident_closed", Kind.ALERT_CLOSED),
}


class Recipient(NamedTuple):
    """Somebody who is mailed."""

    #: The person's id.
    person: str
    email: str


def deliver(delivery: NoticeDelivery) -> Answer:
    """Mail the notice to whoever was not reached yet; OSError where the mail server does not take it."""
    incident = delivery.notice.incident
    template, kind = _MAILS[Notice.Kind(delivery.notice.kind)]
    context = _context(incident)
    not_yet: SMTPRecipientsRefused | None = None
    for person, email in recipients(incident):
        if person in delivery.reached:
            continue
        try:
            _send(delivery, email, template, context, kind)
        except SMTPRecipientsRefused as error:  # one mailbox, of which the others' mails do not depend
            if not is_refused_for_good(error):
                not_yet = error
                continue
            logger.warning("A mailbox is refused for good: the notice %s is not mailed there.", delivery.notice_id)
        delivery.reached.append(person)
        NoticeDelivery.objects.filter(pk=delivery.pk).update(reached=delivery.reached)
    if not_yet:
        raise not_yet
    return Taken()


def _send(delivery: NoticeDelivery, email: str, template: str, context: Mapping[str, Any], kind: Kind) -> None:
    if not send_now(template, email, context, kind=kind, message_id=str(delivery.notice_id)):
        logger.warning("Somebody has had their alerts of today: the notice %s is not mailed.", delivery.notice_id)


def _context(incident: Incident) -> dict[str, Any]:
    words = describe(incident, as_name)
    zone = incident.tenant.zone if incident.tenant else UTC
    return {
        "title": words.title,
        "what": words.what,
        "remedy": words.remedy,
        "account": as_name(incident.tenant.name) if incident.tenant else "",
        "zone": str(zone),
        # As text: templates show moments in UTC.
        "since": f"{incident.opened_at.astimezone(zone):%Y-%m-%d %H:%M}",
        "until": f"{incident.closed_at.astimezone(zone):%Y-%m-%d %H:%M}" if incident.closed_at else "",
        "link": f"{settings.BASE_URL}{words.path}",
    }


def is_refused_for_good(error: OSError) -> bool:
    """Does the mail server take no mail for the address, now or later?"""
    if not isinstance(error, SMTPRecipientsRefused):
        return False
    return all(code >= 500 for code, _ in error.recipients.values())


def recipients(incident: Incident) -> list[Recipient]:
    """Who is told of the incident; of an account that has gone meanwhile, nobody."""
    is_gone = incident.tenant_id is not None and incident.tenant is None
    return [] if is_gone else recipients_of(incident.tenant)


def recipients_of(tenant: Tenant | None) -> list[Recipient]:
    """Those who can do something: the account's admins and standard people, and where there are none, the host's.

    The host's people are not told of an account that is closed to them.
    """
    able = Membership.objects.accepted().filter(level__in=(RoleLevel.ADMIN, RoleLevel.MANAGE)).exclude(cannot_sign_in())
    found = _people(able, Q(tenant=tenant)) if tenant else []
    if not found and (tenant is None or tenant.can_partner_manage):
        found = _people(able, Q(tenant=None))
    return [recipient for recipient in found if not reaches_nobody(recipient.email)]


def _people(memberships: MembershipQuerySet, of: Q) -> list[Recipient]:
    rows = memberships.filter(of).order_by("user__email").values_list("user_id", "user__email")
    return [Recipient(str(user), email) for user, email in rows]

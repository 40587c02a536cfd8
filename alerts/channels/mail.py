"""Notices by mail, to those who can do something."""

from __future__ import annotations

import logging
from datetime import UTC, timedelta
from functools import cache
from smtplib import SMTPRecipientsRefused
from typing import Any, NamedTuple

from django.conf import settings
from django.db.models import Q
from django.utils import timezone, translation

from accounts.languages import language_for
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
    #: In which they are written to.
    language: str


def lease() -> timedelta:
    """Longer than one mail takes, whose server may take the timeout for each of its answers: about ten of them. Who
    mails several people holds the delivery anew for each."""
    return timedelta(seconds=12 * settings.EMAIL_TIMEOUT)


def deliver(delivery: NoticeDelivery) -> Answer:
    """Mail the notice to whoever was not reached yet; OSError where the mail server does not take it."""
    incident = delivery.notice.incident
    told = cache(lambda language: _context(incident))
    not_yet: SMTPRecipientsRefused | None = None
    for person, email, language in recipients(incident):
        if person in delivery.reached:
            continue
        try:
            with translation.override(language):
                _send(delivery, email, told(language))
        except SMTPRecipientsRefused as error:  # one mailbox, of which the others' mails do not depend
            if is_refused_for_good(error):
                logger.warning("A mailbox is refused for good: the notice %s is not mailed there.", delivery.notice_id)
                delivery.reached.append(person)
            else:
                not_yet = error
        else:
            delivery.reached.append(person)
        held = timezone.now() + lease()
        NoticeDelivery.objects.filter(pk=delivery.pk).update(reached=delivery.reached, due_at=held)
    if not_yet:
        raise not_yet
    return Taken()


def _send(delivery: NoticeDelivery, email: str, context: dict[str, Any]) -> None:
    template, kind = _MAILS[Notice.Kind(delivery.notice.kind)]
    if not send_now(template, email, context, kind=kind, message_id=str(delivery.notice_id)):
        logger.warning("Somebody has had their alerts of today: the notice %s is not mailed.", delivery.notice_id)


def _context(incident: Incident) -> dict[str, Any]:
    """What the mail says, in the active language."""
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
    rows = memberships.filter(of).order_by("user__email").values_list("user_id", "user__email", "user__language")
    return [
        Recipient(str(user), email, language_for(language, settings.LANGUAGE_CODE)) for user, email, language in rows
    ]

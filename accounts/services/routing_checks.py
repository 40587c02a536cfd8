"""Verified domains are checked again every day: one whose CNAME has left is given up after three refusals."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from accounts.audit import record
from accounts.mail import Kind, as_name, send_later
from accounts.models import IngressDomain, Membership, RoleLevel
from accounts.models.people import cannot_sign_in
from accounts.principals import SCHEDULE
from accounts.services.routing import (
    SERVED_AFTERWARDS,
    SET_DATA_ROUTING,
    CnameLookup,
    DnsAnswer,
    DnsOutcome,
    look_up_cname,
)

#: A little less than a day, so that an hourly schedule does not drift.
CHECK_EVERY = timedelta(hours=23, minutes=30)
REFUSALS = 3
#: In one run; the next takes those that are left.
DOMAINS_A_RUN = 2_000
_THREADS = 16


def check_domains(look_up: CnameLookup = look_up_cname) -> None:
    """Check those that are due, the longest unchecked first.

    Where DNS does not answer, nothing changes, and the domain is due again in the next run.
    """
    due = list(
        IngressDomain.objects.verified()
        .filter(Q(checked_at=None) | Q(checked_at__lt=timezone.now() - CHECK_EVERY))
        .order_by(F("checked_at").asc(nulls_first=True))[:DOMAINS_A_RUN]
    )
    with ThreadPoolExecutor(_THREADS) as threads:
        for domain, answer in zip(due, threads.map(look_up, [each.ingress for each in due]), strict=True):
            if answer.outcome is not DnsOutcome.NO_ANSWER:
                _note(domain, answer)


@transaction.atomic
def _note(seen: IngressDomain, answer: DnsAnswer) -> None:
    """Write down what DNS said, unless the domain was checked or changed meanwhile."""
    domain = (
        IngressDomain.objects.verified()
        .select_for_update()
        .filter(tenant=seen.tenant_id, ingress=seen.ingress, checked_at=seen.checked_at)
        .first()
    )
    if domain is None:
        return
    domain.checked_at = timezone.now()
    domain.refusals = 0 if answer.cname == domain.target_domain else domain.refusals + 1
    if domain.refusals >= REFUSALS:
        _give_up(domain)
    domain.save()


def _give_up(domain: IngressDomain) -> None:
    """The account's pixels go back to the gateway's own address; what is sent to the domain is taken for a while."""
    domain.status, domain.refusals = IngressDomain.Status.PENDING, 0
    domain.served_until = timezone.now() + SERVED_AFTERWARDS
    changes = {"status": [str(IngressDomain.Status.VERIFIED), str(domain.status)]}
    record(SCHEDULE, SET_DATA_ROUTING, domain.ingress, tenant=domain.tenant, changes=changes)
    admins = Membership.objects.accepted().filter(tenant=domain.tenant_id, level=RoleLevel.ADMIN)
    context = {
        "domain": as_name(domain.ingress),
        "gateway": as_name(domain.target_domain),
        "account": as_name(domain.tenant.name),
        "until": domain.served_until,
    }
    for email, language in admins.exclude(cannot_sign_in()).values_list("user__email", "user__language"):
        send_later("emails/domain_left", email, context, kind=Kind.NOTICE, language=language)

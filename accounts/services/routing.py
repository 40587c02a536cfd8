"""Data routing: an account's own domain (``ingress``) whose CNAME leads to the gateway's (``target_domain``)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import Enum, auto
from typing import Any, Protocol
from urllib.parse import urlsplit

import dns.exception
import dns.resolver
from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.audit import Act, Changes, labels_of, record
from accounts.models import IngressDomain, Tenant
from accounts.own_domains import is_portals_own
from accounts.permissions import Action, get_tenant
from accounts.principals import Principal
from common.domains import clean_domain
from common.errors import InvalidInput

SET_DATA_ROUTING = Act(
    "set data routing",
    _("set the data routing to %(subject)s"),
    {
        "gateway": _("Gateway's host name"),
        "own_domain": _("Own domain"),
        "status": _("Status"),
        # Of entries of an earlier version, which had the names the other way round.
        "ingress": _("Gateway's host name"),
        "target_domain": _("Own domain"),
    },
    values=labels_of("status", IngressDomain.Status),
)


DNS_TIMEOUT_SECONDS = 3.0


#: How long events are taken at a domain once it is verified no more.
SERVED_AFTERWARDS = timedelta(days=30)


class DnsOutcome(Enum):
    """How a look-up ended."""

    CNAME = auto()
    NO_RECORD = auto()  # the domain is there, without such a record
    NO_DOMAIN = auto()
    NO_ANSWER = auto()  # no DNS server answered, or none that could be understood


@dataclass(frozen=True, slots=True)
class DnsAnswer:
    """What DNS says about a domain; ``cname`` is the name that its CNAME record holds."""

    outcome: DnsOutcome
    cname: str | None = None


@dataclass(frozen=True, slots=True)
class RoutingCheck:
    """An account's data routing, and what DNS said of it just now."""

    domain: IngressDomain
    answer: DnsAnswer


class CnameLookup(Protocol):
    """Answers what DNS says about a domain; names are lower-case, without trailing dot."""

    def __call__(self, domain: str, /) -> DnsAnswer: ...


def look_up_cname(domain: str) -> DnsAnswer:
    """Ask the system's DNS servers."""
    try:
        answer = dns.resolver.resolve(domain, "CNAME", lifetime=DNS_TIMEOUT_SECONDS)
    except dns.resolver.NXDOMAIN:
        return DnsAnswer(DnsOutcome.NO_DOMAIN)
    except dns.resolver.NoAnswer:
        return DnsAnswer(DnsOutcome.NO_RECORD)
    except (dns.exception.DNSException, OSError):
        return DnsAnswer(DnsOutcome.NO_ANSWER)
    return DnsAnswer(DnsOutcome.CNAME, str(answer[0].target).rstrip(".").lower())


def gateway_domain() -> str:
    """The gateway's host name, which an account's CNAME must hold."""
    return urlsplit(settings.BASE_URL).hostname or ""


def address_of(tenant: Tenant) -> str:
    """Where the account's events are taken: at its own domain where that is verified, else at the gateway's."""
    return address_at(own_domains(tenant).values_list("ingress", flat=True).first())


def address_at(own_domain: str | None) -> str:
    """The same, where it is known which domain of its own the account has, if any."""
    return f"https://{own_domain}" if own_domain else str(settings.BASE_URL)


def own_domains(tenant: Tenant) -> QuerySet[IngressDomain]:
    """The account's own domain, if it is verified."""
    return IngressDomain.objects.verified().filter(tenant=tenant)


def can_be_led_to(target_domain: str) -> bool:
    """Can a CNAME hold this name? None can lead to localhost, or to an address."""
    try:
        return bool(clean_domain("targetDomain", target_domain))
    except InvalidInput:
        return False


def upsert_ingress_domain(
    *, principal: Principal, tenant_id: str, ingress: str, target_domain: str, look_up: CnameLookup = look_up_cname
) -> RoutingCheck:
    """Choose the account's own domain, ``ingress``, and check that its CNAME is the gateway's, ``target_domain``.

    Saying the same again checks again. DNS is asked outside the transaction, so that a slow server holds no lock.
    """
    get_tenant(principal, tenant_id, Action.EDIT_SETTINGS)
    ingress = clean_domain("ingress", ingress)
    target_domain = clean_domain("targetDomain", target_domain)
    if is_portals_own(ingress):
        raise InvalidInput("ingress", "is a name of the gateway itself. Choose a domain of the account's own.")
    _refuse_anothers(ingress, tenant_id)
    answer = look_up(ingress)
    status = IngressDomain.Status.VERIFIED if answer.cname == target_domain else IngressDomain.Status.PENDING
    kept = IngressDomain.objects.verified().filter(tenant_id=tenant_id, ingress=ingress, target_domain=target_domain)
    if answer.outcome is DnsOutcome.NO_ANSWER and (domain := kept.first()):
        return RoutingCheck(domain, answer)
    new: dict[str, Any] = {
        "refusals": 0,
        "ingress": ingress,
        "target_domain": target_domain,
        "status": status,
        "checked_at": timezone.now(),
    }
    try:
        return RoutingCheck(_store(principal, tenant_id, new), answer)
    except IntegrityError:  # another account was verified a moment ago
        _refuse_anothers(ingress, tenant_id)
        raise


@transaction.atomic
def _store(principal: Principal, tenant_id: str, new: dict[str, Any]) -> IngressDomain:
    tenant = get_tenant(principal, tenant_id, Action.EDIT_SETTINGS, lock=True)
    before = IngressDomain.objects.filter(tenant=tenant).first()
    if before and before.status == IngressDomain.Status.VERIFIED and before.ingress == new["ingress"]:
        new["served_until"] = timezone.now() + SERVED_AFTERWARDS
    if new["status"] == IngressDomain.Status.VERIFIED or (before and before.ingress != new["ingress"]):
        new["served_until"] = None
    domain, _created = IngressDomain.objects.update_or_create(tenant=tenant, defaults=new)
    changes = _changes(before, domain)
    if changes:
        record(principal, SET_DATA_ROUTING, domain.ingress, tenant=tenant, changes=changes)
    return domain


def _refuse_anothers(ingress: str, tenant_id: str) -> None:
    """A domain is one account's: the one in which it was verified first."""
    if IngressDomain.objects.verified().filter(ingress=ingress).exclude(tenant_id=tenant_id).exists():
        raise InvalidInput("ingress", "is verified in another account. A domain can serve one account only.")


def _changes(before: IngressDomain | None, after: IngressDomain) -> Changes:
    """What differs; a check that finds everything as it was is no change.

    The names are not the API's: older entries have those, the other way round.
    """
    pairs = {
        "ownDomain": [before and before.ingress, after.ingress],
        "gateway": [before and before.target_domain, after.target_domain],
        "status": [before and str(before.status), str(after.status)],
    }
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}

"""What Meta shall know of a pixel: where its browsers are to post, and what shall not leave them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import msgspec

from accounts.models import TenantStatus
from accounts.services.routing import address_of, gateway_domain
from filters.matching import FilterSet, covering
from pixels.models import Pixel


@dataclass(frozen=True, slots=True)
class Wanted:
    """The fields of the pixel's configuration, and of which business it is."""

    business_id: str
    fields: dict[str, Any]

    @property
    def endpoint(self) -> str:
        """Where browsers are to post."""
        return str(self.fields["endpoint"])

    @property
    def digest(self) -> str:
        """Two are the same where Meta need not be told anew."""
        return hashlib.sha256(msgspec.json.encode([self.business_id, self.fields])).hexdigest()


def wanted_of(pixel: Pixel, filters: FilterSet, instance_id: str) -> Wanted:
    """What Meta shall know now of the pixel, which comes with its account: one query."""
    return Wanted(
        pixel.business_id,
        {
            "pixel_id": pixel.pixel_id,
            "instance_id": instance_id,
            "endpoint": address_of(pixel.tenant),
            "fallback_domain": gateway_domain(),
            "active": takes_browsers(pixel),
            "capi_publishing_state": "ENABLED" if pixel.publishing_enabled else "DISABLED",
            "event_enrichment_state": "YES" if pixel.tenant.event_enrichment else "NO",
            "blocked_event_types": blocked_event_names(filters),
            "blocked_websites": blocked_websites(filters),
        },
    )


def takes_browsers(pixel: Pixel) -> bool:
    """Does the gateway take anything that browsers post for the pixel?"""
    is_deactivated = pixel.tenant.status == TenantStatus.DEACTIVATED
    return pixel.event_bridge_active and pixel.is_open_to_browsers and not is_deactivated


def blocked_event_names(filters: FilterSet) -> list[str]:
    """The event names that the pixel drops."""
    return sorted(rule.name for rule in filters.events.values() if rule.drops)


def blocked_websites(filters: FilterSet) -> list[str]:
    """The websites of which the pixel drops everything, subdomains included.

    A blocked domain of which a subdomain is permitted is not among them: Meta cannot be told of the exception, and
    would keep its events in the browser. The gateway drops what it drops all the same.
    """
    blocked = _blocked(filters) - set(left_to_gateway(filters))
    # A domain covers its subdomains.
    return sorted(name for name in blocked if blocked.isdisjoint(list(covering(name))[1:]))


def left_to_gateway(filters: FilterSet) -> list[str]:
    """The blocked domains of which a subdomain is permitted."""
    around = {domain for rule in filters.domains.values() if not rule.drops for domain in covering(rule.name)}
    return sorted(_blocked(filters) & around)


def _blocked(filters: FilterSet) -> set[str]:
    return {rule.name for rule in filters.domains.values() if rule.drops}

"""What the script in visitors' browsers is served with: where events go, and what shall not leave the browser.

Anybody can read it: it holds no secret. ``pixel/src/types.ts`` has the same names.
"""

from __future__ import annotations

import hashlib
from typing import Literal

import msgspec
from django.db.models import Q

from accounts.services.routing import address_of
from events.models import Registration
from events.registration.wanted import blocked_event_names, takes_browsers
from filters.matching import FilterSet, Kind
from filters.reads import load_filter_set, rules_of
from pipelines.data_filters import expression_of
from pipelines.models import Source, SourceType
from pixels.models import Pixel

#: The sources that a page can have.
IN_PAGES = (SourceType.ADVERTISER_HOSTED_PIXEL, SourceType.ADVERTISER_HOSTED_SDK)
#: An account may have 10,000 filters, and every visitor would load them. Beyond so many names the gateway drops alone.
MAX_NAMES = 500


class Configuration(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One id on a page."""

    id: str
    kind: Literal["mirror", "source"]
    endpoint: str
    active: bool
    blocked_events: list[str]
    websites: dict[str, bool]
    listed: list[str]
    cookies: bool
    form_fields: list[str]
    hashes: bool
    forks: bool
    #: Changes with the advertiser's own filter; empty where there is none.
    filter: str
    registered: bool


def mirror_of(pixel: Pixel) -> Configuration:
    """A mirror for a Meta Pixel, which comes with its account: three queries."""
    filters = load_filter_set(pixel)
    return Configuration(
        id=pixel.pixel_id,
        kind="mirror",
        endpoint=address_of(pixel.tenant),
        active=takes_browsers(pixel) and pixel.publishing_enabled,
        blocked_events=blocked_event_names(filters)[:MAX_NAMES],
        websites=_websites(filters),
        listed=pixel.browser_websites,
        cookies=True,
        form_fields=[],
        hashes=True,
        forks=True,
        filter="",
        registered=Registration.objects.filter(pixel=pixel, state=Registration.State.REGISTERED).exists(),
    )


def configuration_of(source: Source) -> Configuration:
    """A gateway source, which comes with its account. Account-wide filters hold for it: two queries.

    What a pipeline or a destination blocks may reach another one, so the gateway drops it.
    """
    filters = FilterSet.of((rule for kind in Kind for rule in rules_of(source.tenant_id, kind, Q(pixel=None))), ())
    return Configuration(
        id=source.source_id,
        kind="source",
        endpoint=address_of(source.tenant),
        active=source.enabled and source.active,
        blocked_events=blocked_event_names(filters)[:MAX_NAMES],
        websites=_websites(filters),
        listed=[],
        cookies=source.first_party_cookie,
        form_fields=source.aam_fields if source.enable_aam else [],
        hashes=source.hash_contact_data,
        forks=source.fork_meta_pixel,
        filter=hashlib.sha256(source.custom_integrity_script.encode()).hexdigest()[:16] if has_filter(source) else "",
        registered=False,
    )


def has_filter(source: Source) -> bool:
    """Has the advertiser written a filter for it?"""
    return bool(expression_of(source.custom_integrity_script))


def _websites(filters: FilterSet) -> dict[str, bool]:
    """All domains or none: without an exception, a rule would keep in the browser what may leave it."""
    drops = {name: rule.drops for name, rule in sorted(filters.domains.items())}
    return drops if len(drops) <= MAX_NAMES else {}

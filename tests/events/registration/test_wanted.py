"""What of an account's filters Meta can be told."""

from __future__ import annotations

import pytest
from facebook_business.adobjects.openbridgeconfiguration import OpenBridgeConfiguration

from events.registration.wanted import blocked_event_names, blocked_websites, takes_browsers, wanted_of
from filters.matching import FilterSet, Kind, Rule
from tests.factories import PixelFactory


def _filters(**states: bool) -> FilterSet:
    """Domain filters by name, whose dots are written ``_``: True drops."""
    return FilterSet.of([Rule(Kind.DOMAIN, name.replace("_", "."), None, drops) for name, drops in states.items()], [])


def test_a_blocked_domain_is_told() -> None:
    assert blocked_websites(_filters(shop_com=True, other_com=True)) == ["other.com", "shop.com"]


def test_a_permitted_domain_is_none_of_them() -> None:
    assert blocked_websites(_filters(shop_com=False)) == []


def test_of_domains_within_each_other_the_widest_is_told() -> None:
    assert blocked_websites(_filters(shop_com=True, a_shop_com=True, b_a_shop_com=True)) == ["shop.com"]


def test_a_domain_with_an_exception_is_left_to_the_gateway() -> None:
    """Meta would keep the exception's events in the browser, too."""
    assert blocked_websites(_filters(shop_com=True, a_shop_com=False)) == []


def test_what_is_blocked_within_an_exception_is_told() -> None:
    filters = _filters(shop_com=True, a_shop_com=False, b_a_shop_com=True, c_shop_com=True)

    assert blocked_websites(filters) == ["b.a.shop.com", "c.shop.com"]


@pytest.mark.parametrize("host", ["shop.com", "x.shop.com", "a.shop.com", "b.a.shop.com", "c.shop.com", "com"])
def test_nothing_is_told_that_the_gateway_would_publish(host: str) -> None:
    filters = _filters(shop_com=True, a_shop_com=False, b_a_shop_com=True, c_shop_com=True)

    is_told = any(f".{host}".endswith(f".{name}") for name in blocked_websites(filters))

    assert not is_told or filters.dropped_by("Lead", host) is not None


def test_an_event_name_is_told_unless_the_pixels_own_filter_permits_it() -> None:
    account = [Rule(Kind.EVENT, "Lead", None, drops=True), Rule(Kind.EVENT, "Search", None, drops=True)]
    own = [Rule(Kind.EVENT, "Lead", "17", drops=False), Rule(Kind.EVENT, "AddToCart", "17", drops=True)]

    assert blocked_event_names(FilterSet.of(account, own)) == ["AddToCart", "Search"]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("required", "allowed", "active"), [(False, False, True), (True, False, False), (True, True, True)]
)
def test_a_pixel_that_browsers_may_not_send_to_is_not_active(required: bool, allowed: bool, active: bool) -> None:
    pixel = PixelFactory.build(
        tenant=PixelFactory.create().tenant, require_access_key=required, browsers_need_no_key=allowed
    )

    assert takes_browsers(pixel) is active


@pytest.mark.django_db
def test_metas_own_client_knows_each_field_and_value() -> None:
    fields = wanted_of(PixelFactory.create(), FilterSet.of([], []), "instance").fields
    known = {name: value for name, value in vars(OpenBridgeConfiguration.Field).items() if not name.startswith("_")}

    assert set(fields) <= set(known.values())
    assert fields["capi_publishing_state"] in vars(OpenBridgeConfiguration.CapiPublishingState).values()
    assert fields["event_enrichment_state"] in vars(OpenBridgeConfiguration.EventEnrichmentState).values()

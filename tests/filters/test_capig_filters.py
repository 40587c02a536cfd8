"""Filters through POST /capig/graphql/, and as whoever publishes events reads them."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from filters.models import DomainFilter, EventFilter
from filters.reads import load_filter_set
from pixels.models import Pixel
from tests.base import Cast
from tests.factories import DomainFilterFactory, EventFilterFactory, PixelFactory
from tests.operations import run


@pytest.fixture
def pixels(cast: Cast) -> list[Pixel]:
    """The pixels 1 and 2 of Shoes."""
    return [PixelFactory.create(tenant=cast.shoes, pixel_id=str(number)) for number in (1, 2)]


@pytest.mark.usefixtures("pixels")
def test_an_update_answers_with_the_filter(cast: Cast) -> None:
    given = {"eventName": "Add to cart", "pixelIds": ["1"], "filterState": "DROP"}

    answer = run(cast.max, "updateEventFilter", tenantId=cast.shoes.pk, input=given)

    assert answer.data["tenantMutations"]["updateEventFilter"]["updatedFilter"] == {
        "id": "EventFilter:Add to cart:1",
        "eventName": "Add to cart",
        "pixelId": "1",
        "filterState": "DROP",
    }


@pytest.mark.usefixtures("pixels")
def test_pixels_that_differ_are_mixed(cast: Cast) -> None:
    PixelFactory.create(tenant=cast.shoes)
    given = {"domain": "Example.COM", "pixelIds": ["1", "2"], "filterState": "DROP"}

    answer = run(cast.robot, "updateDomainFilter", tenantId=cast.shoes.pk, input=given)

    assert answer.data["tenantMutations"]["updateDomainFilter"]["updatedFilter"] == {
        "id": "DomainFilter:example.com:global",
        "domain": "example.com",
        "pixelId": None,
        "filterState": "MIXED",
    }


def test_mixed_cannot_be_set(cast: Cast) -> None:
    given = {"eventName": "Lead", "filterState": "MIXED"}

    answer = run(cast.max, "updateEventFilter", tenantId=cast.shoes.pk, input=given)

    assert answer.refused(400)
    assert answer.errors[0]["extensions"]["field"] == "filterState"
    assert not EventFilter.objects.exists()


def test_filters_are_listed_as_they_stand_by_name_the_account_wide_one_first(cast: Cast, pixels: list[Pixel]) -> None:
    EventFilterFactory.create(pixel=pixels[1], event_name="Lead")
    EventFilterFactory.create(pixel=pixels[0], event_name="Lead", state="PUBLISH")
    EventFilterFactory.create(tenant=cast.shoes, event_name="Lead")
    EventFilterFactory.create(tenant=cast.shoes, event_name="Contact")
    EventFilterFactory.create(tenant=cast.other)

    rows = run(cast.vic, "eventFilters", tenantId=cast.shoes.pk).data["tenantQueries"]["eventFilters"]

    assert [(row["id"], row["eventName"], row["pixelId"], row["filterState"]) for row in rows] == [
        ("EventFilter:Contact:global", "Contact", None, "DROP"),
        ("EventFilter:Lead:global", "Lead", None, "DROP"),
        ("EventFilter:Lead:1", "Lead", "1", "PUBLISH"),
        ("EventFilter:Lead:2", "Lead", "2", "DROP"),
    ]


def test_naming_pixels_leaves_out_the_exceptions_of_others(cast: Cast, pixels: list[Pixel]) -> None:
    DomainFilterFactory.create(tenant=cast.shoes, domain="example.com")
    for pixel in pixels:
        DomainFilterFactory.create(pixel=pixel, domain="example.com")

    def ids(**variables: Any) -> list[str]:
        answer = run(cast.vic, "domainFilters", tenantId=cast.shoes.pk, **variables)
        return [
            row["id"].removeprefix("DomainFilter:example.com:") for row in answer.data["tenantQueries"]["domainFilters"]
        ]

    assert ids() == ids(pixelIds=None) == ids(pixelIds=[]) == ["global", "1", "2"]
    assert ids(pixelIds=["2", "2"]) == ["global", "2"]


@pytest.mark.usefixtures("pixels")
@pytest.mark.parametrize("operation", ["eventFilters", "domainFilters"])
def test_an_unknown_pixel_refuses_the_question(cast: Cast, operation: str) -> None:
    foreign = PixelFactory.create(tenant=cast.other)

    assert run(cast.vic, operation, tenantId=cast.shoes.pk, pixelIds=["1", foreign.pixel_id]).refused(400)


def test_listing_takes_as_many_queries_for_many_as_for_few(cast: Cast, pixels: list[Pixel]) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert run(cast.robot, "eventFilters", tenantId=cast.shoes.pk, pixelIds=["1"]).status == 200
        return len(captured)

    EventFilterFactory.create(tenant=cast.shoes)
    few = queries()
    EventFilterFactory.create_batch(10, tenant=cast.shoes)
    EventFilterFactory.create_batch(10, pixel=pixels[0])
    assert queries() == few


def test_a_pixel_is_decided_about_by_its_accounts_filters_and_its_own(cast: Cast, pixels: list[Pixel]) -> None:
    first, second = pixels
    EventFilterFactory.create(tenant=cast.shoes, event_name="Lead")
    EventFilterFactory.create(pixel=second, event_name="Lead", state="PUBLISH")
    DomainFilterFactory.create(pixel=second, domain="example.com")
    EventFilterFactory.create(tenant=cast.other, event_name="Purchase")

    assert load_filter_set(first).dropped_by("Lead", "example.com")
    assert load_filter_set(first).dropped_by("Purchase", "example.com") is None
    dropped_by = load_filter_set(second).dropped_by("Lead", "www.example.com")
    assert dropped_by
    assert dropped_by.id == "DomainFilter:example.com:2"


@pytest.mark.parametrize("make", [EventFilterFactory.create, DomainFilterFactory.create])
@pytest.mark.parametrize("scope", ["account", "pixel"])
def test_the_database_keeps_one_filter_for_each_name_and_scope(
    cast: Cast, pixels: list[Pixel], make: Any, scope: str
) -> None:
    where = {"tenant": cast.shoes, "pixel": pixels[0] if scope == "pixel" else None}
    first = make(**where)
    name = {first.name_field: getattr(first, first.name_field)}

    with pytest.raises(IntegrityError), transaction.atomic():
        make(**where, **name)
    assert make(**where | {"pixel": pixels[1]}, **name)


@pytest.mark.parametrize("model", [EventFilter, DomainFilter])
def test_the_database_refuses_states_and_names_that_are_none(cast: Cast, model: Any) -> None:
    for wrong in ({"state": "MIXED", model.name_field: "x"}, {"state": "DROP", model.name_field: ""}):
        with pytest.raises(IntegrityError), transaction.atomic():
            model.objects.create(tenant=cast.shoes, **wrong)

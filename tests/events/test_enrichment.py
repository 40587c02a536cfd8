"""Completing events: the click id of the page's address, and identifiers that the visitor has given before."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.principals import principal_of_api_account
from accounts.services.tenants import delete_tenant, update_tenant
from events.delivery.batches import Event, OutboxRecord, decode_rows
from events.delivery.enrichment import IDENTIFIERS, enrich
from events.models import Identity
from pixels.models import Pixel
from tests.base import Cast
from tests.events.sending import purchase
from tests.factories import PixelFactory

pytestmark = pytest.mark.django_db

EMAIL, PHONE, NAME = "a" * 64, "b" * 64, "c" * 64
FBP = "fb.1.1596403881668.1116446470"


@pytest.fixture
def pixel(cast: Cast) -> Pixel:
    cast.shoes.event_enrichment = True
    cast.shoes.save()
    return PixelFactory.create(tenant=cast.shoes)


def enriched(pixel: Pixel, *users: dict[str, Any], **fields: Any) -> list[dict[str, Any]]:
    """What becomes of the ``user_data`` of a batch of events."""
    events = batch(*[purchase(user_data=dict(user), **fields) for user in users])
    enrich(pixel, events)
    return [event["user_data"] for event in sent(events)]


def batch(*events: dict[str, Any]) -> list[Event]:
    """Events that wait."""
    return decode_rows([OutboxRecord(1, timezone.now(), 0, False, "", len(events), json.dumps(events).encode())])


def sent(events: list[Event]) -> list[dict[str, Any]]:
    """What Meta will see."""
    return [json.loads(event.enriched or bytes(event.raw)) for event in events]


# --- Click ids -------------------------------------------------------------------------------------------------------


def test_the_click_id_comes_from_the_address(pixel: Pixel) -> None:
    """As Meta's page tells: fb.1.<milliseconds>.<fbclid>, the click id to the letter."""
    url = "https://shop.example.com/?a=1&fbclid=IwAR2F4-dbP0l7Mn1IawQQGCINEz7PYXQvwjNwB_qa2ofrHyiLjcbCRxTDGrc#top"

    (user_data,) = enriched(pixel, {"em": EMAIL}, event_source_url=url, event_time=1_790_000_000)

    assert user_data["fbc"] == "fb.1.1790000000000.IwAR2F4-dbP0l7Mn1IawQQGCINEz7PYXQvwjNwB_qa2ofrHyiLjcbCRxTDGrc"


def test_an_events_own_click_id_stays(pixel: Pixel) -> None:
    (user_data,) = enriched(pixel, {"fbc": "fb.1.1.own"}, event_source_url="https://example.com/?fbclid=other")

    assert user_data == {"fbc": "fb.1.1.own"}


@pytest.mark.parametrize("unusable", ["", "fb.1.1.", "fb.1.1.undefined", "IwAR2F4", "null", 7, ["fb.1.1.own"]])
def test_a_click_id_that_meta_cannot_use_is_made_anew(pixel: Pixel, unusable: Any) -> None:
    (user_data,) = enriched(pixel, {"fbc": unusable}, event_source_url="https://example.com/?fbclid=other")

    assert user_data["fbc"].endswith("000.other")


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/",
        "https://example.com/?fbclid=",
        "https://example.com/?fbclid=a%20b",
        "https://example.com/?fbclid=undefined",
        "https://example.com/?fbclid=<script>",
        "https://example.com/?fbclid=" + "x" * 501,
        "https://example.com/fbclid=abc",
        "https://example.com/#?fbclid=abc",
        "https://example.com/?xfbclid=abc",
        "https://[bad/?fbclid=abc",
        4711,
        {"fbclid=": 1},
    ],
)
def test_an_address_without_a_click_id_gives_none(pixel: Pixel, url: Any) -> None:
    assert enriched(pixel, {"em": EMAIL}, event_source_url=url) == [{"em": EMAIL}]


# --- Visitors who come again -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("visitor", [{"fbp": FBP}, {"external_id": "u1"}, {"external_id": ["u0", "u1"]}])
def test_a_visitor_who_comes_again_is_completed(pixel: Pixel, visitor: dict[str, Any]) -> None:
    known = {identifier: [f"{number}" * 64] for number, identifier in enumerate(IDENTIFIERS)}
    enriched(pixel, visitor | known)

    assert enriched(pixel, visitor) == [visitor | known]


def test_an_event_completes_those_behind_it_in_the_same_batch(pixel: Pixel) -> None:
    first, _, third = enriched(pixel, {"fbp": FBP}, {"fbp": FBP, "em": EMAIL}, {"fbp": FBP})

    assert first == {"fbp": FBP}
    assert third == {"fbp": FBP, "em": [EMAIL]}


def test_what_an_event_says_itself_stays(pixel: Pixel) -> None:
    enriched(pixel, {"fbp": FBP, "em": EMAIL, "fn": NAME})

    assert enriched(pixel, {"fbp": FBP, "fn": "d" * 64}) == [{"fbp": FBP, "fn": "d" * 64, "em": [EMAIL]}]


def test_what_a_visitor_gives_anew_replaces_the_earlier(pixel: Pixel) -> None:
    enriched(pixel, {"fbp": FBP, "em": EMAIL, "fn": NAME})
    enriched(pixel, {"fbp": FBP, "em": EMAIL, "fn": "d" * 64})

    assert enriched(pixel, {"fbp": FBP}) == [{"fbp": FBP, "em": [EMAIL], "fn": ["d" * 64]}]


def test_the_shops_own_id_is_believed_before_the_browsers(pixel: Pixel) -> None:
    enriched(pixel, {"fbp": FBP, "em": EMAIL}, {"external_id": "u1", "em": NAME})

    (user_data,) = enriched(pixel, {"fbp": FBP, "external_id": "u1"})

    assert user_data["em"] == [NAME]


def test_an_external_id_completes_what_the_browser_lacks(pixel: Pixel) -> None:
    enriched(pixel, {"fbp": FBP, "ph": PHONE, "fn": NAME}, {"external_id": "u1", "em": EMAIL, "ph": PHONE})

    (user_data,) = enriched(pixel, {"fbp": FBP, "external_id": "u1"})

    assert (user_data["em"], user_data["fn"]) == ([EMAIL], [NAME])


def test_a_number_is_the_same_visitor_as_its_text(pixel: Pixel) -> None:
    enriched(pixel, {"external_id": 17, "em": EMAIL})

    assert enriched(pixel, {"external_id": "17"}) == [{"external_id": "17", "em": [EMAIL]}]


def test_an_external_id_is_no_fbp(pixel: Pixel) -> None:
    enriched(pixel, {"external_id": FBP, "em": EMAIL})

    assert enriched(pixel, {"fbp": FBP}) == [{"fbp": FBP}]


def test_a_visitor_without_a_name_is_not_remembered(pixel: Pixel) -> None:
    enriched(pixel, {"em": EMAIL}, {"fbp": "", "em": EMAIL}, {"external_id": None, "em": EMAIL})

    assert not Identity.objects.exists()


@pytest.mark.parametrize("value", [True, 1.5, {"a": 1}, [], [None, [], {}], None])
def test_whatever_stands_in_the_place_of_an_id_does_no_harm(pixel: Pixel, value: Any) -> None:
    before = {"fbp": value, "external_id": value, "em": EMAIL, "ph": value}

    assert enriched(pixel, before) == [before]


def test_neither_ids_nor_more_hashes_than_anybody_has_are_kept(pixel: Pixel) -> None:
    enriched(pixel, {"fbp": FBP, "em": [f"{number:064x}" for number in range(1000)], "external_id": ["u"] * 1000})

    rows = list(Identity.objects.values())
    assert len(rows) == 2
    assert all(len(row["identifiers"]["em"]) == 5 for row in rows)
    assert FBP not in json.dumps(rows, default=str)


# --- Borders and time ------------------------------------------------------------------------------------------------


def test_another_pixel_knows_nothing_of_it(pixel: Pixel) -> None:
    enriched(pixel, {"fbp": FBP, "external_id": "u1", "em": EMAIL})
    sibling = PixelFactory.create(tenant=pixel.tenant)
    stranger = PixelFactory.create(tenant__event_enrichment=True)

    for other in (sibling, stranger):
        assert enriched(other, {"fbp": FBP, "external_id": "u1"}) == [{"fbp": FBP, "external_id": "u1"}]


def test_what_is_remembered_ends_after_90_days(pixel: Pixel) -> None:
    enriched(pixel, {"fbp": FBP, "em": EMAIL})
    now = timezone.now()

    with time_machine.travel(now + timedelta(days=89)):
        assert enriched(pixel, {"fbp": FBP}) == [{"fbp": FBP, "em": [EMAIL]}]
    with time_machine.travel(now + timedelta(days=90, minutes=1)):
        assert enriched(pixel, {"fbp": FBP}) == [{"fbp": FBP}]


def test_whoever_gives_it_again_is_remembered_for_longer(pixel: Pixel) -> None:
    enriched(pixel, {"fbp": FBP, "em": EMAIL})
    now = timezone.now()

    with time_machine.travel(now + timedelta(days=60)):
        enriched(pixel, {"fbp": FBP, "em": EMAIL})
    with time_machine.travel(now + timedelta(days=100)):
        assert enriched(pixel, {"fbp": FBP}) == [{"fbp": FBP, "em": [EMAIL]}]


def test_the_switch_deletes_what_is_remembered(cast: Cast, pixel: Pixel) -> None:
    elsewhere = PixelFactory.create(tenant__event_enrichment=True)
    for one in (pixel, elsewhere):
        enriched(one, {"fbp": FBP, "em": EMAIL})
    robot = principal_of_api_account(cast.robot)

    update_tenant(principal=robot, tenant_id=cast.shoes.pk, name="Boots")
    assert Identity.objects.count() == 2
    update_tenant(principal=robot, tenant_id=cast.shoes.pk, event_enrichment=False)

    assert [identity.pixel for identity in Identity.objects.all()] == [elsewhere]


def test_a_worker_that_does_not_know_of_the_switch_yet_remembers_nothing(cast: Cast, pixel: Pixel) -> None:
    enriched(pixel, {"fbp": FBP, "em": EMAIL})
    robot = principal_of_api_account(cast.robot)
    update_tenant(principal=robot, tenant_id=cast.shoes.pk, event_enrichment=False)

    enriched(pixel, {"fbp": FBP, "em": EMAIL})

    assert not Identity.objects.exists()


def test_with_the_pixel_goes_what_is_remembered(pixel: Pixel) -> None:
    enriched(pixel, {"fbp": FBP, "em": EMAIL})

    pixel.delete()

    assert not Identity.objects.exists()


def test_with_the_account_goes_what_is_remembered(cast: Cast, pixel: Pixel) -> None:
    enriched(pixel, {"fbp": FBP, "em": EMAIL})

    delete_tenant(principal=principal_of_api_account(cast.robot), tenant_id=cast.shoes.pk)

    assert not Identity.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_pixel_that_goes_meanwhile_is_not_remembered() -> None:
    pixel: Pixel = PixelFactory.create(tenant__event_enrichment=True)
    Pixel.objects.all().delete()

    assert enriched(pixel, {"fbp": FBP, "em": EMAIL}) == [{"fbp": FBP, "em": EMAIL}]
    assert not Identity.objects.exists()


# --- Cost ------------------------------------------------------------------------------------------------------------


def test_a_batch_costs_few_statements(pixel: Pixel, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    users = [{"fbp": f"fb.1.1.{number}", "external_id": f"u{number}", "em": EMAIL} for number in range(100)]

    with django_assert_num_queries(5):  # SELECT; BEGIN, the account's lock, INSERT, COMMIT
        enriched(pixel, *users)
    with django_assert_num_queries(1):  # nothing new
        enriched(pixel, *users)
    with django_assert_num_queries(0):
        enriched(pixel, {"em": EMAIL})


def test_a_second_attempt_to_publish_changes_nothing(pixel: Pixel) -> None:
    url = "https://shop.example.com/?fbclid=abc"
    enriched(pixel, {"fbp": FBP, "em": EMAIL})
    event = purchase(user_data={"fbp": FBP}, event_source_url=url)
    first, second = batch(event), batch(event)
    enrich(pixel, first)

    enrich(pixel, second)

    assert sent(second) == sent(first) != [event]


def test_an_event_to_which_nothing_is_added_stays_to_the_letter(pixel: Pixel) -> None:
    known, unknown = batch(
        purchase(user_data={"fbp": FBP, "em": EMAIL}), purchase(user_data={"client_ip_address": "1"})
    )

    enrich(pixel, [known, unknown])

    assert not known.enriched
    assert not unknown.enriched


def test_what_is_added_leaves_the_rest_to_the_letter(pixel: Pixel) -> None:
    enriched(pixel, {"fbp": FBP, "em": EMAIL})
    text = f'{{"event_name":"Lead","event_id":"1","event_time":1.7e9,"x":[1.50, null],"user_data":{{"fbp":"{FBP}"}}}}'
    (event,) = decode_rows([OutboxRecord(1, timezone.now(), 0, False, "", 1, f"[{text}]".encode())])

    enrich(pixel, [event])

    assert event.enriched.startswith(b'{"event_name":"Lead","event_id":"1","event_time":1.7e9,"x":[1.50, null],')
    assert json.loads(event.enriched)["user_data"] == {"fbp": FBP, "em": [EMAIL]}


@pytest.fixture
def _few_parameters() -> Iterator[None]:
    """What SQLite allows in a statement as it comes; a build may allow more."""
    if connection.vendor != "sqlite":
        yield
        return
    connection.ensure_connection()
    before = connection.connection.setlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER, 32_766)
    yield
    connection.connection.setlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER, before)


@pytest.mark.usefixtures("_few_parameters")
def test_a_batch_may_name_more_visitors_than_a_statement_has_parameters(pixel: Pixel) -> None:
    visitors = [{"external_id": [f"{event}-{number}" for number in range(5)], "em": EMAIL} for event in range(7_000)]

    enriched(pixel, *visitors)
    (user_data,) = enriched(pixel, {"external_id": ["6999-4"]})

    assert user_data["em"] == [EMAIL]

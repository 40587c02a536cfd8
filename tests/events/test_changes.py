"""What the gateway changed of an event stays with it, by field: while it waits, is refused, sent again, and logged."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.utils import timezone

from accounts.principals import principal_of_user
from events.changes import FILLED, FROM_ADDRESS, MORE, MOST, REMEMBERED, Change, read, write
from events.delivery.batches import Event, OutboxRecord
from events.delivery.entries import Wanted
from events.delivery.publishing import drain
from events.delivery.reads import list_deliveries
from events.delivery.services import replay_dead_letter
from events.intake import outbox
from events.intake.left_out import Reason
from events.intake.notes import Notes
from events.intake.outbox import NewRow
from events.models import DeadLetter, OutboxRow, SourceRow
from events.sandbox import Sandbox
from pixels.models import Pixel
from tests.base import Cast, graphql
from tests.events.browser_posting import page_view
from tests.events.browser_posting import post as post_from_browser
from tests.events.gateway.stage import source_of
from tests.events.logged import logged
from tests.events.outbox import again, answers
from tests.events.sending import EMAIL_HASH, purchase, send
from tests.factories import PixelFactory
from tests.pages import see

pytestmark = pytest.mark.django_db

NO_PHONE = Change("user_data.ph", Reason.NO_PHONE.value)
NO_EMAIL = Change("user_data.em", Reason.NO_EMAIL.value)
PHONE, EMAIL = {"em": [EMAIL_HASH], "ph": "call me"}, {"em": "nobody", "fbp": "fb.1.1700000000000.1234567890"}
AGENT = {"client_user_agent": "Mozilla/5.0"}


@pytest.fixture
def pixel(cast: Cast, sandbox: Sandbox) -> Pixel:
    return PixelFactory.create(tenant=cast.shoes)


def order(event_id: str, user_data: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    return purchase(event_id=event_id, user_data={**AGENT, **(user_data or {"em": [EMAIL_HASH]})}, **changes)


def told(pixel: Pixel) -> dict[str, tuple[Change, ...]]:
    """Of each event of the log what was changed; the oldest first."""
    return {line.event_id: line.changes for line in logged(pixel)}


def test_what_was_left_out_and_filled_in_is_in_the_log_by_event(pixel: Pixel) -> None:
    event = {**order("filled", {"em": "nobody", **AGENT}), "action_source": ""}
    send(pixel, order("phone", PHONE), order("whole"), event)
    drain(pixel.pk)
    assert told(pixel) == {
        "phone": (NO_PHONE,),
        "whole": (),
        "filled": (Change("action_source", FILLED), NO_EMAIL),
    }


def test_most_requests_have_none_and_their_columns_are_null(pixel: Pixel) -> None:
    send(pixel, order("whole"))
    assert OutboxRow.objects.get().changes is None
    drain(pixel.pk)
    assert told(pixel) == {"whole": ()}


def test_what_is_of_the_request_is_of_no_event(pixel: Pixel) -> None:
    reply = send(pixel, order("whole"), partner_agent="a" * 600)
    assert reply.body["messages"]
    assert OutboxRow.objects.get().changes is None


def test_an_event_of_a_browser(pixel: Pixel) -> None:
    post_from_browser(page_view(pixel, event_id="view", fb__advanced_matching={"em": "nobody"}, custom_data=[1]))
    drain(pixel.pk)
    assert told(pixel) == {"view": (Change("custom_data", Reason.NO_OBJECT.value), NO_EMAIL)}


def test_events_that_wait_keep_theirs_when_others_of_their_request_are_gone(pixel: Pixel, sandbox: Sandbox) -> None:
    """The first is refused, the others wait; then they are sent."""
    answers(sandbox, 100, 100, 100, 2)
    send(pixel, order("a", EMAIL), order("b"), order("c", PHONE))
    drain(pixel.pk)
    letter, row = DeadLetter.objects.get(), OutboxRow.objects.get()
    assert read(letter.changes or "", 1).of(0) == [NO_EMAIL]
    assert letter.event_id == "a"
    assert [read(row.changes or "", 2).of(index) for index in range(2)] == [(), [NO_PHONE]]
    waits = list_deliveries(pixel.tenant, pixel.pixel_id, Wanted(event_id="c")).rows
    assert [entry.changes for entry in waits] == [(NO_PHONE,)]
    again(pixel)
    assert told(pixel) == {"a": (NO_EMAIL,), "b": (), "c": (NO_PHONE,)}


def test_an_event_that_is_sent_again_keeps_them(cast: Cast, pixel: Pixel, sandbox: Sandbox) -> None:
    answers(sandbox, 100)
    send(pixel, order("order-1", PHONE))
    drain(pixel.pk)
    letter = str(DeadLetter.objects.get().pk)
    replay_dead_letter(principal=principal_of_user(cast.max), tenant_id=pixel.tenant_id, dead_letter_id=letter)
    drain(pixel.pk)
    assert [(line.outcome.value, line.changes) for line in logged(pixel)] == [
        ("FAILED", (NO_PHONE,)),
        ("PUBLISHED", (NO_PHONE,)),
    ]


def test_a_row_from_which_the_release_before_took_events_tells_nothing(pixel: Pixel) -> None:
    """It leaves the column as it is: the places would be those of other events."""
    send(pixel, order("a", EMAIL), order("b"), order("c", PHONE))
    row = OutboxRow.objects.get()
    OutboxRow.objects.update(event_count=2, body=json.dumps(json.loads(bytes(row.body))[1:]).encode())
    drain(pixel.pk)
    assert told(pixel) == {"b": (), "c": ()}


@pytest.mark.parametrize("damaged", ["", "x", "[]", "[[],[1]]", "[[],[-1]]", '[[["a"]],[1]]', '[[[["a"]]],1]', "{}"])
def test_what_cannot_be_read_holds_no_event_up(pixel: Pixel, damaged: str) -> None:
    send(pixel, order("a", EMAIL))
    OutboxRow.objects.update(changes=damaged)
    drain(pixel.pk)
    assert told(pixel) == {"a": ()}


def test_what_completes_an_event_is_told(cast: Cast, pixel: Pixel) -> None:
    cast.shoes.event_enrichment = True
    cast.shoes.save()
    pixel.refresh_from_db()
    send(pixel, order("first", {"em": [EMAIL_HASH], "external_id": "7"}))
    url = "https://shop.example.com/?fbclid=IwAR0AbCdEf-123"
    send(pixel, order("second", {"external_id": "7", "country": "Atlantis"}, event_source_url=url))
    drain(pixel.pk)
    assert set(told(pixel)["second"]) == {
        Change("user_data.country", Reason.NO_COUNTRY.value),
        Change("user_data.em", REMEMBERED),
        Change("user_data.fbc", FROM_ADDRESS),
    }


def test_what_the_address_of_the_page_gave_is_not_told_as_the_visitors(cast: Cast, pixel: Pixel) -> None:
    cast.shoes.event_enrichment = True
    cast.shoes.save()
    send(pixel, order("order-1", event_source_url="https://shop.example.com/?fbclid=IwAR0AbCdEf-123"))
    drain(pixel.pk)
    page = see(cast.vic, "events:delivery", cast.shoes, id="order-1")
    assert "user_data.fbc It was made of the click id in the page's address." in page
    assert "what the visitor had given before" not in page


@pytest.mark.django_db(transaction=True)
def test_rows_with_and_without_share_a_statement() -> None:
    pixel: Pixel = PixelFactory.create()
    source = source_of()
    changes = write([[NO_PHONE]])
    for owner, is_source in ((pixel.pk, False), (source.pk, True)):
        row = NewRow(owner, 0, 1, "", b"[{}]", is_source=is_source)
        outbox._insert([row, row._replace(changes=changes)])
    for model in (OutboxRow, SourceRow):
        assert [row.changes for row in model._default_manager.order_by("pk")] == [None, changes]


def test_an_event_has_so_many_and_each_once() -> None:
    notes = Notes()
    notes.of_event(1)
    for number in range(50):
        notes.fill(f"field_{number // 2}", "it")
    stored = notes.changes(3)
    assert stored is not None
    changes = read(stored, 3)
    assert [len(changes.of(index)) for index in range(3)] == [0, MOST, 0]
    assert changes.of(1)[-1] == Change("", MORE)


def test_what_is_changed_again_is_not_more() -> None:
    notes = Notes()
    notes.of_event(0)
    for number in [*range(MOST - 1), 0]:
        notes.fill(f"field_{number}", "it")
    changes = read(notes.changes(1) or "", 1)
    assert [change.code for change in changes.of(0)] == [FILLED] * (MOST - 1)


def test_completed_events_have_no_more_than_that_either() -> None:
    of_intake = [Change(f"field_{number}", FILLED) for number in range(MOST)]
    record = OutboxRecord(1, timezone.now(), 0, False, "", 1, b"[]", 0, write([of_intake]))
    event = Event(record, 0, "Purchase", "order-1", 0, "", completed=(Change("user_data.em", REMEMBERED),))
    assert list(event.changes) == [*of_intake[:-1], Change("", MORE)]
    event.completed = ()
    assert list(event.changes) == of_intake


def test_lists_that_events_have_in_common_are_stored_once() -> None:
    stored = write([[NO_PHONE], [], [NO_PHONE]])
    assert stored == '[[[["user_data.ph","no_phone"]]],[1,0,1]]'
    record = OutboxRecord(1, timezone.now(), 0, False, "", 3, b"[]", 0, stored)
    assert [list(record.changes_of(index)) for index in range(4)] == [[NO_PHONE], [], [NO_PHONE], []]


def test_the_events_own_page_tells_them(cast: Cast, pixel: Pixel) -> None:
    send(pixel, order("order-1", PHONE))
    page = see(cast.vic, "events:delivery", cast.shoes, id="order-1")
    assert "What the gateway changed user_data.ph Left out. It is no telephone number." in page
    drain(pixel.pk)
    assert "user_data.ph Left out." in see(cast.vic, "events:delivery", cast.shoes, id="order-1")


def test_they_are_told_by_road_where_there_are_two(cast: Cast, pixel: Pixel) -> None:
    send(pixel, order("order-1", PHONE, event_name="PageView"))
    post_from_browser(page_view(pixel, event_id="order-1", fb__advanced_matching={"em": "nobody"}))
    page = see(cast.vic, "events:delivery", cast.shoes, id="order-1")
    assert "Server · user_data.ph Left out." in page
    assert "Browser · user_data.em Left out." in page


def test_where_they_came_on_both_roads_it_is_told_of_which_something_was_changed(cast: Cast, pixel: Pixel) -> None:
    send(pixel, order("order-1", PHONE, event_name="PageView"))
    post_from_browser(page_view(pixel, event_id="order-1"))
    assert "Server · user_data.ph Left out." in see(cast.vic, "events:delivery", cast.shoes, id="order-1")


def test_graphql_tells_them(cast: Cast, pixel: Pixel) -> None:
    send(pixel, order("order-1", PHONE), order("order-2"))
    drain(pixel.pk)
    document = """query ($tenantId: ID!) { tenantQueries(tenantId: $tenantId) {
        deliveries { edges { node { eventId changes { field code explanation } } } } } }"""
    answer = graphql(cast.vic, "/capig/graphql/", document, {"tenantId": cast.shoes.pk})
    nodes = [edge["node"] for edge in answer.data["tenantQueries"]["deliveries"]["edges"]]
    explanation = "Left out. It is no telephone number."
    assert {node["eventId"]: node["changes"] for node in nodes} == {
        "order-1": [{"field": "user_data.ph", "code": "no_phone", "explanation": explanation}],
        "order-2": [],
    }

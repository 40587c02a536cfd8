"""Publishing, from a waiting row to the Graph API's stand-in and back."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from events.delivery import publishing
from events.delivery.publishing import drain
from events.models import DeadLetter, Identity, OutboxRow
from events.sandbox import Sandbox
from filters.models import FilterState
from pixels.models import Pixel
from tests.events.logged import logged
from tests.events.outbox import (
    again,
    answers,
    bad_purchase,
    counted,
    is_balanced,
    lane,
    purchase,
    purchases,
    put,
    waiting,
)
from tests.factories import DomainFilterFactory, EventFilterFactory, PixelFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def pixel(sandbox: Sandbox) -> Pixel:
    return PixelFactory.create()


# --- what goes well ---------------------------------------------------------------------------------------------------


def test_waiting_events_reach_meta_in_order_and_are_counted(pixel: Pixel, sandbox: Sandbox) -> None:
    events = purchases(5)
    put(pixel, *events[:2])
    put(pixel, *events[2:])
    assert drain(pixel.pk) is False
    assert sandbox.received == events
    assert [request.event_count for request in sandbox.requests] == [5]
    assert sandbox.requests[0].access_token == pixel.access_token.reveal()
    assert not OutboxRow.objects.exists()
    assert counted(pixel) == {"received": 5, "published": 5}
    assert is_balanced(pixel)
    assert lane(pixel).claim is None


def test_the_pixel_tells_when_it_last_received_and_published(pixel: Pixel) -> None:
    row = put(pixel, purchase())
    put(pixel, purchase(), received_at=row.received_at - timedelta(hours=1))
    before = timezone.now()
    drain(pixel.pk)
    pixel.refresh_from_db()
    assert pixel.last_received == row.received_at
    assert pixel.last_published is not None
    assert before <= pixel.last_published <= timezone.now()
    assert pixel.api_error_code is None


def test_the_delivery_log_tells_what_became_of_each_event(pixel: Pixel) -> None:
    EventFilterFactory.create(tenant=pixel.tenant, event_name="Lead")
    DomainFilterFactory.create(tenant=pixel.tenant, domain="blocked.example")
    good, bad = purchase(), bad_purchase()
    put(pixel, good, purchase(event_name="Lead"), purchase(event_source_url="https://blocked.example/"), bad)
    put(pixel, purchase(), intake=OutboxRow.Intake.RECEIVING_OFF)
    put(pixel, purchase(event_time=int(time.time()) - 8 * 86_400))
    drain(pixel.pk)
    log = logged(pixel)
    told = [(entry.outcome, entry.detail) for entry in log]
    assert told[:3] == [
        ("PUBLISHED", ""),
        ("DROPPED", "Event filter for Lead"),
        ("DROPPED", "Website filter for blocked.example"),
    ]
    assert told[3][0] == "FAILED"
    assert "currency" in told[3][1]
    assert told[4:] == [("DROPPED", "Receiving was off"), ("EXPIRED", "Older than 7 days")]
    assert log[0].trace_id
    assert (log[0].event_id, log[0].event_name, log[0].website) == (good["event_id"], "Purchase", "shop.example.com")
    assert log[0].event_time is not None
    assert log[0].event_time.timestamp() == good["event_time"]
    assert (log[3].code, bool(log[3].trace_id)) == ("100", True)


def test_requests_with_the_same_options_merge_and_others_go_apart(pixel: Pixel, sandbox: Sandbox) -> None:
    for code in ("", "A", "", "A", "B"):
        put(pixel, purchase(), options=f'{{"test_event_code":"{code}"}}' if code else "")
    drain(pixel.pk)
    sent = [(request.options.get("test_event_code"), request.event_count) for request in sandbox.requests]
    assert sent == [(None, 2), ("A", 2), ("B", 1)]
    assert counted(pixel) == {"received": 5, "published": 5}


def test_at_most_a_thousand_events_go_at_once(pixel: Pixel, sandbox: Sandbox) -> None:
    for _ in range(5):
        put(pixel, *purchases(450))
    drain(pixel.pk)
    assert [request.event_count for request in sandbox.requests] == [1_000, 1_000, 250]
    assert counted(pixel) == {"received": 2_250, "published": 2_250}


def test_a_row_with_more_events_than_a_request_takes_is_parted(pixel: Pixel, sandbox: Sandbox) -> None:
    put(pixel, *purchases(1_100))
    drain(pixel.pk)
    assert [request.event_count for request in sandbox.requests] == [1_000, 100]
    assert is_balanced(pixel)


def test_only_what_the_filters_let_through_is_sent(pixel: Pixel, sandbox: Sandbox) -> None:
    EventFilterFactory.create(tenant=pixel.tenant, event_name="Lead")
    EventFilterFactory.create(tenant=pixel.tenant, pixel=pixel, event_name="Lead", state=FilterState.PUBLISH)
    EventFilterFactory.create(tenant=pixel.tenant, event_name="Search")
    lead, other = purchase(event_name="Lead"), purchase()
    put(pixel, lead, purchase(event_name="Search"), other)
    drain(pixel.pk)
    assert sandbox.received == [lead, other]
    assert counted(pixel) == {"received": 3, "dropped_by_event_filter": 1, "published": 2}
    assert is_balanced(pixel)


def test_with_publishing_off_nothing_is_sent(pixel: Pixel, sandbox: Sandbox) -> None:
    Pixel.objects.update(publishing_enabled=False)
    put(pixel, *purchases(2))
    drain(pixel.pk)
    assert not sandbox.requests
    assert counted(pixel) == {"received": 2, "dropped_publishing_off": 2}


def test_what_came_while_receiving_was_off_counts_as_dropped_but_was_not_received_last(
    pixel: Pixel, sandbox: Sandbox
) -> None:
    put(pixel, purchase(), intake=OutboxRow.Intake.RECEIVING_OFF)
    drain(pixel.pk)
    assert not sandbox.requests
    assert counted(pixel) == {"received": 1, "dropped_receiving_off": 1}
    pixel.refresh_from_db()
    assert pixel.last_received is None


def test_events_are_enriched_where_the_account_asks_for_it(pixel: Pixel, sandbox: Sandbox) -> None:
    def visit(**user_data: Any) -> dict[str, Any]:
        return purchase(user_data={"client_user_agent": "Mozilla/5.0", "fbp": "fb.1.1.1"} | user_data)

    first, second, third = visit(em=["a" * 64]), visit(), visit()
    put(pixel, first)
    drain(pixel.pk)
    assert not Identity.objects.exists()
    type(pixel.tenant).objects.update(event_enrichment=True)
    put(pixel, visit(em=["a" * 64]))
    put(pixel, second)
    sandbox.fail(code=2, times=1)
    drain(pixel.pk)
    assert "em" not in str(bytes(OutboxRow.objects.latest("id").body))
    put(pixel, third)
    again(pixel)
    assert [event["user_data"].get("em") for event in sandbox.received] == [["a" * 64]] * 4


def test_nothing_to_do_is_nothing_done(pixel: Pixel, sandbox: Sandbox) -> None:
    assert drain(pixel.pk) is False
    assert drain(10**9) is False
    assert not sandbox.requests


def test_a_batch_needs_few_queries_however_many_rows_it_has(pixel: Pixel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("events.figures.seen_ids.random.random", lambda: 0.0)  # ids are always counted
    put(pixel, purchase())
    drain(pixel.pk)
    put(pixel, *purchases(3))
    with CaptureQueriesContext(connection) as queries:
        drain(pixel.pk)
    small = len(queries)
    for _ in range(100):
        put(pixel, *purchases(3))
    with CaptureQueriesContext(connection) as queries:
        drain(pixel.pk)
    assert len(queries) == small <= 24


# --- refusals ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("position", [0, 1, 4, 7, 8])
def test_a_bad_event_is_found_and_set_aside_with_meta_s_answer(pixel: Pixel, sandbox: Sandbox, position: int) -> None:
    events = purchases(9)
    events[position] = bad_purchase()
    put(pixel, *events[:4])
    put(pixel, *events[4:], options='{"test_event_code":"T"}')
    drain(pixel.pk)
    assert sandbox.received == [event for event in events if event is not events[position]]
    letter = DeadLetter.objects.get()
    assert (letter.event_id, letter.code, letter.website) == (events[position]["event_id"], "100", "shop.example.com")
    assert "currency" in letter.message
    assert letter.trace_id
    assert letter.options == ("" if position < 4 else '{"test_event_code":"T"}')
    assert bytes(letter.event).startswith(b'{"event_name"')
    totals = counted(pixel)
    assert (totals["received"], totals["published"], totals["failed"]) == (9, 8, 1)
    assert is_balanced(pixel)
    assert not OutboxRow.objects.exists()


def test_all_events_can_be_bad(pixel: Pixel, sandbox: Sandbox) -> None:
    put(pixel, *[bad_purchase() for _ in range(8)])
    drain(pixel.pk)
    assert len(sandbox.requests) == 15
    assert counted(pixel) == {"received": 8, "failed": 8, "publish_errors": 15}
    pixel.refresh_from_db()
    assert pixel.api_error_code == "100"
    put(pixel, purchase())
    drain(pixel.pk)
    pixel.refresh_from_db()
    assert pixel.api_error_code is None


def test_halves_that_meta_has_are_settled_though_a_later_one_must_wait(pixel: Pixel, sandbox: Sandbox) -> None:
    events = purchases(8)
    put(pixel, *events[:3])
    put(pixel, *events[3:])
    answers(sandbox, 100, 0, 2)
    drain(pixel.pk)
    assert sandbox.received == events[:4]
    row = OutboxRow.objects.get()
    assert (row.event_count, row.counted) == (4, True)
    assert waiting(pixel) == 4
    assert counted(pixel) == {"received": 8, "published": 4, "publish_errors": 2}
    assert is_balanced(pixel)
    again(pixel)
    assert sandbox.received == events
    assert sandbox.duplicates == 0
    assert counted(pixel)["published"] == 8


def test_time_that_is_up_while_a_batch_is_halved_leaves_the_rest_for_the_next_turn(
    pixel: Pixel, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publishing.Turn, "is_over", property(lambda turn: bool(sandbox.requests)))
    put(pixel, *[bad_purchase() for _ in range(4)])
    for turn in range(1, 5):
        sandbox.requests.clear()
        assert drain(pixel.pk) is (turn < 4)
        assert DeadLetter.objects.count() == turn
        assert is_balanced(pixel)

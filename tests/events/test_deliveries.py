"""The delivery log and the dead letters, as the API tells them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from events.delivery.entries import Outcome
from events.delivery.explanations import explain
from events.delivery.publishing import drain
from events.delivery.reads import list_deliveries
from events.delivery.waiting_lists import rows as deliveries
from events.models import DeadLetter, Delivery, Road
from pixels.models import Pixel
from tests.bad_input import UNPRINTABLE, UNSTORABLE, arguments_of, assert_refused
from tests.base import Cast
from tests.events.outbox import purchase, purchases, put
from tests.factories import DeadLetterFactory, DeliveryFactory, PixelFactory
from tests.instance import free_port
from tests.operations import run
from tests.stage import make_stage

pytestmark = pytest.mark.django_db

MOMENT = datetime(2026, 11, 21, 12, 30, 40, 123_000, tzinfo=UTC)


@pytest.fixture
def pixel(cast: Cast) -> Pixel:
    return PixelFactory.create(tenant=cast.shoes)


def log(cast: Cast, pixel: Pixel, operation: str = "deliveries", **variables: Any) -> dict[str, Any]:
    answer = run(cast.vic, operation, tenantId=cast.shoes.pk, pixelId=pixel.pixel_id, **variables)
    assert answer.errors == []
    return dict(answer.data["tenantQueries"][operation])


def event_ids(connection: dict[str, Any]) -> list[str]:
    return [edge["node"]["eventId"] for edge in connection["edges"]]


def pages(cast: Cast, pixel: Pixel, operation: str = "deliveries", **variables: Any) -> list[list[str]]:
    """The event ids of every page, by paging on until the end."""
    found: list[list[str]] = []
    after = None
    while True:
        page = log(cast, pixel, operation, after=after, **variables)
        info, cursors = page["pageInfo"], [edge["cursor"] for edge in page["edges"]]
        assert info["hasPreviousPage"] is bool(found)
        assert (info["startCursor"], info["endCursor"]) == ((cursors[0], cursors[-1]) if cursors else (None, None))
        found.append(event_ids(page))
        after = info["endCursor"]
        if not info["hasNextPage"]:
            return found


def test_the_log_tells_what_became_of_events_the_newest_first(cast: Cast, pixel: Pixel) -> None:
    stored = DeliveryFactory.create(pixel=pixel, event_id="old", at=MOMENT, event_time=MOMENT, trace_id="A1b2")
    DeliveryFactory.create(
        pixel=pixel,
        event_id="new",
        at=MOMENT,
        event_time=None,
        website="",
        outcome=Delivery.Outcome.FAILED,
        detail="No such currency.",
        code="100.2804003",
    )
    DeliveryFactory.create()

    with time_machine.travel(MOMENT + timedelta(days=1)):
        new, old = (edge["node"] for edge in log(cast, pixel)["edges"])

    assert old == {
        "id": f"Delivery:{stored.pk}:0",
        "pixelId": pixel.pixel_id,
        "destinationId": None,
        "receivedAt": "1795264240000",
        "enriched": False,
        "at": "1795264240123",
        "outcome": "PUBLISHED",
        "eventName": "Purchase",
        "eventId": "old",
        "eventTime": "1795264240123",
        "website": "shop.example.com",
        "road": "SERVER",
        "detail": None,
        "code": None,
        "changes": [],
        "explanation": None,
        "traceId": "A1b2",
    }
    assert (new["eventId"], new["outcome"], new["eventTime"], new["website"]) == ("new", "FAILED", None, None)
    assert (new["detail"], new["code"]) == ("No such currency.", "100.2804003")
    assert new["explanation"] == explain("100")


def test_events_that_wait_stand_in_their_place_by_time_and_say_what_they_wait_for(cast: Cast, pixel: Pixel) -> None:
    Pixel.objects.filter(pk=pixel.pk).update(api_error_code="190.460")
    DeliveryFactory.create(pixel=pixel, event_id="gone")
    put(pixel, purchase(event_id="held"), counted=True, received_at=MOMENT)
    put(pixel, purchase(event_id="first"), purchase(event_id="second", event_time=1_795_000_000))

    second, first, gone, held = (edge["node"] for edge in log(cast, pixel)["edges"])

    assert [node["eventId"] for node in (second, first, gone, held)] == ["second", "first", "gone", "held"]
    assert [node["outcome"] for node in (second, first, held)] == ["WAITING"] * 3
    assert (second["eventTime"], second["website"]) == ("1795000000000", "shop.example.com")
    assert (second["code"], second["explanation"]) == (None, None)
    assert (held["at"], held["code"]) == ("1795264240123", "190.460")
    assert held["explanation"] == explain("190")


@pytest.mark.parametrize("first", [1, 2, 3, 5, 50])
def test_pages_hold_every_event_once(cast: Cast, pixel: Pixel, first: int) -> None:
    for number in range(4):
        DeliveryFactory.create(pixel=pixel, event_id=f"log {number}")
    put(pixel, *(purchase(event_id=f"row 1, {number}") for number in range(3)), counted=True)
    put(pixel, purchase(event_id="row 2"))

    found = pages(cast, pixel, first=first)

    assert list(chain.from_iterable(found)) == [
        *("row 2", "row 1, 2", "row 1, 1", "row 1, 0"),
        *("log 3", "log 2", "log 1", "log 0"),
    ]
    assert all(len(page) == first for page in found[:-1])


def test_a_page_goes_on_whatever_comes_in_the_meantime(cast: Cast, pixel: Pixel) -> None:
    for number in range(4):
        DeliveryFactory.create(pixel=pixel, event_id=f"{number}")
    cursor = log(cast, pixel, first=2)["pageInfo"]["endCursor"]

    DeliveryFactory.create(pixel=pixel, event_id="new")
    put(pixel, purchase(event_id="newer"))

    assert event_ids(log(cast, pixel, first=2, after=cursor)) == ["1", "0"]


@pytest.mark.parametrize("outcome", list(Outcome))
def test_the_log_can_be_read_by_outcome(cast: Cast, pixel: Pixel, outcome: Outcome) -> None:
    for each in Outcome:
        if each is Outcome.WAITING:
            put(pixel, purchase(event_id=each))
        else:
            DeliveryFactory.create(pixel=pixel, outcome=each, event_id=each)

    assert event_ids(log(cast, pixel, outcome=outcome)) == [outcome]
    assert list(chain.from_iterable(pages(cast, pixel, outcome=outcome, first=1))) == [outcome]


def test_the_log_can_be_read_by_event_name(cast: Cast, pixel: Pixel) -> None:
    for name in ("Purchase", "purchase", "Lead"):
        DeliveryFactory.create(pixel=pixel, event_name=name, event_id=f"{name} logged")
    put(pixel, purchase(event_name="Lead", event_id="Lead waiting"), purchase(event_id="Purchase waiting"))

    assert event_ids(log(cast, pixel, eventName="Lead")) == ["Lead waiting", "Lead logged"]
    assert event_ids(log(cast, pixel, eventName="Purchase", outcome="PUBLISHED")) == ["Purchase logged"]
    assert event_ids(log(cast, pixel, eventName="Missing")) == []


def test_of_much_that_waits_a_bounded_part_is_read(pixel: Pixel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deliveries, "WAITING_ROWS", 3)
    monkeypatch.setattr(deliveries, "WAITING_EVENTS", 5)

    def waiting() -> int:
        return len(list_deliveries(pixel.tenant, pixel.pixel_id, first=200).rows)

    for _ in range(4):
        put(pixel, purchase())
    assert waiting() == 3
    put(pixel, *purchases(4))
    assert waiting() == 5
    put(pixel, *purchases(100))
    assert waiting() == 5
    monkeypatch.setattr(deliveries, "MAX_BYTES", 1)
    monkeypatch.setattr(deliveries, "WAITING_EVENTS", 1_000)
    assert waiting() == 100


@pytest.mark.parametrize("events", [1, 150])
def test_a_page_takes_as_many_queries_for_many_events_as_for_one(pixel: Pixel, events: int) -> None:
    DeliveryFactory.create_batch(events, pixel=pixel)
    for _ in range(events):
        put(pixel, purchase())

    with CaptureQueriesContext(connection) as queries:
        list_deliveries(pixel.tenant, pixel.pixel_id, first=200)

    assert len(queries) == 6  # the pixel; sizes and bodies of what waits; the former log; kinds and bodies of the log


def test_dead_letters_come_the_last_failure_first_with_metas_answer(cast: Cast, pixel: Pixel) -> None:
    DeadLetterFactory.create(pixel=pixel, event_id="old", failed_at=MOMENT - timedelta(seconds=1))
    DeadLetterFactory.create(pixel=pixel, event_id="new", failed_at=MOMENT, received_at=MOMENT, trace_id="A1b2")
    DeadLetterFactory.create()

    letters = log(cast, pixel, "deadLetters")

    assert event_ids(letters) == ["new", "old"]
    node = letters["edges"][0]["node"]
    event = json.loads(node.pop("event"))
    assert event["user_data"] == {"client_user_agent": "•••"}
    assert node == {
        "id": str(DeadLetter.objects.get(event_id="new").pk),
        "eventName": "Purchase",
        "eventId": "new",
        "website": "shop.example.com",
        "road": "SERVER",
        "code": "100.2804003",
        "explanation": explain("100"),
        "message": "The currency must be a code of ISO 4217.",
        "traceId": "A1b2",
        "receivedAt": "1795264240123",
        "failedAt": "1795264240123",
    }


@pytest.mark.parametrize("first", [1, 2, 7, 50])
def test_pages_hold_every_dead_letter_once(cast: Cast, pixel: Pixel, first: int) -> None:
    for number in range(7):
        DeadLetterFactory.create(
            pixel=pixel, event_id=str(number), failed_at=MOMENT + timedelta(microseconds=number // 3)
        )

    assert list(chain.from_iterable(pages(cast, pixel, "deadLetters", first=first))) == list("6543210")


def test_what_waits_because_meta_does_not_answer_says_so(cast: Cast, pixel: Pixel, settings: Settings) -> None:
    settings.GRAPH_API_URL = f"http://127.0.0.1:{free_port()}"
    put(pixel, purchase())
    drain(pixel.pk)
    put(pixel, purchase())

    new, tried = [edge["node"] for edge in log(cast, pixel)["edges"]]

    assert (new["detail"], new["code"]) == (None, None)
    assert (tried["detail"], tried["code"]) == ("Meta does not answer; the gateway tries again.", None)
    pixel.refresh_from_db()
    assert pixel.api_error_code is None


def test_the_log_goes_back_seven_days_though_nothing_was_deleted_yet(cast: Cast, pixel: Pixel) -> None:
    DeliveryFactory.create(pixel=pixel, at=timezone.now() - timedelta(days=7, seconds=1))
    DeliveryFactory.create(pixel=pixel, event_id="kept", at=timezone.now() - timedelta(days=6, hours=23))

    assert event_ids(log(cast, pixel)) == ["kept"]


@pytest.mark.parametrize("operation", ["deliveries", "deadLetters"])
@pytest.mark.parametrize("pixel_id", ["404", "x", ""])
def test_a_pixel_that_the_account_has_not_is_not_found(cast: Cast, operation: str, pixel_id: str) -> None:
    foreign = PixelFactory.create(tenant=cast.other)
    for unknown in (pixel_id, foreign.pixel_id):
        assert run(cast.vic, operation, tenantId=cast.shoes.pk, pixelId=unknown).refused(404)


_CURSORS = {**UNSTORABLE, "text": "x", "empty-list": "W10=", "number": "MQ==", "object": "e30=", "huge": "x" * 20_000}
_CURSORS |= {
    "of-another-list": "WyJCb29rcyIsICJhYmNkZWZnaCJd",
    "negative": "Wy0xLCAtMSwgLTFd",
    "beyond-64-bits": "WzE4NDQ2NzQ0MDczNzA5NTUxNjE2LCAxODQ0Njc0NDA3MzcwOTU1MTYxNiwgMF0=",
    "booleans": "W3RydWUsIHRydWUsIHRydWVd",
}
_FIRST = {"zero": 0, "negative": -1, "too-many": 201, "beyond-32-bits": 2**31, "text": "1"}
_TIMES = {"empty": "", "negative": "-1", "date": "2026-11-30", "decimal": "1.5", "huge": "9" * 400, "digits": "١٢"}
BAD: dict[str, dict[str, Mapping[str, Any]]] = {
    "deliveries": {
        "pixelId": UNSTORABLE,
        "outcome": {"unknown": "LOST", "lower-case": "published", "number": 1},
        "eventName": {**UNPRINTABLE, "empty": "", "too-long": "x" * 51},
        "eventId": {**UNPRINTABLE, "empty": "", "too-long": "x" * 101},
        "website": {**UNPRINTABLE, "empty": "", "too-long": "x" * 254},
        "since": {**UNPRINTABLE, **_TIMES},
        "until": {**UNPRINTABLE, **_TIMES},
        "first": _FIRST,
        "after": _CURSORS,
    },
    "deadLetters": {"pixelId": {**UNSTORABLE, "null": None}, "first": _FIRST, "after": _CURSORS},
}


@pytest.mark.parametrize(("variant", "path", "values"), arguments_of(BAD))
def test_a_bad_value_is_refused(
    cast: Cast, subtests: pytest.Subtests, variant: str, path: str, values: Mapping[str, Any]
) -> None:
    assert_refused(subtests, cast.ada, make_stage(cast.shoes), variant, path, values)


def test_what_is_gone_does_not_stand_before_a_page(cast: Cast, pixel: Pixel) -> None:
    deliveries = DeliveryFactory.create_batch(2, pixel=pixel)
    letters = DeadLetterFactory.create_batch(2, pixel=pixel)
    after = {name: log(cast, pixel, name, first=1)["pageInfo"]["endCursor"] for name in ("deliveries", "deadLetters")}

    def has_previous(name: str) -> bool:
        return bool(log(cast, pixel, name, after=after[name])["pageInfo"]["hasPreviousPage"])

    assert (has_previous("deliveries"), has_previous("deadLetters")) == (True, True)
    deliveries[1].delete()
    letters[1].delete()
    assert (has_previous("deliveries"), has_previous("deadLetters")) == (False, False)


def test_null_stands_for_the_default(cast: Cast, pixel: Pixel) -> None:
    DeliveryFactory.create_batch(51, pixel=pixel)

    page = log(cast, pixel, first=None, after=None, outcome=None, eventName=None)

    assert (len(page["edges"]), page["pageInfo"]["hasNextPage"]) == (50, True)


def test_the_account_s_log_is_searched_by_all_that_is_known_of_an_event(cast: Cast, pixel: Pixel) -> None:
    other = PixelFactory.create(tenant=cast.shoes)
    DeliveryFactory.create(pixel=pixel, event_id="order-1", at=timezone.now() - timedelta(days=2))
    DeliveryFactory.create(pixel=other, event_id="order-1", website="books.example")
    DeliveryFactory.create(pixel=PixelFactory.create(tenant=cast.other), event_id="order-1")
    put(other, purchase(event_id="order-2"))

    def found(**arguments: Any) -> list[tuple[str, str]]:
        page = run(cast.vic, "deliveries", tenantId=cast.shoes.pk, **arguments).data["tenantQueries"]["deliveries"]
        return [(edge["node"]["pixelId"], edge["node"]["eventId"]) for edge in page["edges"]]

    older, newer, waits = (pixel.pixel_id, "order-1"), (other.pixel_id, "order-1"), (other.pixel_id, "order-2")
    yesterday = str(int((timezone.now() - timedelta(days=1)).timestamp() * 1_000))
    assert found() == [waits, newer, older]
    assert found(eventId="order-1") == [newer, older]
    assert found(eventId="order-1", pixelId=pixel.pixel_id) == [older]
    assert found(website="books.example") == [newer]
    assert found(since=yesterday) == [waits, newer]
    assert found(until=yesterday) == [older]
    assert found(eventId="order-3") == []


# --- Roads ------------------------------------------------------------------------------------------------------------

ROADS = {"SERVER": ["waits on its server", "by a server"], "BROWSER": ["waits in its browser", "by a browser"]}


@pytest.fixture
def both_roads(pixel: Pixel) -> None:
    DeliveryFactory.create(pixel=pixel, event_id="by a server")
    DeliveryFactory.create(pixel=pixel, event_id="by a browser", road=Road.BROWSER)
    put(pixel, purchase(event_id="waits on its server"))
    put(pixel, purchase(event_id="waits in its browser"), road=Road.BROWSER)
    DeadLetterFactory.create(pixel=pixel, event_id="refused to a server")
    DeadLetterFactory.create(pixel=pixel, event_id="refused to a browser", road=Road.BROWSER)


@pytest.mark.usefixtures("both_roads")
def test_each_event_tells_its_road(cast: Cast, pixel: Pixel) -> None:
    def roads(operation: str) -> dict[str, str]:
        edges = log(cast, pixel, operation)["edges"]
        return {edge["node"]["eventId"]: edge["node"]["road"] for edge in edges}

    assert roads("deliveries") == {event_id: road for road, ids in ROADS.items() for event_id in ids}
    assert roads("deadLetters") == {"refused to a server": "SERVER", "refused to a browser": "BROWSER"}


@pytest.mark.usefixtures("both_roads")
@pytest.mark.parametrize("road", ROADS)
def test_the_log_is_narrowed_to_a_road(cast: Cast, pixel: Pixel, road: str) -> None:
    waits, decided = ROADS[road]

    assert event_ids(log(cast, pixel, road=road)) == [waits, decided]
    assert event_ids(log(cast, pixel, road=road, outcome="WAITING")) == [waits]
    assert event_ids(log(cast, pixel, road=road, outcome="PUBLISHED")) == [decided]
    assert pages(cast, pixel, road=road, first=1) == [[waits], [decided]]


@pytest.mark.usefixtures("both_roads")
@pytest.mark.parametrize(("road", "found"), [("SERVER", "refused to a server"), ("BROWSER", "refused to a browser")])
def test_dead_letters_are_narrowed_to_a_road(cast: Cast, pixel: Pixel, road: str, found: str) -> None:
    DeadLetterFactory.create(road=Road[road])

    assert pages(cast, pixel, "deadLetters", road=road, first=1) == [[found]]


def test_what_waits_on_several_pixels_is_read_together(cast: Cast, pixel: Pixel) -> None:
    put(pixel, *purchases(2))
    with CaptureQueriesContext(connection) as of_one:
        assert len(list_deliveries(cast.shoes, None).rows) == 2

    for _ in range(3):
        put(PixelFactory.create(tenant=cast.shoes), *purchases(2))
    with CaptureQueriesContext(connection) as of_four:
        assert len(list_deliveries(cast.shoes, None).rows) == 8

    assert len(of_four) == len(of_one)

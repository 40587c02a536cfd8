"""Batches: what is read together, and what is decided about it."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from events.delivery import batches, dropping
from events.delivery.batches import Batch
from events.delivery.fates import UNREAD
from events.models import OutboxRow
from filters.matching import FilterSet, Kind, Rule
from pixels.models import Pixel
from tests.events.outbox import ids, purchase, purchases, put
from tests.factories import PixelFactory

pytestmark = pytest.mark.django_db

NOTHING_FILTERED = FilterSet.of([], [])
WEEK = timedelta(days=7)


@pytest.fixture
def pixel() -> Pixel:
    return PixelFactory.create()


def read(pixel: Pixel, *, publishes: bool = True, now: datetime | None = None) -> Batch:
    batch = batches.read(pixel, now=now or timezone.now(), publishes=publishes)
    assert batch is not None
    return batch


def sizes(pixel: Pixel) -> list[int]:
    """How many rows each batch has, while the queue is worked off."""
    found = []
    while batch := batches.read(pixel, now=timezone.now(), publishes=True):
        found.append(len(batch.rows))
        OutboxRow.objects.filter(pk__in=[row.pk for row in batch.rows]).delete()
    return found


def test_rows_merge_in_their_order(pixel: Pixel) -> None:
    put(PixelFactory.create(), purchase())
    events = purchases(5)
    put(pixel, *events[:2])
    put(pixel, events[2])
    put(pixel, *events[3:], options='{"test_event_code":"T"}')
    batch = read(pixel)
    assert [event.event_id for event in batch.events] == ids(events)
    assert [event.row.options for event in batch.events[2:4]] == ["", '{"test_event_code":"T"}']
    assert batch.undecided() == batch.events


def test_what_waits_already_comes_before_what_is_new(pixel: Pixel) -> None:
    new, replayed = purchase(), purchase()
    put(pixel, new)
    put(pixel, replayed, counted=True)
    assert [event.event_id for event in read(pixel).events] == ids([replayed, new])


def test_an_empty_queue_is_no_batch(pixel: Pixel) -> None:
    assert batches.read(pixel, now=timezone.now(), publishes=True) is None
    assert batches.read(pixel, now=timezone.now(), publishes=False) is None


def test_a_batch_holds_so_many_events_at_most(pixel: Pixel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "MAX_EVENTS", 1_000)
    for n in (600, 400, 1, 999, 1_000, 2):
        put(pixel, *purchases(n))
    assert sizes(pixel) == [2, 2, 1, 1]


def test_large_rows_are_not_merged(pixel: Pixel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "MAX_BYTES", 10_000)
    for size in (20_000, 4_000, 4_000, 4_000):
        put(pixel, purchase(padding="x" * size))
    assert sizes(pixel) == [1, 2, 1]


def test_it_is_known_whether_more_events_wait_behind(pixel: Pixel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "MAX_EVENTS", 10)
    for _ in range(10):
        put(pixel, purchase())
    assert not read(pixel).has_more
    put(pixel, purchase())
    assert read(pixel).has_more


def test_a_batch_costs_one_query_however_many_rows_it_has(pixel: Pixel) -> None:
    for _ in range(30):
        put(pixel, purchase())
    with CaptureQueriesContext(connection) as queries:
        read(pixel)
    assert len(queries) <= 1  # on PostgreSQL, past Django's log of queries


def test_a_pixel_that_does_not_publish_reads_what_is_new(pixel: Pixel) -> None:
    new = purchase()
    put(pixel, purchase(), counted=True)
    assert batches.read(pixel, now=timezone.now(), publishes=False) is None
    put(pixel, new)
    assert [event.event_id for event in read(pixel, publishes=False).events] == ids([new])


def test_a_pixel_that_does_not_publish_lets_what_is_too_old_expire(pixel: Pixel) -> None:
    now = timezone.now()
    old = purchase()
    put(pixel, old, counted=True, received_at=now - WEEK)
    put(pixel, purchase(), counted=True, received_at=now - WEEK + timedelta(minutes=1))
    assert [event.event_id for event in read(pixel, publishes=False, now=now).events] == ids([old])


def test_events_pass_through_to_the_letter(pixel: Pixel) -> None:
    text = '{"event_name":"Ä","event_id":"1","event_time": 1.7e9,"x":[1.50, null],"big":1234567890123456789}'
    OutboxRow.objects.create(pixel=pixel, received_at=timezone.now(), event_count=2, body=f"[{text} , {text}]".encode())
    batch = read(pixel)
    assert [bytes(event.raw).decode().strip() for event in batch.events] == [text, text]
    assert batch.events[0].name == "Ä"
    assert batch.events[0].time == 1.7e9
    assert batch.events[0].website == ""


@pytest.mark.parametrize(
    ("url", "website"),
    [
        ("https://Shop.Example.com:8443/a?b", "shop.example.com"),
        ("https://bücher.example/", "xn--bcher-kva.example"),
        ("shop.example.com", ""),
        ("", ""),
        (None, ""),
        (7, ""),
        ({"a": 1}, ""),
    ],
)
def test_a_website_is_the_host_of_the_event_s_address(pixel: Pixel, url: Any, website: str) -> None:
    put(pixel, purchase(event_source_url=url))
    assert read(pixel).events[0].website == website


def fates(pixel: Pixel, filters: FilterSet = NOTHING_FILTERED, now: datetime | None = None) -> list[tuple[str, str]]:
    batch = read(pixel, now=now)
    dropping.decide(batch, pixel, filters, now or timezone.now())
    return [(event.fate.column, event.fate.detail) if event.fate else ("publish", "") for event in batch.events]


def test_without_filters_everything_is_published(pixel: Pixel) -> None:
    put(pixel, *purchases(2))
    assert fates(pixel) == [("publish", "")] * 2


def test_filters_drop_by_name_and_by_website(pixel: Pixel) -> None:
    filters = FilterSet.of([Rule(Kind.EVENT, "Lead", None, True), Rule(Kind.DOMAIN, "example.com", None, True)], [])
    put(pixel, purchase(event_name="Lead"), purchase(), purchase(event_source_url="https://example.org/"))
    assert fates(pixel, filters) == [
        ("dropped_by_event_filter", "Event filter for Lead"),
        ("dropped_by_domain_filter", "Website filter for example.com"),
        ("publish", ""),
    ]


def test_what_came_while_receiving_was_off_is_dropped(pixel: Pixel) -> None:
    put(pixel, purchase(), intake=OutboxRow.Intake.RECEIVING_OFF)
    put(pixel, purchase())
    assert fates(pixel) == [("dropped_receiving_off", "Receiving was off"), ("publish", "")]


def test_with_publishing_off_everything_is_dropped(pixel: Pixel) -> None:
    pixel.publishing_enabled = False
    put(pixel, purchase())
    assert fates(pixel) == [("dropped_publishing_off", "Publishing was off")]


@pytest.mark.parametrize(("older_by", "fate"), [(-5, "publish"), (5, "expired")])
def test_events_expire_after_seven_days(pixel: Pixel, older_by: int, fate: str) -> None:
    now = timezone.now()
    put(pixel, purchase(event_time=int((now - WEEK).timestamp()) - older_by))
    assert [column for column, _ in fates(pixel, now=now)] == [fate]


def test_an_event_received_seven_days_ago_has_expired_whatever_its_time_says(pixel: Pixel) -> None:
    now = timezone.now()
    put(pixel, purchase(event_time=int(now.timestamp())), received_at=now - WEEK)
    assert fates(pixel, now=now) == [("expired", "Older than 7 days")]


@pytest.mark.parametrize("body", [b"", b"{damaged", b"{}", b'[{"event_name":"Lead"', b'["\xff"]', b"[1,2,3"])
def test_a_row_that_cannot_be_read_has_failed(pixel: Pixel, body: bytes) -> None:
    OutboxRow.objects.create(pixel=pixel, received_at=timezone.now(), event_count=3, body=body)
    put(pixel, purchase())
    assert fates(pixel) == [("failed", UNREAD.detail)] * 3 + [("publish", "")]
    batch = read(pixel)
    assert [event.raw for event in batch.events[:3]] == [body, b"", b""]


def test_of_a_row_that_is_damaged_what_can_be_read_is_published(pixel: Pixel) -> None:
    good = json.dumps(purchase()).encode()
    OutboxRow.objects.create(
        pixel=pixel, received_at=timezone.now(), event_count=3, body=b'[%s,{"event_name":7},%s]' % (good, good)
    )
    batch = read(pixel)
    assert [event.fate for event in batch.events] == [None, UNREAD, None]
    assert [bytes(event.raw) for event in batch.events] == [good, b'{"event_name":7}', good]


@pytest.mark.parametrize("bodies", [(b"[%s],[%s]", b""), (b"[%s", b"%s]"), (b"[%s],[%s", b"%s]"), (b"", b"[%s")])
def test_damage_in_two_rows_does_not_add_up_to_something_that_can_be_read(
    pixel: Pixel, bodies: tuple[bytes, bytes]
) -> None:
    good = json.dumps(purchase()).encode()
    put(pixel, purchase())
    for body in bodies:
        OutboxRow.objects.create(pixel=pixel, received_at=timezone.now(), event_count=1, body=body.replace(b"%s", good))
    put(pixel, purchase())

    assert [event.fate for event in read(pixel).events] == [None, UNREAD, UNREAD, None]


@pytest.mark.parametrize("count", [0, 1, 3])
def test_a_row_of_another_number_of_events_has_failed(pixel: Pixel, count: int) -> None:
    good = json.dumps(purchase()).encode()
    OutboxRow.objects.create(pixel=pixel, received_at=timezone.now(), event_count=count, body=b"[%s,%s]" % (good, good))
    put(pixel, purchase())

    events = read(pixel).events

    assert [event.fate for event in events] == [UNREAD] * count + [None]
    assert len(json.loads(b"[%s]" % b",".join(batches.as_sent(events[count:])))) == 1


def test_rows_of_which_events_were_dropped_are_sent_without_them(pixel: Pixel) -> None:
    for number in (3, 1, 2, 3):
        put(pixel, *purchases(number))
    events = read(pixel).events
    kept = [event for place, event in enumerate(events) if place not in (1, 6)]

    sent = json.loads(b"[%s]" % b",".join(batches.as_sent(kept)))

    assert [event["event_id"] for event in sent] == [event.event_id for event in kept]
    assert len(kept) == 7


@pytest.mark.parametrize("body", [b"[%s,%s]", b" [ %s , %s ]\n"])
def test_whole_rows_are_sent_as_they_are(pixel: Pixel, body: bytes) -> None:
    events = [json.dumps(purchase(x=1.50)).encode() for _ in range(2)]
    OutboxRow.objects.create(pixel=pixel, received_at=timezone.now(), event_count=2, body=body % tuple(events))
    first, second = read(pixel).events
    assert json.loads(b"[%s]" % b",".join(batches.as_sent([first, second]))) == list(map(json.loads, events))
    assert [bytes(part) for part in batches.as_sent([second])] == events[1:]
    first.enriched = b"{}"
    assert [bytes(part) for part in batches.as_sent([first, second])] == [b"{}", events[1]]

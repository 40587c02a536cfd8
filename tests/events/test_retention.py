"""What has been kept long enough goes, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from events import pruning
from events.figures import books
from events.figures.counting import Tally
from events.models import Counter, DeadLetter, DeliveryBatch, DisconnectedUsage, Identity, IdFinding, SeenId, SeenLabel
from events.pruning import prune
from pixels.models import Pixel
from tests.base import snapshot
from tests.factories import DeadLetterFactory, DeliveryFactory, OutboxRowFactory, PixelFactory

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 21, 12, 30, 40, tzinfo=UTC)
Span = Counter.Span


@pytest.fixture(autouse=True)
def _clock() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def pixel() -> Pixel:
    return PixelFactory.create()


def ago(**values: float) -> datetime:
    return NOW - timedelta(**values)


def count(pixel: Pixel, at: datetime) -> None:
    tally = Tally()
    tally.add(at, "Purchase", "shop.example.com", "received")
    tally.write(pixel.pk)


def spans(pixel: Pixel) -> set[tuple[str, datetime]]:
    return {(Span(row.span).name, row.start) for row in Counter.objects.filter(pixel=pixel)}


def test_minutes_go_after_two_days(pixel: Pixel) -> None:
    for at in (ago(days=2, minutes=1), ago(days=2, minutes=-1)):
        count(pixel, at)

    prune()

    minutes = {start for span, start in spans(pixel) if span == "MINUTE"}
    assert minutes == {ago(days=2, minutes=-1).replace(second=0)}
    assert {span for span, _ in spans(pixel)} == {"MINUTE", "HOUR", "DAY"}


def test_minutes_go_by_name_and_website_too(pixel: Pixel) -> None:
    count(pixel, ago(days=3))

    prune()

    assert sorted(Counter.objects.values_list("span", "dimension")) == [(1, 0), (1, 1), (1, 2), (2, 0), (2, 1), (2, 2)]


@pytest.mark.parametrize("days", [10, 396])
def test_hours_and_days_go_after_the_retention_of_counters(pixel: Pixel, settings: Any, days: int) -> None:
    settings.COUNTER_RETENTION = days
    count(pixel, ago(days=days + 1))
    count(pixel, ago(days=days - 1))
    for since in (days + 1, days - 1):
        DisconnectedUsage.objects.create(tenant=pixel.tenant, start=ago(days=since), received=1, published=1)

    prune()

    kept = ago(days=days - 1)
    assert spans(pixel) == {
        ("HOUR", kept.replace(minute=0, second=0)),
        ("DAY", kept.replace(hour=0, minute=0, second=0)),
    }
    assert [row.start for row in DisconnectedUsage.objects.all()] == [kept]


def test_the_delivery_log_goes_after_seven_days(pixel: Pixel) -> None:
    DeliveryFactory.create(pixel=pixel, at=ago(days=7, seconds=1))
    kept = DeliveryFactory.create(pixel=pixel, at=ago(days=7))

    prune()

    assert list(DeliveryBatch.objects.all()) == [kept]


def test_dead_letters_go_after_thirty_days(pixel: Pixel) -> None:
    DeadLetterFactory.create(pixel=pixel, failed_at=ago(days=30, seconds=1))
    kept = DeadLetterFactory.create(pixel=pixel, failed_at=ago(days=30), received_at=ago(days=40))

    prune()

    assert list(DeadLetter.objects.all()) == [kept]


def test_visitors_are_forgotten_after_ninety_days(pixel: Pixel) -> None:
    Identity.objects.create(pixel=pixel, key="a" * 64, identifiers={}, seen_at=ago(days=90, seconds=1))
    kept = Identity.objects.create(pixel=pixel, key="b" * 64, identifiers={}, seen_at=ago(days=90))

    prune()

    assert list(Identity.objects.all()) == [kept]


def test_so_many_visitors_of_a_pixel_are_remembered_those_seen_last(
    pixel: Pixel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("events.bounds.MAX_IDENTITIES", 3)
    type(pixel.tenant).objects.update(event_enrichment=True)
    for each in (pixel, PixelFactory.create(tenant=pixel.tenant)):
        for days in (5, 1, 4, 2, 3) if each == pixel else (6, 7, 8):
            Identity.objects.create(pixel=each, key=f"{days}" * 64, identifiers={}, seen_at=ago(days=days))

    prune()

    assert sorted(key[0] for key in Identity.objects.values_list("key", flat=True)) == ["1", "2", "3", "6", "7", "8"]


def test_event_ids_are_forgotten_two_days_after_they_came_last(pixel: Pixel) -> None:
    old, recent = ago(days=2, seconds=1), ago(days=2)
    SeenId.objects.create(pixel=pixel, digest=1, server_at=old)
    SeenId.objects.create(pixel=pixel, digest=2, server_at=old, browser_at=old)
    SeenId.objects.create(pixel=pixel, digest=3, browser_at=recent)
    SeenId.objects.create(pixel=pixel, digest=4, server_at=old, browser_at=recent)

    prune()

    assert sorted(SeenId.objects.values_list("digest", flat=True)) == [3, 4]


def test_what_was_wrong_with_ids_goes_after_seven_days(pixel: Pixel) -> None:
    IdFinding.objects.create(pixel=pixel, kind=0, event_name="Old", count=1, last_at=ago(days=7, seconds=1))
    kept = IdFinding.objects.create(pixel=pixel, kind=0, event_name="Kept", count=1, last_at=ago(days=7))

    prune()

    assert list(IdFinding.objects.all()) == [kept]


def test_names_and_websites_are_forgotten_after_thirty_days(pixel: Pixel) -> None:
    SeenLabel.objects.create(pixel=pixel, dimension=1, label="Old", last_seen=ago(days=31).date())
    SeenLabel.objects.create(pixel=pixel, dimension=1, label="Kept", last_seen=ago(days=30).date())

    prune()

    assert [row.label for row in SeenLabel.objects.all()] == ["Kept"]


def test_what_waits_is_left_alone(pixel: Pixel) -> None:
    OutboxRowFactory.create(pixel=pixel, received_at=ago(days=100))
    before = snapshot()

    prune()

    assert snapshot() == before


def test_much_is_deleted_a_bounded_number_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("common.pruning.ROWS_AT_ONCE", 10)
    monkeypatch.setattr(pruning, "PIXELS_AT_ONCE", 2)
    for pixel in PixelFactory.create_batch(5):
        DeadLetterFactory.create_batch(12, pixel=pixel, failed_at=ago(days=31))

    with CaptureQueriesContext(connection) as queries:
        prune()

    assert not DeadLetter.objects.exists()
    deletes = [query["sql"] for query in queries if query["sql"].startswith('DELETE FROM "events_deadletter"')]
    assert max(delete.count(",") + 1 for delete in deletes) == 10


def test_many_old_counters_go_and_newer_ones_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(books, "SPANS_AT_ONCE", 3)
    pixels = PixelFactory.create_batch(4)
    for pixel in pixels:
        for hours in (50, 49, 48.1, 47):
            count(pixel, ago(hours=hours))

    prune()

    minutes = Counter.objects.filter(span=Span.MINUTE)
    assert {(row.pixel_id, row.start) for row in minutes} == {
        (pixel.pk, ago(hours=47).replace(second=0)) for pixel in pixels
    }
    assert minutes.count() == 3 * len(pixels)


def test_old_counters_are_found_in_the_index(pixel: Pixel) -> None:
    count(pixel, ago(days=3))
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL reads small tables whole.")
    with CaptureQueriesContext(connection) as queries:
        prune()
    statements = [query["sql"] for query in queries if 'FROM "events_counter"' in query["sql"]]
    with connection.cursor() as cursor:
        plans = [cursor.execute(f"EXPLAIN QUERY PLAN {statement}").fetchall() for statement in statements]

    steps = [step[3] for plan in plans for step in plan if "events_counter" in step[3]]
    assert len(steps) == 5  # a look for each span, a deletion, and another look after that
    assert all("span=? AND" in step and "start" in step for step in steps), steps


@pytest.mark.parametrize("pixels", [0, 1, 2, 5])
def test_what_the_previous_release_left_of_a_deleted_pixel_goes(monkeypatch: pytest.MonkeyPatch, pixels: int) -> None:
    monkeypatch.setattr(pruning, "PIXELS_AT_ONCE", 2)
    there = [pixel.pk for pixel in PixelFactory.create_batch(pixels)]
    gone = max(there, default=0) + 1
    for pk in (*there, gone):
        SeenId.objects.create(pixel_id=pk, digest=1, server_at=ago(days=3))
        SeenId.objects.create(pixel_id=pk, digest=2, server_at=ago(days=1))
        IdFinding.objects.create(pixel_id=pk, kind=0, event_name="Lead", count=1, last_at=ago(days=8))

    prune()

    assert sorted(SeenId.objects.values_list("pixel_id", "digest")) == [(pk, 2) for pk in (*there, gone)]
    assert not IdFinding.objects.exists()

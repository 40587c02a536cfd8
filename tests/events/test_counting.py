"""Counting: few rows, one statement, and no more labels than the bound allows."""

from __future__ import annotations

from collections import Counter as Multiset
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from events.figures import counting
from events.figures.counting import Tally
from events.models import Counter, SeenLabel
from pixels.models import Pixel
from tests.events.outbox import counted
from tests.factories import PixelFactory

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 21, 23, 59, 30, tzinfo=UTC)
Span, Dimension = Counter.Span, Counter.Dimension


@pytest.fixture
def pixel() -> Pixel:
    return PixelFactory.create()


@pytest.fixture
def three_labels_a_day(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "LABELS_A_DAY", 3)


def write(pixel: Pixel, *entries: tuple[Any, ...]) -> None:
    tally = Tally()
    for entry in entries:
        tally.add(*entry)
    tally.write(pixel.pk)


def labels(pixel: Pixel, dimension: Counter.Dimension) -> dict[str, int]:
    rows = Counter.objects.filter(pixel=pixel, dimension=dimension, span=Span.DAY)
    return dict(rows.values_list("label", "received"))


def test_an_event_counts_in_three_spans_as_total_by_name_and_by_website(pixel: Pixel) -> None:
    write(pixel, (NOW, "Purchase", "shop.example.com", "received"), (NOW, "Purchase", "shop.example.com", "published"))
    rows = Counter.objects.filter(pixel=pixel)
    assert {(row.span, row.dimension, row.start, row.label) for row in rows} == {
        (span, dimension, start, label)
        for span, start in (
            (Span.MINUTE, NOW.replace(second=0)),
            (Span.HOUR, NOW.replace(minute=0, second=0)),
            (Span.DAY, NOW.replace(hour=0, minute=0, second=0)),
        )
        for dimension, label in (
            (Dimension.TOTAL, ""),
            (Dimension.EVENT_NAME, "Purchase"),
            (Dimension.WEBSITE, "shop.example.com"),
        )
    }
    assert {(row.received, row.published, row.failed) for row in rows} == {(1, 1, 0)}


def test_counts_add_up(pixel: Pixel) -> None:
    for n in (1, 2, 3):
        write(pixel, (NOW, "Purchase", "", "received", n), (NOW, "Lead", "", "failed"))
    assert counted(pixel) == {"received": 6, "failed": 3}
    assert counted(pixel, Dimension.EVENT_NAME, "Purchase") == {"received": 6}
    assert counted(pixel, Dimension.WEBSITE) == {}


def test_requests_that_failed_are_in_the_total_alone(pixel: Pixel) -> None:
    write(pixel, (NOW, None, None, "publish_errors", 2))
    assert counted(pixel) == {"publish_errors": 2}
    assert counted(pixel, Dimension.EVENT_NAME) == {}


def test_pixels_are_counted_apart(pixel: Pixel) -> None:
    other = PixelFactory.create()
    write(pixel, (NOW, "Purchase", "", "received"))
    write(other, (NOW, "Purchase", "", "received", 5))
    assert (counted(pixel), counted(other)) == ({"received": 1}, {"received": 5})


def test_a_batch_is_one_upsert(pixel: Pixel) -> None:
    entries = [(NOW, f"Event{n}", f"shop{n}.example.com", "received") for n in range(20)]
    with CaptureQueriesContext(connection) as queries:
        write(pixel, *entries)
    assert len([query for query in queries if "INTO events_counter" in query["sql"]]) == 1
    assert len(queries) <= 3  # which labels the day has, those that are new, and the upsert
    assert counted(pixel) == {"received": 20}


def test_nothing_to_count_is_no_statement(pixel: Pixel) -> None:
    with CaptureQueriesContext(connection) as queries:
        write(pixel)
        write(pixel, (NOW, "Purchase", "", "received", 0))
    assert len(queries) == 0


@pytest.mark.django_db(transaction=True)
def test_labels_that_a_process_knows_are_not_asked_for_again(pixel: Pixel) -> None:
    write(pixel, (NOW, "Purchase", "shop.example.com", "received"))
    with CaptureQueriesContext(connection) as queries:
        write(pixel, (NOW, "Purchase", "shop.example.com", "received"))
    assert len(queries) == 1


@pytest.mark.usefixtures("three_labels_a_day")
def test_beyond_the_bound_labels_are_counted_together(pixel: Pixel) -> None:
    write(pixel, *[(NOW, f"Event{n}", f"shop{n}.example.com", "received") for n in range(5)])
    write(pixel, *[(NOW, f"Event{n}", "shop0.example.com", "received") for n in range(5)])
    assert labels(pixel, Dimension.EVENT_NAME) == {"Event0": 2, "Event1": 2, "Event2": 2, "": 4}
    websites = {"shop0.example.com": 6, "shop1.example.com": 1, "shop2.example.com": 1, "": 2}
    assert labels(pixel, Dimension.WEBSITE) == websites
    assert SeenLabel.objects.filter(pixel=pixel).count() == 6
    assert counted(pixel) == {"received": 10}


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("three_labels_a_day")
def test_a_full_day_costs_no_query_for_further_labels(pixel: Pixel) -> None:
    write(pixel, *[(NOW, f"Event{n}", "", "received") for n in range(5)])
    with CaptureQueriesContext(connection) as queries:
        write(pixel, *[(NOW, f"Other{n}", "", "received") for n in range(5)])
    assert len(queries) == 1


@pytest.mark.usefixtures("three_labels_a_day")
def test_each_day_has_its_own_labels(pixel: Pixel) -> None:
    with time_machine.travel(NOW, tick=False) as clock:
        write(pixel, *[(NOW, f"Event{n}", "", "received") for n in range(4)])
        clock.shift(timedelta(minutes=1))
        tomorrow = NOW + timedelta(minutes=1)
        write(pixel, *[(tomorrow, f"Event{n}", "", "received") for n in (3, 4, 1)])
    days = Counter.objects.filter(span=Span.DAY, dimension=Dimension.EVENT_NAME).order_by("start", "label")
    assert [(row.start.day, row.label) for row in days] == [
        *((21, label) for label in ("", "Event0", "Event1", "Event2")),
        *((22, label) for label in ("Event1", "Event3", "Event4")),
    ]
    last_seen = dict(SeenLabel.objects.values_list("label", "last_seen__day"))
    assert last_seen == {"Event0": 21, "Event1": 22, "Event2": 21, "Event3": 22, "Event4": 22}


@pytest.mark.django_db(transaction=True)
def test_labels_of_a_batch_that_is_rolled_back_are_asked_for_again(pixel: Pixel) -> None:
    from django.db import transaction

    with transaction.atomic():
        write(pixel, (NOW, "Purchase", "", "received"))
        transaction.set_rollback(True)
    write(pixel, (NOW, "Purchase", "", "received"))
    assert SeenLabel.objects.get(pixel=pixel).label == "Purchase"
    assert counted(pixel) == {"received": 1}


@pytest.mark.usefixtures("three_labels_a_day")
def test_events_are_taken_out_of_where_they_were_put(pixel: Pixel) -> None:
    failures = [(NOW, f"Event{n}", f"shop{n}.example.com", "failed") for n in range(5)]
    with time_machine.travel(NOW, tick=False) as clock:
        write(pixel, *failures)
        clock.shift(timedelta(days=1))
        write(pixel, (clock_now(), "Event4", "", "received"))
        write(pixel, *[(*failure, -1) for failure in failures])
    assert not Counter.objects.exclude(failed=0).exists()


@pytest.mark.usefixtures("three_labels_a_day")
def test_what_has_waited_takes_no_room_of_the_day_on_which_it_is_settled(pixel: Pixel) -> None:
    tomorrow = NOW + timedelta(minutes=1)
    tally = Tally()
    for n in range(4):
        tally.add(NOW, f"Old{n}", "", "received")
        tally.add(tomorrow, f"Old{n}", "", "published", received_at=NOW)
    tally.write(pixel.pk)
    write(pixel, *[(tomorrow, f"New{n}", "", "received") for n in range(3)])
    days = Counter.objects.filter(pixel=pixel, dimension=Dimension.EVENT_NAME, span=Span.DAY).order_by("start", "label")
    assert [(row.start.day, row.label) for row in days if row.received] == [
        *((21, label) for label in ("", "Old0", "Old1", "Old2")),
        *((22, label) for label in ("New0", "New1", "New2")),
    ]
    assert [row.label for row in days if row.published] == ["", "Old0", "Old1", "Old2"]


def test_a_late_event_does_not_make_its_name_look_older(pixel: Pixel) -> None:
    write(pixel, (NOW, "Purchase", "", "received"))
    write(pixel, (NOW - timedelta(days=3), "Purchase", "", "received"))
    assert SeenLabel.objects.get().last_seen == NOW.date()


def clock_now() -> datetime:
    return datetime.now(UTC)


def test_a_large_tally_fits_into_statements_that_sqlite_takes(pixel: Pixel) -> None:
    write(pixel, *[(NOW, f"Event{n}", f"shop{n}.example.com", "received") for n in range(600)])
    assert Counter.objects.filter(pixel=pixel).count() == 3 * (1 + 501 + 501)
    assert counted(pixel, Dimension.WEBSITE, "") == {"received": 100}


@given(
    batches=st.lists(
        st.lists(
            st.tuples(
                st.integers(0, 3_000),
                st.sampled_from("ABCDE"),
                st.sampled_from(["", "a.example", "b.example", "c.example", "d.example"]),
                st.sampled_from(["received", "published", "failed"]),
            ),
            max_size=30,
        ),
        max_size=4,
    )
)
@hypothesis_settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
def test_every_dimension_of_every_span_has_the_same_sum(
    batches: list[list[tuple[int, str, str, str]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counting, "LABELS_A_DAY", 3)
    pixel = PixelFactory.create()
    expected: Multiset[str] = Multiset()
    for batch in batches:
        for ago, *rest, column in batch:
            write(pixel, *[(NOW - timedelta(minutes=ago), *rest, each) for each in ("received", column)])
            expected.update(("received", column))
    for span in Span:
        assert counted(pixel, span=span) == dict(expected)
        assert counted(pixel, Dimension.EVENT_NAME, span=span) == dict(expected)
    for dimension in (Dimension.EVENT_NAME, Dimension.WEBSITE):
        rows = Counter.objects.filter(pixel=pixel, dimension=dimension, span=Span.DAY)
        assert max(Multiset(rows.exclude(label="").values_list("start", flat=True)).values(), default=0) <= 3

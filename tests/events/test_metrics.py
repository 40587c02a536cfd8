"""Figures of a time window, against the events that were counted."""

from __future__ import annotations

from collections import Counter as Multiset
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from accounts.principals import OPERATOR
from events.figures import counting, metrics
from events.figures.accounts import of_pixels
from events.figures.counting import Tally
from events.figures.metrics import Metrics, event_metrics, totals, websites
from events.figures.roads import Counts
from events.figures.series import Chart, series
from events.models import Counter, SeenLabel
from events.retention import MINUTES_KEPT
from pixels.models import Pixel
from pixels.reads import read_account
from pixels.traffic import Totals
from tests.events.metered import NOW, ago, count
from tests.factories import PixelFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _clock() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def pixel() -> Pixel:
    return PixelFactory.create()


def activities(found: Metrics) -> list[tuple[str, int, int]]:
    return [(activity.name, *activity.together[:2]) for activity in found.names]


def test_totals_count_the_last_minutes_of_each_pixel(pixel: Pixel) -> None:
    other, idle = PixelFactory.create(), PixelFactory.create()
    count(pixel, ago(seconds=5))
    count(pixel, ago(minutes=59), n=2)
    count(pixel, ago(minutes=59), "published")
    count(pixel, ago(minutes=62), n=100)
    count(other, ago(hours=0.5), n=7)

    found = totals([pixel.pk, other.pk, idle.pk], 60)

    assert found == {pixel.pk: Totals(3, 1), other.pk: Totals(7, 0)}
    accounts = [read_account(OPERATOR, each.tenant_id, minutes=60) for each in (pixel, other, idle)]
    assert [[view.totals for view in account.pixels or ()] for account in accounts] == [
        [Totals(3, 1)],
        [Totals(7, 0)],
        [None],
    ]


@pytest.mark.parametrize("chart", [Chart.DAY, Chart.WEEK, Chart.MONTH])
@pytest.mark.parametrize(
    ("age", "kept_as"),
    [
        (timedelta(minutes=4), timedelta(minutes=1)),
        (timedelta(minutes=33), timedelta(minutes=1)),  # in the hour before
        (timedelta(hours=13, minutes=7), timedelta(minutes=1)),  # on the day before
        (timedelta(days=3, minutes=33), timedelta(hours=1)),
    ],
)
def test_the_newest_event_of_a_name_is_told_as_exactly_as_it_is_kept(
    pixel: Pixel, chart: Chart, age: timedelta, kept_as: timedelta
) -> None:
    if age > timedelta(minutes=chart.minutes):
        return
    for earlier in (timedelta(), timedelta(minutes=3), timedelta(hours=9)):
        count(pixel, NOW - age - earlier)
    count(pixel, NOW, "published")
    Counter.objects.filter(span=Counter.Span.MINUTE, start__lt=NOW - MINUTES_KEPT).delete()

    found = metrics.activities(of_pixels([pixel.pk]), chart.minutes, Counter.Dimension.EVENT_NAME)
    (purchase,) = metrics.told_to_the_minute(found, of_pixels([pixel.pk]), Counter.Dimension.EVENT_NAME)

    assert purchase.updated_at is not None
    assert timedelta() <= (NOW - age) - purchase.updated_at < kept_as


def test_a_window_reaches_over_midnight_hours_and_days(pixel: Pixel) -> None:
    for hours in range(24 * 10):
        count(pixel, ago(hours=hours))

    for hours in (1, 13, 24, 47, 72, 200):
        # Where minutes are no longer kept, the window begins with a whole hour.
        assert totals([pixel.pk], hours * 60)[pixel.pk].received == hours + 1, hours


def test_metrics_tell_names_totals_and_the_rate_of_success(pixel: Pixel) -> None:
    count(pixel, ago(minutes=3), n=5, name="Purchase")
    count(pixel, ago(minutes=2), "published", 3, name="Purchase")
    count(pixel, ago(minutes=2), "failed", name="Purchase")
    count(pixel, ago(minutes=1), n=9, name="Lead")
    count(pixel, ago(minutes=1), "dropped_by_event_filter", 9, name="Lead")

    found = event_metrics([pixel.pk], 60)

    assert activities(found) == [("Lead", 9, 0), ("Purchase", 5, 3)]
    assert (*found.counts.together[:2], found.names_received, found.names_published) == (14, 3, 2, 1)
    assert found.counts.together.success_rate == 0.75


def test_without_attempts_the_rate_is_nought(pixel: Pixel) -> None:
    count(pixel, ago(minutes=1))

    assert event_metrics([pixel.pk], 60).counts.together.success_rate == 0.0
    assert event_metrics([], 60).counts.together.success_rate == 0.0


def test_websites_are_counted_apart_and_can_be_left_out(pixel: Pixel) -> None:
    count(pixel, ago(minutes=1), website="shop.example.com", n=2)
    count(pixel, ago(minutes=1), website="www.example.com", n=3)
    count(pixel, ago(minutes=1))

    assert [(row.name, row.together.received) for row in event_metrics([pixel.pk], 60).websites] == [
        ("www.example.com", 3),
        ("shop.example.com", 2),
    ]
    assert event_metrics([pixel.pk], 60, by_website=False).websites == []


@pytest.mark.parametrize(
    ("moment", "window", "told"),
    [
        (ago(seconds=20), 60, "2026-11-21T12:30"),
        (ago(minutes=29), 43_200, "2026-11-21T12:01"),
        (ago(minutes=55), 60, "2026-11-21T11:35"),
        (ago(hours=10), 1_440, "2026-11-21T02:00"),
        (ago(days=12), 43_200, "2026-11-09T00:00"),
    ],
)
def test_the_newest_event_is_told_as_it_was_counted(pixel: Pixel, moment: datetime, window: int, told: str) -> None:
    count(pixel, moment)
    count(pixel, moment - timedelta(minutes=window / 20))
    count(pixel, NOW, "published")

    (activity,) = event_metrics([pixel.pk], window).names

    assert activity.updated_at == datetime.fromisoformat(f"{told}:00+00:00")


def test_what_is_counted_together_is_called_other_and_comes_last(pixel: Pixel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "LABELS_A_DAY", 1)
    count(pixel, ago(minutes=1), name="A")
    for name in "BCD":
        count(pixel, ago(minutes=1), name=name)

    found = event_metrics([pixel.pk], 60)

    assert activities(found) == [("A", 1, 0), ("Other", 3, 0)]
    assert [activity.label for activity in found.names] == ["A", ""]


def test_an_answer_tells_the_busiest_names_apart(pixel: Pixel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics, "LABELS_SHOWN", 2)
    for number, name in enumerate("ABCD", start=1):
        count(pixel, ago(minutes=number), n=number, name=name)

    found = event_metrics([pixel.pk], 60)

    assert activities(found) == [("D", 4, 0), ("C", 3, 0), ("Other", 3, 0)]
    assert (found.counts.together.received, found.names_received) == (10, 4)
    assert found.names[-1].updated_at == ago(minutes=1).replace(second=0)


@pytest.mark.parametrize("pixels", [1, 30])
def test_each_question_is_one_query_however_many_pixels(pixels: int) -> None:
    keys = [pixel.pk for pixel in PixelFactory.create_batch(pixels)]
    for ask in (
        lambda: totals(keys, 43_200),
        lambda: websites(keys),
        lambda: event_metrics(keys, 43_200),
        lambda: series(of_pixels(keys), Chart.MONTH),
    ):
        with CaptureQueriesContext(connection) as queries:
            ask()
        assert len(queries) == 1


def test_a_window_is_found_in_the_index(pixel: Pixel) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL reads small tables whole; its plans for large ones are told by the benchmarks.")
    with CaptureQueriesContext(connection) as queries:
        event_metrics([pixel.pk], 43_200)
    with connection.cursor() as cursor:
        plan = [row[3] for row in cursor.execute(f"EXPLAIN QUERY PLAN {queries[0]['sql']}").fetchall()]

    searches = [step for step in plan if "events_counter" in step]
    assert len(searches) == 4
    assert all("pixel_id=? AND span=? AND dimension=? AND start>? AND start<?" in step for step in searches), plan


def test_websites_are_those_of_the_last_thirty_days_by_name(pixel: Pixel) -> None:
    count(pixel, NOW, website="www.example.com")
    count(pixel, NOW, website="shop.example.com", name="Lead")
    SeenLabel.objects.create(pixel=pixel, dimension=2, label="old.example.com", last_seen=ago(days=31).date())
    SeenLabel.objects.create(pixel=pixel, dimension=2, label="kept.example.com", last_seen=ago(days=30).date())

    assert websites([pixel.pk]) == {pixel.pk: ["kept.example.com", "shop.example.com", "www.example.com"]}


def test_of_too_many_websites_those_seen_last_are_listed(pixel: Pixel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics, "WEBSITES_SHOWN", 2)
    for days, website in enumerate(["c.example", "b.example", "a.example"]):
        SeenLabel.objects.create(pixel=pixel, dimension=2, label=website, last_seen=ago(days=days).date())

    assert websites([pixel.pk]) == {pixel.pk: ["b.example", "c.example"]}


@pytest.mark.parametrize(
    ("chart", "points", "first"),
    [
        (Chart.HOUR, 61, "2026-11-21T11:30"),
        (Chart.DAY, 25, "2026-11-20T12:30"),
        # Where minutes are no longer kept, it begins with an hour.
        (Chart.WEEK, 169, "2026-11-14T12:00"),
        (Chart.MONTH, 31, "2026-10-22T12:00"),
    ],
)
def test_a_chart_has_a_point_for_every_span(pixel: Pixel, chart: Chart, points: int, first: str) -> None:
    count(pixel, NOW, n=3)
    count(pixel, NOW, "published")
    count(pixel, NOW, "dropped_by_event_filter")
    count(pixel, NOW, "dropped_publishing_off")

    found = series(of_pixels([pixel.pk]), chart).points

    assert len(found) == points
    assert found[0].start == datetime.fromisoformat(f"{first}:00+00:00")
    assert sum(point.together.received for point in found[:-1]) == 0
    assert found[-1].together == Counts(received=3, published=1, dropped=2)


def test_a_chart_adds_up_pixels_and_keeps_times_apart(pixel: Pixel) -> None:
    other = PixelFactory.create()
    count(pixel, ago(minutes=2))
    count(other, ago(minutes=2), n=2)
    count(other, ago(minutes=5), "expired", 4)
    count(other, ago(hours=2), n=9)

    found = series(of_pixels([pixel.pk, other.pk]), Chart.HOUR).points

    assert [point.together.received for point in found[-3:]] == [3, 0, 0]
    assert found[-6].together.expired == 4
    assert sum(point.together.received for point in found) == 3


def test_a_chart_holds_exactly_its_time_and_tells_which_points_are_parts(pixel: Pixel) -> None:
    for minutes in (0, 29, 31, 1_440, 1_441):
        count(pixel, ago(minutes=minutes))

    points, as_of, _ = series(of_pixels([pixel.pk]), Chart.DAY)

    assert as_of == NOW
    assert [point.start.strftime("%d %H:%M") for point in points if not point.is_whole] == ["20 12:30", "21 12:00"]
    assert [point.together.received for point in points if point.together.received] == [1, 1, 2]
    told = totals([pixel.pk], Chart.DAY.minutes)[pixel.pk]
    assert sum(point.together.received for point in points) == told.received == 4


@given(
    events=st.lists(st.tuples(st.integers(0, 6_000), st.sampled_from("ABC"), st.integers(1, 3)), max_size=30),
    minutes=st.integers(1, 5_000),
)
@hypothesis_settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
def test_a_window_holds_what_happened_in_it(events: list[tuple[int, str, int]], minutes: int) -> None:
    pixel = PixelFactory.create()
    tally = Tally()
    for minutes_ago, name, n in events:
        tally.add(ago(minutes=minutes_ago), name, "", "received", n)
    tally.write(pixel.pk)

    start = ago(minutes=minutes).replace(second=0)
    if minutes >= 2 * 24 * 60:
        start = start.replace(minute=0)
    expected: Multiset[str] = Multiset()
    for minutes_ago, name, n in events:
        if ago(minutes=minutes_ago) >= start:
            expected[name] += n

    found = {activity.name: activity.together.received for activity in event_metrics([pixel.pk], minutes).names}
    assert found == dict(expected)
    assert totals([pixel.pk], minutes).get(pixel.pk, Totals()).received == expected.total()

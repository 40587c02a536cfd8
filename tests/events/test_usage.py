"""The snapshot of the last 24 hours."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Tenant, UsageSnapshot
from events.figures.accounts import of_pixels
from events.figures.series import Chart, series
from events.figures.usage import refresh_usage
from tests.base import Cast
from tests.base import tenant as make_tenant
from tests.events.counted import NOW, ago, count
from tests.factories import PixelFactory
from tests.operations import run

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOW, tick=False) as clock:
        yield clock


def usage_of(tenant: Tenant) -> tuple[int, int, bool]:
    usage = UsageSnapshot.objects.get(tenant=tenant)
    return usage.total_events_received, usage.total_pixels_with_traffic, usage.publish_error


def test_the_snapshot_counts_the_last_24_hours(cast: Cast) -> None:
    one, two, idle = PixelFactory.create_batch(3, tenant=cast.shoes)
    count(one, ago(minutes=5), n=3)
    count(one, ago(hours=24), n=4)
    count(one, ago(hours=24, minutes=2), n=100)
    count(two, ago(hours=13), n=5)
    count(two, ago(hours=13), "published", 5)
    count(idle, ago(hours=3), "published")

    assert refresh_usage() == 1

    assert usage_of(cast.shoes) == (12, 2, False)
    assert UsageSnapshot.objects.get(tenant=cast.shoes).refreshed_at == NOW


def test_the_snapshot_says_how_much_was_sent_and_how_much_failed(cast: Cast, clock: time_machine.Traveller) -> None:
    one, two = PixelFactory.create_batch(2, tenant=cast.shoes)
    count(one, ago(minutes=5), "published", 20)
    count(two, ago(minutes=5), "published", 5)
    count(two, ago(hours=3), "failed")

    refresh_usage()
    usage = UsageSnapshot.objects.get(tenant=cast.shoes)
    assert (usage.total_events_published, usage.total_events_failed, usage.publish_error) == (25, 1, True)

    clock.shift(timedelta(days=2))
    refresh_usage()
    usage.refresh_from_db()
    assert (usage.total_events_published, usage.total_events_failed, usage.publish_error) == (0, 0, False)


def test_the_snapshot_says_what_the_overview_says(cast: Cast) -> None:
    one, two = PixelFactory.create_batch(2, tenant=cast.shoes)
    for minutes in (0, 31, 24 * 60 - 31, 24 * 60 - 1, 24 * 60, 24 * 60 + 1, 24 * 60 + 31, 25 * 60):
        count(one, ago(minutes=minutes), n=minutes + 1)
        count(two, ago(minutes=minutes))

    refresh_usage()

    shown = series(of_pixels([one.pk, two.pk]), Chart.DAY).points
    assert usage_of(cast.shoes)[0] == sum(point.together.received for point in shown) > 0


@pytest.mark.parametrize("column", ["publish_errors", "failed"])
def test_any_failed_publish_is_told(cast: Cast, column: str) -> None:
    count(PixelFactory.create(tenant=cast.shoes), ago(hours=20), column)

    refresh_usage()

    assert usage_of(cast.shoes) == (0, 0, True)


def test_accounts_are_counted_apart_and_those_without_news_left_alone(cast: Cast) -> None:
    count(PixelFactory.create(tenant=cast.shoes), ago(hours=1), n=2)
    count(PixelFactory.create(tenant=cast.books), ago(hours=1), n=3)
    PixelFactory.create(tenant=cast.other)

    assert refresh_usage() == 2

    assert [usage_of(tenant)[0] for tenant in (cast.shoes, cast.books, cast.other)] == [2, 3, 0]
    assert UsageSnapshot.objects.get(tenant=cast.other).refreshed_at is None


@pytest.mark.parametrize("column", ["received", "publish_errors"])
def test_what_has_passed_falls_to_nought_once_and_is_then_left_alone(
    cast: Cast, clock: time_machine.Traveller, column: str
) -> None:
    count(PixelFactory.create(tenant=cast.shoes), NOW, column)
    refresh_usage()

    clock.shift(timedelta(hours=24, minutes=2))
    assert refresh_usage() == 1
    assert usage_of(cast.shoes) == (0, 0, False)
    fallen_at = UsageSnapshot.objects.get(tenant=cast.shoes).refreshed_at
    assert fallen_at == NOW + timedelta(hours=24, minutes=2)

    clock.shift(timedelta(minutes=5))
    assert refresh_usage() == 0
    assert UsageSnapshot.objects.get(tenant=cast.shoes).refreshed_at == fallen_at


def test_a_snapshot_falls_even_after_a_week_without_a_refresh(cast: Cast, clock: time_machine.Traveller) -> None:
    count(PixelFactory.create(tenant=cast.shoes), NOW)
    refresh_usage()
    clock.shift(timedelta(days=7))

    refresh_usage()

    assert usage_of(cast.shoes) == (0, 0, False)


def test_with_its_pixels_an_accounts_usage_goes(cast: Cast, clock: time_machine.Traveller) -> None:
    pixel = PixelFactory.create(tenant=cast.shoes)
    count(pixel, NOW)
    refresh_usage()
    pixel.delete()
    clock.shift(timedelta(minutes=5))

    refresh_usage()

    assert usage_of(cast.shoes) == (0, 0, False)


def test_a_refresh_takes_as_many_statements_for_many_accounts_as_for_one(cast: Cast) -> None:
    def statements() -> int:
        with CaptureQueriesContext(connection) as queries:
            refresh_usage()
        return len(queries)

    count(PixelFactory.create(tenant=cast.shoes), NOW)
    one = statements()
    for number in range(20):
        count(PixelFactory.create(tenant=make_tenant(f"Account {number}")), NOW)
    assert statements() == one


def test_a_refresh_reads_neither_all_accounts_nor_all_pixels(cast: Cast) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL reads small tables whole.")
    count(PixelFactory.create(tenant=cast.shoes), NOW)
    with CaptureQueriesContext(connection) as queries:
        refresh_usage()
    statements = [query["sql"] for query in queries if query["sql"].startswith(("SELECT", "UPDATE"))]
    assert len(statements) == 5
    with connection.cursor() as cursor:
        plan = [row[3] for sql in statements for row in cursor.execute(f"EXPLAIN QUERY PLAN {sql}").fetchall()]

    small = ("json_each", "usage_not_nought")  # what is being written, and an index of few rows
    assert not [step for step in plan if step.startswith("SCAN") and not any(map(step.count, small))], plan


def test_the_api_tells_the_usage_and_its_time(cast: Cast) -> None:
    count(PixelFactory.create(tenant=cast.books), ago(hours=1), n=3)
    refresh_usage()

    answer = run(cast.hanna, "tenantUsage", tenantId=cast.books.pk)

    assert answer.data["tenantUsage"]["tenantUsageByTraffic"] == {
        "totalEventsReceived": 3,
        "totalPixelsWithTraffic": 1,
        "publishError": False,
        "durationInHours": 24,
        "lastUpdatedAt": "1795264240000",
    }

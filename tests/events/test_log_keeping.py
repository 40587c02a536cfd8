"""How long the delivery log is kept, how large it grows, and that it goes with its pixel and its account."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from accounts.principals import OPERATOR
from accounts.services.tenants import delete_tenant
from common import partitions
from events.delivery.log import keeping
from events.delivery.log.keeping import estimated_size_of_log, prune_log, size_of_log
from events.models import DeliveryBatch, DeliveryKey
from events.models.log import first_id_at
from pixels.models import Pixel
from tests.events.logged import logged
from tests.factories import DeliveryFactory, PixelFactory

pytestmark = pytest.mark.django_db
on_postgresql = pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has plain tables")

#: Within a day that has a part of its own since the tables were made, whatever the hour.
NOW = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0)


@pytest.fixture
def pixel() -> Pixel:
    return PixelFactory.create()


def put_on_days(pixel: Pixel, *days: int) -> None:
    """Log an event on each day, counted from today."""
    for day in days:
        DeliveryFactory.create(pixel=pixel, event_id=f"day {day}", at=NOW + timedelta(days=day))


def logged_ids(pixel: Pixel) -> list[str]:
    return [line.event_id for line in logged(pixel)]


def days_of_parts() -> Iterator[datetime]:
    for part in partitions.parts_of(DeliveryBatch):
        yield datetime.fromtimestamp((part.first >> 10) / 1e6, UTC)


def is_consistent() -> bool:
    """Have the batches keys, and the keys batches?"""
    batches = set(DeliveryBatch.objects.values_list("pk", flat=True))
    return batches == set(DeliveryKey.objects.values_list("batch", flat=True))


def test_what_is_older_than_the_days_goes_and_the_rest_stays(pixel: Pixel, settings: Settings) -> None:
    settings.DELIVERY_LOG_DAYS = 3
    put_on_days(pixel, -5, -4, -2, 0)
    prune_log(NOW)
    assert logged_ids(pixel) == ["day -2", "day 0"]
    assert is_consistent()


def test_with_no_days_all_of_it_goes(pixel: Pixel, settings: Settings) -> None:
    put_on_days(pixel, -2, 0)
    settings.DELIVERY_LOG_DAYS = 0
    prune_log(NOW + timedelta(hours=1))
    assert logged(pixel) == []
    assert is_consistent()


def test_days_of_years_ago_and_to_come_are_kept_in_the_default_part(pixel: Pixel) -> None:
    """Whatever the clock said, and whether parts were made or not, what was settled is in the log."""
    put_on_days(pixel, -900, 900)
    assert logged_ids(pixel) == ["day -900", "day 900"]


def test_beyond_its_size_the_oldest_day_goes_first(
    pixel: Pixel, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_on_days(pixel, -3, -2, -2, 0)
    monkeypatch.setattr(keeping, "size_of_log", DeliveryBatch.objects.count)
    settings.DELIVERY_LOG_MAX_BYTES = 3
    prune_log(NOW)
    assert logged_ids(pixel) == ["day -2", "day -2", "day 0"]
    settings.DELIVERY_LOG_MAX_BYTES = 2
    prune_log(NOW)
    assert logged_ids(pixel) == ["day 0"]
    assert is_consistent()


def test_today_goes_too_where_it_alone_is_too_large(
    pixel: Pixel, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_on_days(pixel, 0)
    monkeypatch.setattr(keeping, "size_of_log", lambda: 1_000_000)
    settings.DELIVERY_LOG_MAX_BYTES = 1
    prune_log(NOW)
    assert logged(pixel) == []
    put_on_days(pixel, 0)
    assert logged_ids(pixel) == ["day 0"]


def test_no_further_day_goes_while_the_database_keeps_the_room_of_the_first(
    pixel: Pixel, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_on_days(pixel, -2, -1, 0)
    monkeypatch.setattr(keeping, "size_of_log", lambda: 1_000_000)
    settings.DELIVERY_LOG_MAX_BYTES = 1
    prune_log(NOW)
    assert logged_ids(pixel) == ["day -1", "day 0"]


def test_its_size_grows_with_it(pixel: Pixel) -> None:
    before = size_of_log()
    DeliveryFactory.create_batch(100, pixel=pixel)
    assert size_of_log() > before


def test_pages_are_told_of_it_without_reading_all(pixel: Pixel, monkeypatch: pytest.MonkeyPatch) -> None:
    assert estimated_size_of_log() >= 0
    DeliveryFactory.create_batch(100, pixel=pixel)
    exact = size_of_log()
    assert estimated_size_of_log() == exact

    monkeypatch.setattr(keeping, "BATCHES_SAMPLED", 10)
    with CaptureQueriesContext(connection) as queries:
        assert estimated_size_of_log() == pytest.approx(exact, rel=0.1)
    if not partitions.are_used():
        assert all("LENGTH" not in each["sql"] or ">=" in each["sql"] for each in queries.captured_queries)


@on_postgresql
def test_a_day_is_a_part_and_forgetting_drops_it(pixel: Pixel, settings: Settings) -> None:
    settings.DELIVERY_LOG_DAYS = 2
    prune_log(NOW)
    put_on_days(pixel, 0, 1)
    day = NOW.replace(hour=0)
    assert {day, day + timedelta(days=1)} <= set(days_of_parts())
    prune_log(NOW + timedelta(days=3))
    assert min(days_of_parts()) == day + timedelta(days=1)
    assert logged_ids(pixel) == ["day 1"]


@on_postgresql
def test_parts_are_made_ahead(pixel: Pixel) -> None:
    later = NOW + timedelta(days=40)
    prune_log(later)
    day = later.replace(hour=0)
    assert set(days_of_parts()) >= {day + timedelta(days=ahead) for ahead in range(keeping.DAYS_AHEAD + 1)}


@on_postgresql
def test_a_day_that_has_begun_without_a_part_goes_on_in_the_default_one(
    pixel: Pixel, caplog: pytest.LogCaptureFixture, settings: Settings
) -> None:
    settings.DELIVERY_LOG_DAYS = 5
    put_on_days(pixel, 40)
    prune_log(NOW + timedelta(days=40))
    assert "No part was made" in caplog.text
    put_on_days(pixel, 40, 41)
    assert logged_ids(pixel) == ["day 40", "day 40", "day 41"]
    prune_log(NOW + timedelta(days=46))
    assert logged_ids(pixel) == ["day 41"]
    assert is_consistent()


@on_postgresql
def test_a_search_reads_an_index_alone(pixel: Pixel) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(
            "EXPLAIN SELECT batch FROM events_deliverykey WHERE tenant_id = %s AND key IN (1, 99) "
            "AND position('\\x00'::bytea IN digests) > 0 AND batch >= %s",
            [pixel.tenant_id, first_id_at(timezone.now())],
        )
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "Index Only Scan" in plan
    assert "Seq Scan" not in plan


def test_a_pixel_takes_its_log_with_it(pixel: Pixel) -> None:
    other = PixelFactory.create(tenant=pixel.tenant)
    for each in (pixel, other):
        DeliveryFactory.create(pixel=each)
    pixel.delete()
    assert [batch.pixel for batch in DeliveryBatch.objects.all()] == [other.pk]
    assert is_consistent()


def test_an_account_takes_its_log_with_it(pixel: Pixel) -> None:
    other = PixelFactory.create()
    for each in (pixel, other):
        DeliveryFactory.create(pixel=each)
    delete_tenant(principal=OPERATOR, tenant_id=pixel.tenant_id)
    assert [batch.tenant_id for batch in DeliveryBatch.objects.all()] == [other.tenant_id]
    assert is_consistent()

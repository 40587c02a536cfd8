"""A moment, and what can be wrong at it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from alerts.models import Incident
from events.models import Counter
from pixels.models import Pixel
from tests.base import Cast
from tests.factories import OutboxRowFactory, PixelFactory

NOW = datetime(2026, 3, 4, 10, 30, tzinfo=UTC)
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


def rejected(cast: Cast) -> Pixel:
    return PixelFactory.create(tenant=cast.shoes, name="Shop", bad_token=True, api_error_code="190")


def open_rules() -> list[str]:
    return sorted(Incident.objects.filter(closed_at=None).values_list("rule", flat=True))


def hour_of(pixel: Pixel, **counts: int) -> None:
    start = NOW.replace(minute=0)
    Counter.objects.create(pixel=pixel, span=Counter.Span.HOUR, dimension=0, start=start, **counts)


def break_waiting(cast: Cast) -> Any:
    row = OutboxRowFactory.create(pixel=PixelFactory.create(tenant=cast.shoes), received_at=NOW - 31 * MINUTE)
    return row.delete

"""Events that were counted at a time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from events.figures.counting import Tally
from events.models import Road
from pixels.models import Pixel

NOW = datetime(2026, 11, 21, 12, 30, 40, tzinfo=UTC)


def ago(**values: float) -> datetime:
    return NOW - timedelta(**values)


def count(
    pixel: Pixel, at: datetime, column: str = "received", n: int = 1, *, website: str = "", road: Road = Road.SERVER
) -> None:
    tally = Tally()
    tally.add(at, None if column == "publish_errors" else "Purchase", website, column, n, road=road)
    tally.write(pixel.pk)

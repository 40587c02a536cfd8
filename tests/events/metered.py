"""Events that are counted at a moment of a time that stands still."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from events.figures.counting import Tally
from pixels.models import Pixel

NOW = datetime(2026, 11, 21, 12, 30, 40, tzinfo=UTC)


def ago(**values: float) -> datetime:
    return NOW - timedelta(**values)


def count(
    pixel: Pixel, at: datetime, column: str = "received", n: int = 1, *, name: str = "Purchase", website: str = ""
) -> None:
    tally = Tally()
    tally.add(at, name, website, column, n)
    tally.write(pixel.pk)

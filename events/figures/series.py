"""What charts show: the events of some pixels over a time, point by point; or all of an account's.

Whoever asks has made sure that the principal may look into their account.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import NamedTuple

from django.utils import timezone

from events.figures.accounts import Part, summed
from events.figures.roads import ByRoad, Counts
from events.figures.windows import LENGTHS, Span, floor, last_minutes
from events.models import Counter


class Chart(Enum):
    """The times that charts show: the span of a point, and how many minutes it reaches back."""

    HOUR = (Span.MINUTE, 60)
    DAY = (Span.HOUR, 24 * 60)
    WEEK = (Span.HOUR, 7 * 24 * 60)
    MONTH = (Span.DAY, 30 * 24 * 60)

    def __init__(self, span: Counter.Span, minutes: int) -> None:
        self.span = span
        self.minutes = minutes


@dataclass(frozen=True, slots=True, kw_only=True)
class Point(ByRoad):
    """A point of a chart: what happened from ``start`` to the end of its minute, hour or day.

    The first one may begin within its span, and the last one is still running: they count part of it.
    """

    start: datetime
    is_whole: bool = True


class Series(NamedTuple):
    """A chart's points, the oldest first, with noughts where nothing happened; together exactly its time."""

    points: list[Point]
    as_of: datetime
    #: Of the parts that were added up, by number, those of which something was counted.
    parts: frozenset[int]


def series(parts: Sequence[Part], chart: Chart, now: datetime | None = None) -> Series:
    """What passed in the chart's time, which ends now: its points add up to what ``totals`` counts of it."""
    now = now or timezone.now()
    stretches = last_minutes(chart.minutes, now, coarsest=chart.span)
    first, last = stretches[0].start, floor(now, chart.span)
    found: dict[datetime, list[ByRoad]] = {}
    rows = list(summed(parts, stretches, Counts._fields, "start", dimension=Counter.Dimension.TOTAL))
    for row in rows:
        found.setdefault(floor(row.key[0], chart.span), []).append(row.counts)
    points = []
    start = floor(first, chart.span)
    while start <= last:
        is_whole = first <= start < last
        points.append(Point.added(found.get(start, ()), start=max(start, first), is_whole=is_whole))
        start += LENGTHS[chart.span]
    return Series(points, now, frozenset(row.part for row in rows))

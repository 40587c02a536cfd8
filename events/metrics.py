"""Figures of pixels over a time, from their counters: one query for each question, however many pixels.

The pixels are given by primary key; whoever asks has made sure that the principal may look into their account.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from functools import reduce
from operator import add
from typing import NamedTuple

from django.db.models import F, Max, Q, Sum, Window
from django.db.models.functions import RowNumber
from django.utils import timezone

from events.models import LABELS_KEPT, OTHER, Counter, SeenLabel
from events.windows import LENGTHS, Span, Stretch, floor, last_minutes, within
from pixels.traffic import Totals

#: What stands for the names and websites that are counted together (``models.OTHER``).
OTHER_NAME = "Other"
#: At most so many names and websites are told apart in an answer: the busiest ones.
LABELS_SHOWN = 1_000
#: At most so many websites of a pixel are listed: those seen last.
WEBSITES_SHOWN = 500

_DROPPED = (
    "dropped_by_event_filter",
    "dropped_by_domain_filter",
    "dropped_receiving_off",
    "dropped_publishing_off",
)


def totals(pixels: Collection[int], minutes: int, now: datetime | None = None) -> Mapping[int, Totals]:
    """Received and published events of each pixel in the last ``minutes``."""
    window = within(last_minutes(minutes, now), pixel__in=pixels, dimension=Counter.Dimension.TOTAL)
    rows = Counter.objects.filter(window).values_list("pixel_id").annotate(Sum("received"), Sum("published"))
    return {pixel: Totals(received, published) for pixel, received, published in rows}


def websites(pixels: Collection[int], now: datetime | None = None) -> Mapping[int, list[str]]:
    """The websites seen on each pixel's events in the last 30 days, by name."""
    since = (now or timezone.now()) - LABELS_KEPT
    newest_first = Window(RowNumber(), partition_by="pixel_id", order_by=["-last_seen", "label"])
    rows = (
        SeenLabel.objects.filter(pixel__in=pixels, dimension=Counter.Dimension.WEBSITE, last_seen__gte=since.date())
        .annotate(place=newest_first)
        .filter(place__lte=WEBSITES_SHOWN)
        .values_list("pixel_id", "label")
    )
    found: dict[int, list[str]] = {}
    for pixel, website in sorted(rows):
        found.setdefault(pixel, []).append(website)
    return found


class Activity(NamedTuple):
    """The events of one name or website; an empty one stands for those that are counted together."""

    label: str
    received: int
    published: int
    failed: int = 0
    #: The newest received event: its minute within this hour, else its hour or day, as it was counted.
    updated_at: datetime | None = None

    @property
    def name(self) -> str:
        """How it is shown."""
        return self.label or OTHER_NAME


class Metrics:
    """What passed on some pixels, by event name and by website."""

    def __init__(self, names: list[Activity], websites: list[Activity]) -> None:
        self.names = _busiest(names)
        self.websites = _busiest(websites)
        self.received = sum(activity.received for activity in names)
        self.published = sum(activity.published for activity in names)
        self.failed = sum(activity.failed for activity in names)
        self.names_received = sum(activity.received > 0 for activity in names)
        self.names_published = sum(activity.published > 0 for activity in names)

    @property
    def success_rate(self) -> float:
        """The part of the attempts that succeeded; 0.0 without any."""
        attempts = self.published + self.failed
        return self.published / attempts if attempts else 0.0


def event_metrics(
    pixels: Collection[int], minutes: int, now: datetime | None = None, *, by_website: bool = True
) -> Metrics:
    """The events of the last ``minutes`` on all the pixels together."""
    dimensions = [Counter.Dimension.EVENT_NAME, *([Counter.Dimension.WEBSITE] if by_website else [])]
    stretches = last_minutes(minutes, now, newest_apart=True)
    rows = (
        Counter.objects.filter(within(stretches, pixel__in=pixels, dimension__in=dimensions))
        .values_list("dimension", "label")
        .annotate(Sum("received"), Sum("published"), Sum("failed"), newest=Max("start", filter=Q(received__gt=0)))
    )
    found: dict[int, list[Activity]] = {dimension: [] for dimension in Counter.Dimension}
    for dimension, *values in rows:
        found[dimension].append(Activity(*values))
    return Metrics(found[Counter.Dimension.EVENT_NAME], found[Counter.Dimension.WEBSITE])


def _busiest(activities: list[Activity]) -> list[Activity]:
    """The busiest first; those that are too many are counted to the others, which come last."""
    ranked = sorted(activities, key=lambda activity: (not activity.label, -activity.received, activity.label))
    shown, rest = ranked[:LABELS_SHOWN], ranked[LABELS_SHOWN:]
    if not rest:
        return shown
    times = [activity.updated_at for activity in rest if activity.updated_at]
    received, published, failed = (sum(column) for column in zip(*(row[1:4] for row in rest), strict=True))
    return [*shown, Activity(OTHER, received, published, failed, max(times, default=None))]


class Chart(Enum):
    """The times that charts show: the span of a point, and the number of points."""

    HOUR = (Span.MINUTE, 60, "1 hour")
    DAY = (Span.HOUR, 24, "24 hours")
    WEEK = (Span.HOUR, 7 * 24, "7 days")
    MONTH = (Span.DAY, 30, "30 days")

    def __init__(self, span: Counter.Span, points: int, label: str) -> None:
        self.span = span
        self.points = points
        self.label = label


@dataclass(frozen=True, slots=True)
class Point:
    """A point of a chart: what happened in the span that begins at ``start``."""

    start: datetime
    received: int = 0
    published: int = 0
    failed: int = 0
    expired: int = 0
    dropped: int = 0


def series(pixels: Collection[int], chart: Chart, now: datetime | None = None) -> list[Point]:
    """The chart's points, the oldest first, and the last one still running; with noughts where nothing happened."""
    last = floor(now or timezone.now(), chart.span)
    starts = [last - n * LENGTHS[chart.span] for n in range(chart.points - 1, -1, -1)]
    found = {
        point.start: point for point in _points(pixels, Stretch(chart.span, starts[0], last + LENGTHS[chart.span]))
    }
    return [found.get(start) or Point(start) for start in starts]


def _points(pixels: Collection[int], stretch: Stretch) -> Iterator[Point]:
    dropped = reduce(add, map(F, _DROPPED))
    rows = (
        Counter.objects.filter(within([stretch], pixel__in=pixels, dimension=Counter.Dimension.TOTAL))
        .values_list("start")
        .annotate(Sum("received"), Sum("published"), Sum("failed"), Sum("expired"), all_dropped=Sum(dropped))
    )
    for values in rows:
        yield Point(*values)

"""Figures of pixels over a time, from their counters: one query for each question, however many pixels.

The pixels are given by primary key; whoever asks has made sure that the principal may look into their account.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache, reduce
from itertools import chain, count
from operator import or_
from typing import Any, cast

from django.db.models import DateTimeField, Exists, Max, OuterRef, QuerySet, Sum, Window
from django.db.models.functions import RowNumber
from django.utils import timezone

from common import budget
from common.statements import Among, Param, Statement, Sums
from events.figures.accounts import Part, Summed, of_pixels, summed
from events.figures.books import PIXELS, Book
from events.figures.roads import ByRoad
from events.figures.windows import LENGTHS, Span, Stretch, floor, last_minutes, within
from events.models import OTHER, Counter, SeenLabel
from events.retention import LABELS_KEPT, MINUTES_KEPT
from pixels.traffic import Column, Totals

#: What stands for the names and websites that are counted together (``models.OTHER``).
OTHER_NAME = "Other"
#: At most so many names and websites are told apart in an answer: the busiest ones.
LABELS_SHOWN = 1_000
#: At most so many websites of a pixel are listed: those seen last.
WEBSITES_SHOWN = 500

_Dimension = Counter.Dimension
#: The fates that are told of names and websites.
_ACTIVE = ("received", "published", "failed")


def totals(pixels: Collection[int], minutes: int, now: datetime | None = None) -> Mapping[int, Totals]:
    """The events of each pixel in the last ``minutes``."""
    spans, times = _window(minutes, now)
    rows = _totals(spans).all(pixels=pixels, **times)
    return {pixel: Totals(*sums) for pixel, *sums in rows}


def totals_column(minutes: int, now: datetime | None = None) -> Column:
    """Received and published events as a column of a statement about pixels; null without traffic."""
    spans, times = _window(minutes, now)
    return Column(_column(spans), times)


def happened(column: str, minutes: int, now: datetime) -> Exists:
    """Were there events of this fate in the last ``minutes`` on the pixel that a query's row is about?"""
    told = {"pixel": OuterRef("pk"), "dimension": _Dimension.TOTAL, f"{column}__gt": 0}
    return Exists(Counter.objects.filter(within(last_minutes(minutes, now), **told)))


_Spans = tuple[Counter.Span, ...]
#: The counters' columns of ``Totals``.
_TOTALS = [{"errors": "publish_errors"}.get(name, name) for name in Totals.__struct_fields__]
_SUMMED = _TOTALS[:2]


def _window(minutes: int, now: datetime | None) -> tuple[_Spans, Mapping[str, datetime]]:
    """The spans of the last ``minutes``, and when each begins and ends: ``time0`` to ``time1``, and so on."""
    return _window_in((now or timezone.now()).replace(second=0, microsecond=0), minutes)


@lru_cache(maxsize=32)
def _window_in(minute: datetime, minutes: int) -> tuple[_Spans, Mapping[str, datetime]]:
    """The same for all of a minute: nothing finer is counted."""
    stretches = last_minutes(minutes, minute)
    times = enumerate(chain(*(stretch[1:] for stretch in stretches)))
    return tuple(stretch.span for stretch in stretches), {f"time{number}": time for number, time in times}


@lru_cache(maxsize=32)
def _totals(spans: _Spans) -> Statement[list[Any]]:
    """The sums of ``pixels``, each with its key."""
    condition = within(_stretches(spans), Among("pixel_id", "pixels"), dimension=_Dimension.TOTAL)
    return Statement(Counter.objects.filter(condition).values("pixel_id"), "pixel_id", *map(Sum, _TOTALS))


@lru_cache(maxsize=32)
def _column(spans: _Spans) -> Sums:
    """The sums of the pixel that a row is about."""
    conditions = (within([one], pixel=OuterRef("pk"), dimension=_Dimension.TOTAL) for one in _stretches(spans))
    return Sums(map(Counter.objects.filter, conditions), *_SUMMED)


def _stretches(spans: _Spans) -> list[Stretch]:
    """The ``_window`` of these spans."""
    times = (Param(f"time{number}", DateTimeField()) for number in count())
    return [Stretch(span, cast(Any, next(times)), cast(Any, next(times))) for span in spans]


def websites(pixels: Collection[int], now: datetime | None = None) -> Mapping[int, list[str]]:
    """The websites seen on each pixel's events in the last 30 days, by name."""
    since = (now or timezone.now()) - LABELS_KEPT
    newest_first = Window(RowNumber(), partition_by="pixel_id", order_by=["-last_seen", "label"])
    seen = SeenLabel.objects.filter(pixel__in=pixels, dimension=Counter.Dimension.WEBSITE, last_seen__gte=since.date())
    if may_be_too_many := not budget.has_room(len(pixels) * WEBSITES_SHOWN // budget.SCALARS_PER_OBJECT):
        budget.load_counted(seen, "domains", per_object=budget.SCALARS_PER_OBJECT)
    rows = seen.annotate(place=newest_first).filter(place__lte=WEBSITES_SHOWN).values_list("pixel_id", "label")
    pairs = sorted(rows)
    if not may_be_too_many:
        budget.load(len(pairs), "domains", per_object=budget.SCALARS_PER_OBJECT)
    found: dict[int, list[str]] = {}
    for pixel, website in pairs:
        found.setdefault(pixel, []).append(website)
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity(ByRoad):
    """The events of one name or website; an empty one stands for those that are counted together."""

    label: str
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
        self.counts = ByRoad.added(names)
        self.names_received = sum(activity.together.received > 0 for activity in names)
        self.names_published = sum(activity.together.published > 0 for activity in names)


def event_metrics(
    pixels: Collection[int], minutes: int, now: datetime | None = None, *, by_website: bool = True
) -> Metrics:
    """The events of the last ``minutes`` on all the pixels together."""
    stretches = last_minutes(minutes, now, newest_apart=True)
    dimensions = (_Dimension.EVENT_NAME, *([_Dimension.WEBSITE] if by_website else []))
    budget.load_estimated(lambda: most_counters(pixels, dimensions, stretches), "eventMetrics")
    found = _activities(of_pixels(pixels), stretches, dimensions)
    return Metrics(found.get(_Dimension.EVENT_NAME, []), found.get(_Dimension.WEBSITE, []))


def activities(parts: Sequence[Part], minutes: int, dimension: Counter.Dimension) -> list[Activity]:
    """The events of the last ``minutes`` of all the parts together, by name or website, the busiest first."""
    stretches = last_minutes(minutes, newest_apart=True)
    return _busiest(_activities(parts, stretches, [dimension]).get(dimension, []))


def _activities(
    parts: Sequence[Part], stretches: list[Stretch], dimensions: Collection[Counter.Dimension]
) -> dict[int, list[Activity]]:
    told: dict[tuple[Any, ...], list[Summed]] = {}
    for row in summed(parts, stretches, _ACTIVE, "dimension", "label", dimension__in=dimensions):
        told.setdefault(row.key, []).append(row)
    found: dict[int, list[Activity]] = {}
    for (dimension, label), rows in told.items():
        newest = max((row.newest for row in rows if row.newest), default=None)
        activity = Activity.added([row.counts for row in rows], label=label, updated_at=newest)
        found.setdefault(dimension, []).append(activity)
    return found


def most_counters(
    owners: Collection[int],
    dimensions: Collection[Counter.Dimension],
    stretches: list[Stretch],
    book: Book = PIXELS,
) -> int:
    """How many counters there are in these stretches if nothing is ever still: to count them would take as long."""
    if book.labels is None:
        raise TypeError(book.counter)
    labels = book.labels._default_manager.filter(**{f"{book.owner}__in": owners}, dimension__in=dimensions).count()
    return labels * sum((end - start) // LENGTHS[span] for span, start, end in stretches)


def _busiest(activities: list[Activity]) -> list[Activity]:
    """The busiest first; those that are too many are counted to the others, which come last."""
    ranked = sorted(activities, key=lambda activity: (not activity.label, -activity.together.received, activity.label))
    shown, rest = ranked[:LABELS_SHOWN], ranked[LABELS_SHOWN:]
    if not rest:
        return shown
    times = [activity.updated_at for activity in rest if activity.updated_at]
    return [*shown, Activity.added(rest, label=OTHER, updated_at=max(times, default=None))]


def told_to_the_minute(
    activities: Collection[Activity], parts: Sequence[Part], dimension: Counter.Dimension, now: datetime | None = None
) -> list[Activity]:
    """The activities with the minute of their newest event, or its hour where minutes are no longer kept.

    They tell the start of the hour or day that it was counted in, which reads as if it were long ago.
    """
    now = now or timezone.now()
    times = {activity.label: activity.updated_at for activity in activities if activity.updated_at}
    by_day = {label: start for label, start in times.items() if start < floor(now, Span.DAY)}
    times |= _newest(parts, dimension, Span.HOUR, by_day, LENGTHS[Span.DAY])
    by_hour = {label: start for label, start in times.items() if now - MINUTES_KEPT <= start < floor(now, Span.HOUR)}
    times |= _newest(parts, dimension, Span.MINUTE, by_hour, LENGTHS[Span.HOUR])
    return [replace(activity, updated_at=times.get(activity.label)) for activity in activities]


def _newest(
    parts: Sequence[Part],
    dimension: Counter.Dimension,
    span: Counter.Span,
    starts: Mapping[str, datetime],
    length: timedelta,
) -> dict[str, datetime]:
    """The newest rows of the span within the ``length`` that begins at each label's start."""
    labels: dict[datetime, list[str]] = {}
    for label, start in starts.items():
        labels.setdefault(start, []).append(label)
    if not labels:
        return {}
    some = [(Stretch(span, start, start + length), names) for start, names in labels.items()]
    first, *others = (_newest_of(part, dimension, some) for part in parts if part.tells_received)
    found: dict[str, datetime] = {}
    for label, start in first.union(*others, all=True) if others else first:
        found[label] = max(start, found.get(label, start))
    return found


def _newest_of(
    part: Part, dimension: Counter.Dimension, some: Sequence[tuple[Stretch, list[str]]]
) -> QuerySet[Any, tuple[str, datetime]]:
    conditions = (within([one], part.of, label__in=names, dimension=dimension) for one, names in some)
    rows = part.book.counter._default_manager.filter(reduce(or_, conditions), received__gt=0)
    return rows.order_by().values_list("label").annotate(Max("start"))

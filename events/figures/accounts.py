"""Sums of counters of several kinds of owners by one query: of pixels, gateway sources, and their destinations.

An event of a source is received once, whatever the number of its destinations, and has a fate at each of them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any, NamedTuple

from django.db.models import DateTimeField, Max, Q, QuerySet, Value

from accounts.models import Tenant
from events.figures.books import DESTINATIONS, PIXELS, SOURCES, Book
from events.figures.roads import ByRoad, sums_of
from events.figures.windows import Stretch, within


class Part(NamedTuple):
    """The counters of some owners of one kind."""

    book: Book
    #: Those of these owners; of all where it says nothing.
    of: Q = Q()
    #: What another part tells of the same events.
    without: frozenset[str] = frozenset()

    @property
    def columns(self) -> set[str]:
        """What it tells."""
        return {column for column in self.book.columns if column.removeprefix("browser_") not in self.without}

    @property
    def tells_received(self) -> bool:
        """Does it tell what was received?"""
        return "received" not in self.without


def of_pixels(pixels: Collection[int]) -> list[Part]:
    """The pixels', which are given by primary key."""
    return [Part(PIXELS, Q(pixel__in=pixels))]


def of_account(tenant: Tenant, pixels: Collection[int]) -> list[Part]:
    """The pixels', and those of the account's gateway sources and destinations: each event is received once."""
    of_sources = Part(SOURCES, Q(source__tenant=tenant))
    at_destinations = Part(DESTINATIONS, Q(destination__tenant=tenant), frozenset({"received"}))
    return [*of_pixels(pixels), of_sources, at_destinations]


class Summed(NamedTuple):
    """What one part counted under a key: the values of the columns that were asked for."""

    part: int
    key: tuple[Any, ...]
    counts: ByRoad
    #: When something was last received, as exactly as it was counted.
    newest: Any


def summed(
    parts: Sequence[Part], stretches: Sequence[Stretch], fates: Sequence[str], *key: str, **conditions: Any
) -> Iterator[Summed]:
    """The first ``fates`` of ``Counts``, by part and key, of counters that meet the conditions; by one query."""
    # The first one's sums are read as numbers of Python.
    first, *others = (_rows(number, part, stretches, fates, key, conditions) for number, part in enumerate(parts))
    rows = first.union(*others, all=True) if others else first
    for part, *values, newest in rows:
        sums = [n or 0 for n in values[len(key) :]]
        yield Summed(part, tuple(values[: len(key)]), ByRoad.read(sums), newest)


def _rows(
    number: int,
    part: Part,
    stretches: Sequence[Stretch],
    fates: Sequence[str],
    key: Sequence[str],
    conditions: dict[str, Any],
) -> QuerySet[Any, Any]:
    counters = part.book.counter._default_manager.filter(within(stretches, part.of, **conditions)).order_by()
    of_part: QuerySet[Any, Any] = counters.annotate(part=Value(number)).values_list("part", *key)
    newest = Max("start", filter=Q(received__gt=0)) if part.tells_received else Value(None, DateTimeField())
    told: QuerySet[Any, Any] = of_part.annotate(**sums_of(*fates, columns=part.columns), newest=newest)
    return told

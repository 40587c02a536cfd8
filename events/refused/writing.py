"""Writing down what was refused: counts are added up, and of each pixel or source the last requests are kept."""

from __future__ import annotations

from collections import Counter as Multiset
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import NamedTuple

from django.db import IntegrityError, transaction

from common.bulk import insert
from common.pruning import delete_in_parts
from events.owners import KINDS, Tables

#: Requests that are kept of a pixel or source.
KEPT = 100


class Cell(NamedTuple):
    """The key of a count; in the order in which rows are written, so that no two writers wait for each other."""

    is_source: bool
    owner_pk: int
    hour: datetime
    kind: int
    road: str
    field: str
    reason: str


class Count(NamedTuple):
    """So many requests, which held so many events."""

    requests: int
    events: int


class Last(NamedTuple):
    """A request that is kept to be shown."""

    is_source: bool
    owner_pk: int
    at: datetime
    road: int
    field: str
    reason: str
    event_count: int
    origin: int
    sample: str


@transaction.atomic
def write(counts: Mapping[Cell, Count], last: Iterable[Last]) -> None:
    """Add the counts to the tables, and keep the last requests; those of owners that have gone are dropped."""
    last = list(last)
    for is_source, tables in enumerate(KINDS):
        of_kind = {cell: n for cell, n in counts.items() if cell.is_source == is_source}
        there = tables.those_there({cell.owner_pk for cell in of_kind})
        _count(tables, {cell: n for cell, n in of_kind.items() if cell.owner_pk in there})
        _keep(tables, [one for one in last if one.is_source == is_source and one.owner_pk in there])


def _count(tables: Tables, counts: Mapping[Cell, Count]) -> None:
    try:
        _upsert(tables, counts)
    except IntegrityError:  # one went this moment
        for owner_pk in {cell.owner_pk for cell in counts}:
            try:
                _upsert(tables, {cell: n for cell, n in counts.items() if cell.owner_pk == owner_pk})
            except IntegrityError:
                continue


@transaction.atomic
def _upsert(tables: Tables, counts: Mapping[Cell, Count]) -> None:
    table = tables.findings._meta.db_table
    insert(
        tables.findings,
        (tables.column, "hour", "kind", "road", "field", "reason", "count", "events"),
        [(*cell[1:], *n) for cell, n in sorted(counts.items())],
        on_conflict=f"ON CONFLICT ({tables.column}, hour, kind, road, field, reason) DO UPDATE"  # nosec B608  # our names
        f" SET count = {table}.count + excluded.count, events = {table}.events + excluded.events",
    )


def _keep(tables: Tables, last: list[Last]) -> None:
    """Add these requests, and delete the oldest of those owners where there are too many."""
    columns = (tables.column, *Last._fields[2:])
    try:
        with transaction.atomic():
            insert(tables.requests, columns, [one[1:] for one in sorted(last)])
    except IntegrityError:  # an owner went this moment: the others' next ones are kept
        return
    for owner_pk in {one.owner_pk for one in last}:
        requests = tables.requests._default_manager.filter(**{tables.column: owner_pk})
        if too_many := _too_many(list(requests.order_by("-pk").values_list("pk", "origin"))):
            delete_in_parts(tables.requests._default_manager.filter(pk__in=too_many))


def _too_many(requests: list[tuple[int, int]]) -> list[int]:
    """Which of an owner's requests, the newest first, are not kept: of the origins that sent most, the oldest.

    So no stranger pushes out what others sent, and a sender that is alone has all the room.
    """
    if len(requests) <= KEPT:
        return []
    room = _room(Multiset(origin for _, origin in requests).values())
    seen: Multiset[int] = Multiset()
    found = []
    for pk, origin in requests:
        seen[origin] += 1
        if seen[origin] > room:
            found.append(pk)
    return found


def _room(numbers: Iterable[int]) -> int:
    """How many of each origin are kept, where they have sent so many: as many as there is room for."""
    left, numbers = KEPT, sorted(numbers)
    for place, n in enumerate(numbers):
        share = left // (len(numbers) - place)
        if n > share:
            return share
        left -= n
    return left

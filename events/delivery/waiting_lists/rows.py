"""Requests that wait, by whom they wait for: a bounded part, the newest, of what may be millions. Two statements."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import groupby, islice, starmap
from typing import Any, NamedTuple

from django.db import connection

from common import budget, bulk
from events.delivery.batches import COLUMNS, MAX_BYTES, Event, OutboxRecord, decode_rows
from events.delivery.entries import Delivered, From
from events.models import Intake, Road

#: Of what waits for one, so many requests and events are looked at: the newest.
WAITING_ROWS = 200
WAITING_EVENTS = 1_000


class Asked(NamedTuple):
    """Whose requests are looked at: a pixel's, a source's behind a place, or what waits for a destination apart."""

    stored: From
    owner: int
    place: int = 0


class Row(NamedTuple):
    """A request; of a source, with its place there if it has one; of one that waits apart, with its source."""

    stored: int
    owner: int
    place: int | None
    source: int | None
    #: Of a pixel: why it backs off where no error was sent.
    silence: str
    record: OutboxRecord

    def events(self) -> Iterator[Event]:
        """Its events, the last first."""
        return reversed(decode_rows([self.record]))


class _Size(NamedTuple):
    """How much a row holds, before it is read."""

    stored: int
    owner: int
    tried: bool
    pk: int
    events: int
    octets: int
    road: int


_SIZE = "id, event_count, LENGTH(body), road"
# In the reverse order of each index. SQLite orders parts of a union only so. What has no place yet is the newest.
_SIZES_OF_PIXEL = f"""
    SELECT * FROM (
        SELECT {From.OUTBOX.value} AS stored, pixel_id, counted, {_SIZE} FROM events_outboxrow
        WHERE pixel_id = %s ORDER BY counted, id DESC LIMIT %s
    ) AS newest
"""  # noqa: S608  # nosec B608  # our columns
_SIZES_OF_SOURCE = f"""
    SELECT * FROM (
        SELECT {From.SOURCE.value} AS stored, source_id, FALSE AS counted, {_SIZE} FROM events_sourcerow
        WHERE source_id = %s AND place IS NULL AND intake = {Intake.RECEIVED.value} ORDER BY id DESC LIMIT %s
    ) AS unplaced
    UNION ALL SELECT * FROM (
        SELECT {From.SOURCE.value} AS stored, source_id, FALSE AS counted, {_SIZE} FROM events_sourcerow
        WHERE source_id = %s AND place > %s ORDER BY place DESC LIMIT %s
    ) AS placed
"""  # noqa: S608  # nosec B608  # our columns
_SIZES_APART = f"""
    SELECT * FROM (
        SELECT {From.APART.value} AS stored, destination_id, FALSE AS counted, {_SIZE} FROM events_destinationrow
        WHERE destination_id = %s ORDER BY id DESC LIMIT %s
    ) AS apart
"""  # noqa: S608  # nosec B608  # our columns
_SIZES = {From.OUTBOX: _SIZES_OF_PIXEL, From.SOURCE: _SIZES_OF_SOURCE, From.APART: _SIZES_APART}

_ROWS_OF_PIXEL = f"""
    SELECT {From.OUTBOX.value} AS stored, waits.pixel_id, 0 AS place, 0 AS source, COALESCE(silence, '') AS silence,
        waits.id, received_at, intake, counted, {COLUMNS}
    FROM events_outboxrow AS waits LEFT JOIN events_lane AS lane ON lane.pixel_id = waits.pixel_id
"""  # noqa: S608  # nosec B608  # our columns
_ROWS_OF_SOURCE = f"""
    SELECT {From.SOURCE.value} AS stored, source_id, place, source_id AS source, '' AS silence,
        waits.id, received_at, intake, TRUE AS counted, {COLUMNS} FROM events_sourcerow AS waits
"""  # noqa: S608  # nosec B608  # our columns
_ROWS_APART = f"""
    SELECT {From.APART.value} AS stored, destination_id, 0 AS place, source_id, '' AS silence,
        waits.id, received_at, 0 AS intake, TRUE AS counted, {COLUMNS} FROM events_destinationrow AS waits
"""  # noqa: S608  # nosec B608  # our columns
_ROWS = {From.OUTBOX: _ROWS_OF_PIXEL, From.SOURCE: _ROWS_OF_SOURCE, From.APART: _ROWS_APART}


def read_newest(asked: Sequence[Asked], road: Road | None) -> Iterator[tuple[Asked, Iterator[Row]]]:
    """Of each that has any, its newest requests, the newest first."""
    by_owner = {each[:2]: each for each in asked}
    rows = _rows(_fitting(_sizes(asked), road))
    for owner, found in groupby(rows, lambda row: row[:2]):
        yield by_owner[owner], found


def bounded(entries: Iterable[Delivered]) -> Iterator[Delivered]:
    """The first, as many as are looked at of one owner."""
    return islice(entries, WAITING_EVENTS)


def _sizes(asked: Sequence[Asked]) -> list[_Size]:
    """Of the newest rows; those that have been tried come behind the others of their owner."""
    if not asked:
        return []
    bounds = [bound for each in asked for bound in _bounds(each)]
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(_SIZES[each.stored] for each in asked), bounds)
        return sorted(map(_Size._make, cursor), key=lambda size: (size.stored, size.owner, size.tried, -size.pk))


def _bounds(asked: Asked) -> Iterator[int]:
    yield from (asked.owner, WAITING_ROWS)
    if asked.stored is From.SOURCE:
        yield from (asked.owner, asked.place, WAITING_ROWS)


def _fitting(sizes: list[_Size], road: Road | None) -> list[_Size]:
    """The first rows of each owner, as many as are looked at; they are paid for here."""
    fitting: list[_Size] = []
    for _, of_kind in groupby(sizes, lambda size: size.stored):
        by_owner = [list(found) for _, found in groupby(of_kind, lambda size: size.owner)]
        for found in by_owner:
            fitting += _first((size for size in found if road in (None, size.road)), MAX_BYTES // len(by_owner))
    budget.load(sum(size.events for size in fitting), "deliveries")
    budget.load(lambda: sum(size.octets for size in fitting), "deliveries", per_object=budget.BYTES_PER_OBJECT)
    return fitting


def _first(sizes: Iterable[_Size], most_bytes: int) -> Iterator[_Size]:
    """The first rows, until there are events or bytes enough."""
    events = octets = 0
    for size in sizes:
        yield size
        events, octets = events + size.events, octets + size.octets
        if events >= WAITING_EVENTS or octets >= most_bytes:
            return


def _rows(sizes: Sequence[_Size]) -> list[Row]:
    """By owner, the newest first."""
    statements: list[str] = []
    parameters: list[bulk.Value] = []
    for stored, found in groupby(sizes, lambda size: size.stored):
        among, keys = bulk.are_among(size.pk for size in found)
        statements.append(f"{_ROWS[From(stored)]} WHERE waits.id {among}")
        parameters.append(keys)
    if not statements:
        return []
    rows = list(starmap(_row, bulk.fetch(" UNION ALL ".join(statements), parameters)))
    return sorted(rows, key=lambda row: (row.stored, row.owner, -row.record.pk))


def _row(stored: int, owner: int, place: int | None, source: int | None, silence: str, *record: Any) -> Row:
    return Row(stored, owner, place, source, silence, OutboxRecord(*record))


def event_time_of(event: Event) -> datetime:
    """When it happened, as its sender says; the intake has checked it."""
    return datetime.fromtimestamp(event.time, UTC)

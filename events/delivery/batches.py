"""What waits for a pixel, read as a batch, and the decision what of it is to be published."""

from __future__ import annotations

from collections import Counter as Multiset
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import NamedTuple

import msgspec

from common import bulk
from events import changes
from events.changes import Change, Changes
from events.delivery.fates import UNREAD, Fate
from events.models import EVENT_MAX_AGE, OutboxRow, Road
from filters.domains import host_of
from filters.models import EVENT_NAME_MAX_LENGTH
from pixels.models import Pixel

#: What is read, published and settled together, in several requests to the Graph API. More takes memory that Python
#: does not give back, for little speed, and what a killed worker had under way is sent again.
MAX_EVENTS = 5_000
#: A batch is held in memory: of rows of the largest size there are fewer.
MAX_BYTES = 8 * 1024 * 1024
#: So many rows are taken apart at once.
DECODED_TOGETHER = 100


class OutboxRecord(msgspec.Struct, eq=False):
    """An outbox row, or one of a source's; ``pk`` is what orders it."""

    pk: int
    received_at: datetime
    intake: int
    counted: bool
    options: str
    event_count: int
    body: bytes
    road: int = Road.SERVER.value
    #: What the intake changed of its events, as it is stored.
    changes: str | None = None
    #: The second and the minute in which it was received, counted from the epoch's; filled in by ``__post_init__``.
    second: int = 0
    minute: int = 0
    _raws: list[msgspec.Raw] | None = None
    _changes: Changes | None = None

    def __post_init__(self) -> None:
        self.second = int(self.received_at.timestamp())
        self.minute = self.second // 60

    def raws(self) -> list[msgspec.Raw]:
        """Its events, each as it is stored. Taken apart when they are asked for: most rows are passed on whole."""
        if self._raws is None:
            self._raws = _decode_raws(self.body)
        return self._raws

    def changes_of(self, index: int) -> Sequence[Change]:
        """What the intake changed of the event in this place."""
        if self.changes is None:
            return ()
        if self._changes is None:
            self._changes = changes.read(self.changes, self.event_count)
        return self._changes.of(index)


class Event(msgspec.Struct, eq=False, gc=False):
    """An event of a batch; without a fate, it waits. There are many: the garbage collector need not look at them."""

    row: OutboxRecord
    index: int
    name: str
    event_id: str
    time: float
    website: str
    fate: Fate | None = None
    #: What enrichment has made of it, if anything.
    enriched: bytes = b""
    #: What enrichment has added.
    completed: tuple[Change, ...] = ()

    @property
    def raw(self) -> msgspec.Raw | bytes:
        """The event as it is stored; of what cannot be read, what there is."""
        if self.fate is UNREAD:
            return self.enriched
        return self.row.raws()[self.index]

    @property
    def changes(self) -> Sequence[Change]:
        """What the gateway changed of it."""
        of_intake = self.row.changes_of(self.index)
        return changes.at_most((*of_intake, *self.completed)) if self.completed else of_intake


class Came(NamedTuple):
    """When rows were received, whether their events were counted as received then, and by which road they came."""

    minute: int
    counted: bool
    road: int


@dataclass(slots=True)
class Batch:
    """The rows at the head of a pixel's queue, and their events."""

    rows: list[OutboxRecord]
    events: list[Event]
    #: Do more events wait behind these?
    has_more: bool

    def undecided(self) -> list[Event]:
        """The events that nothing has become of yet."""
        return [event for event in self.events if event.fate is None]

    def by_arrival(self) -> dict[Came, list[Event]]:
        """The events of rows that came alike: of most batches, all."""
        found: dict[Came, list[Event]] = {}
        ways = list(map(_CAME, self.rows))
        if len(set(ways)) == 1:
            return {Came(*ways[0]): self.events}
        first = 0
        for way, row in zip(ways, self.rows, strict=True):
            last = first + row.event_count
            found.setdefault(Came(*way), []).extend(self.events[first:last])
            first = last
        return found


class _Known(msgspec.Struct, gc=False):
    """What the gateway must know of an event. The intake has checked it; the rest passes through as bytes."""

    event_name: str
    event_id: str
    event_time: float
    event_source_url: object = None


_CAME = attrgetter(*Came._fields)
_ROW = attrgetter("row")
_decode_one = msgspec.json.Decoder(_Known, strict=False).decode
_decode_rows = msgspec.json.Decoder(list[list[_Known]], strict=False).decode
_decode_raws = msgspec.json.Decoder(list[msgspec.Raw]).decode


#: What a record is read from, behind its number, time, switch and mark.
COLUMNS = "options, event_count, body, road, changes"
#: The first rows in line, as many as are not too much for a batch; the very first is taken whatever its size. How much
#: a body holds is known before it is read. Of each it is told whether another is behind it.
_HEAD = """
    SELECT number, received_at, intake, counted, {columns}, next IS NOT NULL FROM (
        SELECT *, SUM(event_count) OVER line AS events, SUM(LENGTH(body)) OVER line AS octets,
            ROW_NUMBER() OVER line AS place, LEAD(number) OVER line AS next
        FROM ({rows} ORDER BY {order} LIMIT %s) AS first_rows
        WINDOW line AS (ORDER BY {order} ROWS UNBOUNDED PRECEDING)
    ) AS rows_in_line
    WHERE place = 1 OR (events <= %s AND octets <= %s) ORDER BY {order}
"""
_OF_PIXEL = f"""
    SELECT id AS number, received_at, intake, counted, {COLUMNS} FROM events_outboxrow WHERE pixel_id = %s {{which}}
"""  # noqa: S608  # nosec B608  # our columns


def read(pixel: Pixel, *, now: datetime, publishes: bool, part: int = 1) -> Batch | None:
    """The next batch of the pixel's queue, or this part of one; None where there is nothing to do.

    Of a pixel that does not publish now, rows that have been counted are left alone, unless they have expired.
    """
    if publishes:
        return _read(pixel, part=part)
    too_old = now - EVENT_MAX_AGE
    # ``in``, since SQLite finds ``NOT counted`` in no index.
    waiting = OutboxRow.objects.filter(pixel=pixel, counted__in=[True]).order_by("id")
    oldest = waiting.values_list("received_at", flat=True).first()
    if oldest is not None and oldest <= too_old:
        return _read(pixel, "AND counted IN (TRUE)", too_old)
    return _read(pixel, "AND counted IN (FALSE)")


def _read(pixel: Pixel, which: str = "", until: datetime | None = None, part: int = 1) -> Batch | None:
    return read_head(_OF_PIXEL.format(which=which), "counted DESC, number", [pixel.pk], until=until, part=part)


def read_head(
    rows: str, order: str, parameters: Sequence[bulk.Value], *, until: datetime | None = None, part: int = 1
) -> Batch | None:
    """The batch at the head of the ``rows`` that a statement finds, of those received ``until`` then if it is given."""
    most_events, most_bytes = MAX_EVENTS // part, MAX_BYTES // part
    statement = _HEAD.format(rows=rows, order=order, columns=COLUMNS)
    found = bulk.fetch(statement, [*parameters, most_events + 1, most_events, most_bytes])
    records = [OutboxRecord(*values) for *values, _ in found if until is None or values[1] <= until]
    if not records:
        return None
    has_more = len(records) < len(found) or bool(found[-1][-1])
    parts = (records[first : first + DECODED_TOGETHER] for first in range(0, len(records), DECODED_TOGETHER))
    return Batch(records, [event for part in parts for event in decode_rows(part)], has_more=has_more)


def decode_rows(rows: list[OutboxRecord]) -> list[Event]:
    """The events of some rows, read as one JSON text: for rows of single events, it takes half the time.

    What cannot be read has its fate by then: it must not hold up what is behind it.
    """
    with suppress(msgspec.DecodeError, UnicodeDecodeError):
        known = _decode_rows(b"[%b]" % b",".join([row.body for row in rows]))
        if list(map(len, known)) == [row.event_count for row in rows]:
            return [
                _event(row, index, one)
                for row, of_row in zip(rows, known, strict=True)
                for index, one in enumerate(of_row)
            ]
    if len(rows) > 1:
        return [event for row in rows for event in decode_rows([row])]
    return [event for row in rows for event in _salvage(row)]


def _event(row: OutboxRecord, index: int, known: _Known) -> Event:
    website = host_of(known.event_source_url) or ""
    return Event(row, index, known.event_name[:EVENT_NAME_MAX_LENGTH], known.event_id, known.event_time, website)


def _salvage(row: OutboxRecord) -> list[Event]:
    """A damaged row's events, one by one where it is still a list of them; else the row stands for its first event."""
    with suppress(msgspec.DecodeError, UnicodeDecodeError):
        if len(raws := row.raws()) == row.event_count:
            return [_read_or_not(row, index, raw) for index, raw in enumerate(raws)]
    return [_unread(row, index, b"" if index else row.body) for index in range(row.event_count)]


def _read_or_not(row: OutboxRecord, index: int, raw: msgspec.Raw) -> Event:
    try:
        return _event(row, index, _decode_one(raw))
    except (msgspec.DecodeError, UnicodeDecodeError):
        return _unread(row, index, bytes(raw))


def _unread(row: OutboxRecord, index: int, raw: bytes) -> Event:
    return Event(row, index, "", "", row.received_at.timestamp(), "", UNREAD, raw)


def as_sent(events: list[Event]) -> Iterator[msgspec.Raw | bytes]:
    """The JSON of the events, comma between them: whole rows where they go out as they came."""
    completed = {event.row for event in events if event.enriched}
    first = 0
    for row, count in Multiset(map(_ROW, events)).items():
        if count == row.event_count and row not in completed:
            yield row.body.strip()[1:-1]
        else:
            yield from (event.enriched or event.raw for event in events[first : first + count])
        first += count

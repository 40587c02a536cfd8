"""Reading the delivery log: batch by batch, the newest first, until there are lines enough.

What the kinds of a batch say decides whether its events are read; an event's id is looked for among digests.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.conf import settings
from django.db import connection
from django.db.models import F, Q, QuerySet
from django.db.models.lookups import GreaterThan
from django.utils import timezone

from common import budget, bulk
from events.changes import Changes
from events.delivery.entries import EVERYTHING, Delivered, From, Outcome, Position, Wanted, moment
from events.delivery.log import packing
from events.delivery.log.packing import Columns, Kind
from events.delivery.log.writing import OUTCOME_BITS
from events.models import LOW_BITS, DeliveryBatch, DeliveryKey, Road
from events.models.log import first_id_at

#: So many batches are looked at first, which is a page of the smallest; then by so many.
FIRST_LOOK, LATER_LOOKS = 250, 1_000
#: In all so many: there the search stops, and a further page goes on.
MOST_LOOKED_AT = 50_000
#: Batches in which an event's id is looked for, the newest; so many are read at once, with their events.
MOST_HOLDING = 500
HOLDING_LOOK = 25
#: So many events are taken apart together.
READ_TOGETHER = 5_000
#: What is read of a batch to know what it holds takes far less than an object of an answer.
LOOKS_PER_OBJECT = 50
EVENTS_PER_OBJECT = 50
_LOW = (1 << LOW_BITS) - 1
#: What is read of a batch before its events are, and these.
_TOLD = ("pk", "pixel", "source", "destination", "event_count", "kinds")
_HELD = ("body", "changes")


class _Events(NamedTuple):
    columns: Columns
    changes: Changes


class _Batch(NamedTuple):
    pk: int
    pixel: int
    source: int
    destination: int
    event_count: int
    kinds: list[Kind]
    #: Which of the kinds are asked for.
    wanted: frozenset[int]
    #: The events, where they have been read: the columns of ``_HELD``.
    held: tuple[bytes | memoryview | None, ...]


@dataclass(slots=True)
class Lines:
    """The account's events that are asked for, from a place on, the newest first: read as they are gone through.

    They are of these pixels, and on their way from a source to these destinations; None stands for any of them. Once
    all are gone through, ``stopped_at`` tells where the search has stopped, unless it has come to the log's end.
    """

    tenant_id: str
    pixels: Collection[int]
    wanted: Wanted
    destinations: Collection[int] | None = field(default=(), kw_only=True)
    source: int | None = field(default=None, kw_only=True)
    behind: Position | None = field(default=None, kw_only=True)
    #: So many batches are looked at, and events read of as many as are read together: two statements. Where nobody
    #: says, it goes on until MOST_LOOKED_AT.
    most: int | None = field(default=None, kw_only=True)
    stopped_at: Position | None = field(default=None, init=False)

    def __iter__(self) -> Iterator[Delivered]:
        if not settings.DELIVERY_LOG_DAYS or not self.wanted.may_be_decided:
            return
        of = _of(self.pixels, self.destinations, self.source)
        batches = _batches(self.tenant_id, of, self.wanted, self.behind)
        if self.wanted.event_id is not None:
            batches = batches.filter(pk__in=batches_with([self.tenant_id], self.wanted.event_id))
        for some in self._looked_at(batches):
            for batch, events in _opened(some if self.most is None else self._together(some)):
                yield from _lines(batch, events, self.wanted, self.behind)

    def _looked_at(self, batches: QuerySet[DeliveryBatch]) -> Iterator[list[_Batch]]:
        """Those that hold what is asked for, by parts."""
        is_by_id = self.wanted.event_id is not None
        columns = batches.values_list(*_TOLD, *(_HELD if is_by_id else []))
        looked_at, size = 0, self.most or (HOLDING_LOOK if is_by_id else FIRST_LOOK)
        while True:
            rows = list(columns[:size])
            budget.load(len(rows), "deliveries", per_object=LOOKS_PER_OBJECT)
            yield [batch for row in rows if (batch := _told(row, self.wanted)).wanted]
            if len(rows) < size:
                return
            looked_at += size
            size = HOLDING_LOOK if is_by_id else LATER_LOOKS
            last = rows[-1][0]
            if looked_at >= (MOST_LOOKED_AT if self.most is None else self.most):
                self.stopped_at = self.stopped_at or _behind(last)
                return
            columns = columns.filter(pk__lt=last)

    def _together(self, some: list[_Batch]) -> list[_Batch]:
        """The first of them, as many as are read at once."""
        end = _end_of_part(some, 0)
        if end < len(some):
            self.stopped_at = _behind(some[end - 1].pk)
        return some[:end]


def _behind(pk: int) -> Position:
    """The place behind a batch."""
    return (pk >> LOW_BITS, From.LOG, pk & _LOW, 0)


def lines_of(batch: DeliveryBatch) -> list[Delivered]:
    """All lines of a batch, the last first."""
    told = _told([getattr(batch, column) for column in _TOLD], EVERYTHING)
    return list(_lines(told, _read(batch.body, batch.changes), EVERYTHING, None))


def oldest_kept() -> datetime:
    """What is older counts as gone, whether it is deleted yet or not."""
    return timezone.now() - timedelta(days=settings.DELIVERY_LOG_DAYS)


def _of(pixels: Collection[int], destinations: Collection[int] | None, source: int | None) -> Q:
    if not destinations and destinations is not None:
        # Of one pixel, as the index has them.
        return Q(pixel__in=pixels, source=0, destination=0) if len(pixels) == 1 else Q(pixel__in=pixels)
    to = Q(destination__gt=0) if destinations is None else Q(destination__in=destinations)
    there = to if source is None else to & Q(source=source)
    return (Q(pixel__in=pixels) | there) if pixels else there


def _batches(tenant_id: str, of: Q, wanted: Wanted, behind: Position | None) -> QuerySet[DeliveryBatch]:
    since = max(filter(None, (wanted.since, oldest_kept())))
    batches: QuerySet[DeliveryBatch] = DeliveryBatch.objects.filter(of, tenant_id=tenant_id, pk__gte=first_id_at(since))
    if wanted.until is not None:
        batches = batches.filter(pk__lt=first_id_at(wanted.until))
    if behind is not None:
        batches = batches.filter(pk__lte=_last_behind(behind))
    if wanted.outcome is not None:
        batches = _with_bit(batches, "outcomes", OUTCOME_BITS[wanted.outcome.value])
    if wanted.road is not None:
        batches = _with_bit(batches, "roads", 1 << wanted.road)
    return batches.order_by("-pk")


def _with_bit(batches: QuerySet[DeliveryBatch], column: str, bit: int) -> QuerySet[DeliveryBatch]:
    return batches.filter(GreaterThan(F(column).bitand(bit), 0))


def _last_behind(place: Position) -> int:
    """The last batch of which events may be behind the place."""
    microseconds, stored, low, _ = place
    first = first_id_at(moment(microseconds))
    if stored == From.LOG:
        return first + min(low, _LOW)
    return first + _LOW if stored >= From.OUTBOX else first - 1


def _told(row: Sequence[Any], wanted: Wanted) -> _Batch:
    pk, pixel, source, destination, event_count, stored, *held = row
    kinds = packing.read_kinds(stored)
    places = (
        place for place, kind in enumerate(kinds) if wanted.is_kind(kind.name, kind.website, kind.outcome, kind.road)
    )
    return _Batch(pk, pixel, source, destination, event_count, kinds, frozenset(places), tuple(held))


def _opened(batches: Sequence[_Batch]) -> Iterator[tuple[_Batch, _Events]]:
    """With their events, by parts."""
    first = 0
    while first < len(batches):
        last = _end_of_part(batches, first)
        part = batches[first:last]
        budget.load(sum(batch.event_count for batch in part), "deliveries", per_object=EVENTS_PER_OBJECT)
        held = _held(part)
        yield from ((batch, _read(*held[batch.pk])) for batch in part if batch.pk in held)
        first = last


def _end_of_part(batches: Sequence[_Batch], first: int) -> int:
    """Where the part ends that begins with the first: with one batch at least."""
    end, events = first, 0
    while end < len(batches) and (end == first or events + batches[end].event_count <= READ_TOGETHER):
        events += batches[end].event_count
        end += 1
    return end


def _held(batches: Sequence[_Batch]) -> dict[int, tuple[Any, ...]]:
    """The columns of those that have been read with their batches, and of the others."""
    held: dict[int, tuple[Any, ...]] = {batch.pk: batch.held for batch in batches if batch.held}
    if lacking := [batch.pk for batch in batches if not batch.held]:
        rows = DeliveryBatch.objects.filter(pk__in=lacking).values_list("pk", *_HELD)
        held.update({pk: columns for pk, *columns in rows})
    return held


def _read(body: bytes | memoryview, changes: bytes | memoryview | None) -> _Events:
    return _Events(packing.read_columns(bytes(body)), packing.read_changes(bytes(changes) if changes else None))


def _lines(batch: _Batch, events: _Events, wanted: Wanted, behind: Position | None) -> Iterator[Delivered]:
    """The batch's events that are asked for, the last first."""
    columns = events.columns
    microseconds, low = batch.pk >> LOW_BITS, batch.pk & _LOW
    for index in range(batch.event_count - 1, -1, -1):
        if columns.kinds[index] not in batch.wanted or wanted.event_id not in (None, columns.ids[index]):
            continue
        place = (microseconds, From.LOG, low, index)
        if behind is None or place < behind:
            yield _line(place, batch, events, index)


def _line(place: Position, batch: _Batch, events: _Events, index: int) -> Delivered:
    columns = events.columns
    kind = batch.kinds[columns.kinds[index]]
    at = moment(place[0])
    return Delivered(
        place=place,
        id=f"Delivery:{batch.pk}:{index}",
        pixel_pk=batch.pixel,
        source_pk=batch.source,
        destination_pk=batch.destination,
        at=at,
        outcome=Outcome(kind.outcome),
        event_name=kind.name,
        event_id=columns.ids[index],
        event_time=_earlier(at.replace(microsecond=at.microsecond // 1_000 * 1_000), columns.times[index]),
        website=kind.website,
        road=Road(kind.road),
        detail=kind.detail,
        code=kind.code,
        trace_id=kind.trace_id,
        received_at=_earlier(at.replace(microsecond=0), columns.received[index]),
        enriched=kind.enriched,
        changes=tuple(events.changes.of(index)),
    )


def _earlier(at: datetime, milliseconds: int) -> datetime | None:
    try:
        return at - timedelta(milliseconds=milliseconds)
    except OverflowError:
        return None


def batches_with(tenant_ids: Sequence[str], event_id: str) -> list[int]:
    """The newest batches of the accounts that hold the id's digest: they hold the id, but for rare chance.

    A statement of its own: as a part of that which reads the batches, PostgreSQL would look for its order first.
    """
    digest = packing.digest_of(event_id)
    has = "position(%s IN digests)" if connection.vendor == "postgresql" else "instr(digests, %s)"
    if not tenant_ids:
        return []
    tenants = ", ".join(["%s"] * len(tenant_ids))
    sql = (
        f"SELECT batch FROM {DeliveryKey._meta.db_table} "  # noqa: S608  # nosec B608  # our table
        f"WHERE tenant_id IN ({tenants}) AND key IN (%s, %s) AND {has} > 0 AND batch >= %s "
        f"ORDER BY batch DESC LIMIT {MOST_HOLDING}"
    )
    keys = packing.keys_of(digest)
    since = first_id_at(oldest_kept())
    return [batch for (batch,) in bulk.fetch(sql, [*tenant_ids, *keys, packing.as_stored(digest), since])]

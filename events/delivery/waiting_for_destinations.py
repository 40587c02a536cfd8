"""Events that wait for destinations of gateway pipelines, as lists show them: the newest, once for each destination.

What a source has sent is stored once for all its destinations; it waits for those whose cursors are still before it.
What waits for one destination alone waits apart.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, groupby, islice
from operator import attrgetter
from typing import NamedTuple

from django.db import connection
from django.db.models import Exists, Model, OuterRef, Q, QuerySet
from django.db.models.expressions import Combinable

from events.delivery.batches import Event, OutboxRecord
from events.delivery.entries import Among, Delivered, From, Outcome, Wanted
from events.delivery.explanations import NO_ANSWER
from events.delivery.waiting import WAITING_EVENTS, WAITING_ROWS, Size, event_time_of, events_of, fitting_of_each
from events.models import DestinationCursor, DestinationRow, Intake, Road, SourceRow
from events.models.log import microseconds
from pipelines.models import Destination

#: Of an account's destinations, so many are looked at, and of the sources that lead to them.
WAITING_DESTINATIONS = 10
#: A place tells the event's place in its request, and the destination.
PLACE_BITS = 13

_COLUMNS = "event_count, LENGTH(body), road"
# What has no place yet is the newest. In the reverse order of the index, in both statements.
_OF_SOURCE = f"""
    SELECT * FROM (
        SELECT id, source_id, {_COLUMNS} FROM events_sourcerow
        WHERE source_id = %s AND place IS NULL AND intake = {Intake.RECEIVED.value} ORDER BY id DESC LIMIT %s
    ) AS unplaced
    UNION ALL SELECT * FROM (
        SELECT id, source_id, {_COLUMNS} FROM events_sourcerow
        WHERE source_id = %s AND place > %s ORDER BY place DESC LIMIT %s
    ) AS placed
"""  # noqa: S608  # nosec B608  # our columns
_APART = f"""
    SELECT * FROM (
        SELECT id, destination_id, {_COLUMNS} FROM events_destinationrow
        WHERE destination_id = %s ORDER BY id DESC LIMIT %s
    ) AS apart
"""  # noqa: S608  # nosec B608  # our columns


#: What ``_why`` reads of a destination's lane.
_LANE = ("held", "failures", "silence", "code", "message")


class _Why(NamedTuple):
    """What a destination's events wait for, as its last answer tells, where it did not take them."""

    code: str
    detail: str


class Queue(NamedTuple):
    """A destination that events wait for, and its cursors: how far it has come, by source."""

    pk: int
    why: _Why
    has_apart: bool
    cursors: Mapping[int, int]
    #: Filled in by ``queues_of``.
    name: str = ""
    type: str = ""


def read_waiting_for_destinations(tenant_id: str, among: Among, wanted: Wanted) -> list[Delivered]:
    """Those that are asked for of the newest events that wait for the account's destinations."""
    if not wanted.may_wait or among.destinations == () or not among.waits:
        return []
    queues = _queues(tenant_id, among)
    return read_waiting_at(queues, among.source, wanted)


def queues_of(source_pk: int) -> list[Queue]:
    """The destinations that the source leads to, by name, whether anything waits for them or not: one query."""
    apart = Exists(DestinationRow.objects.filter(destination=OuterRef("destination")))
    cursors = DestinationCursor.objects.filter(source=source_pk).annotate(has_apart=apart).order_by("destination__name")
    columns = ("destination", "destination__name", "destination__type", "place", "has_apart")
    lane = tuple(f"destination__lane__{column}" for column in _LANE)
    return [
        Queue(pk, _why(*of_lane), has_apart, {source_pk: place}, name, kind)
        for pk, name, kind, place, has_apart, *of_lane in cursors.values_list(*columns, *lane)
    ]


def read_waiting_at(queues: Sequence[Queue], source: int | None, wanted: Wanted) -> list[Delivered]:
    """Those that are asked for of the newest events that wait for these destinations; of one source, if it is named."""
    if not queues or not wanted.may_wait:
        return []
    waiting = chain(_behind_cursors(queues, wanted.road), _apart(queues, source, wanted.road))
    return [entry for entry in waiting if wanted.includes(entry)]


def _behind() -> QuerySet[DestinationCursor]:
    """The cursors that have something before them."""
    rows = SourceRow.objects.filter(source=OuterRef("source"))
    news = rows.filter(place=None, intake=Intake.RECEIVED)
    return DestinationCursor.objects.filter(Exists(rows.filter(place__gt=OuterRef("place"))) | Exists(news))


def _apart_rows() -> Exists:
    return Exists(DestinationRow.objects.filter(destination=OuterRef("pk")))


def has_waiting() -> Combinable:
    """Do events wait for the destination? An expression for a query of destinations."""
    return Exists(_behind().filter(destination=OuterRef("pk"))) | _apart_rows()  # type: ignore[return-value]


def _queues(tenant_id: str, among: Among) -> list[Queue]:
    behind = _behind().filter(destination__tenant=tenant_id)
    destinations: QuerySet[Destination] = Destination.objects.filter(tenant=tenant_id)
    if among.destinations is not None:
        destinations = destinations.filter(pk__in=among.destinations)
        behind = behind.filter(destination__in=among.destinations)
    if among.source is not None:
        behind = behind.filter(source=among.source)
    cursors: dict[int, dict[int, int]] = defaultdict(dict)
    for destination, source, place in behind.values_list("destination_id", "source_id", "place").order_by("pk"):
        cursors[destination][source] = place
    has_apart = _apart_rows()
    some = destinations.filter(Q(pk__in=cursors) | has_apart).annotate(has_apart=has_apart).order_by("pk")
    columns = ("pk", "has_apart", *(f"lane__{column}" for column in _LANE))
    return [
        Queue(pk, _why(*lane), apart, cursors.get(pk, {}))
        for pk, apart, *lane in some.values_list(*columns)[:WAITING_DESTINATIONS]
    ]


def _why(held: bool | None, failures: int | None, silence: str | None, code: str | None, message: str | None) -> _Why:
    if not held and not failures:
        return _Why("", "")
    return _Why("", str(NO_ANSWER)) if silence else _Why(code or "", message or "")


def _behind_cursors(queues: Iterable[Queue], road: Road | None) -> Iterator[Delivered]:
    """An event for each destination that has not come to it yet."""
    ways: dict[int, list[tuple[int, Queue]]] = defaultdict(list)
    for queue in queues:
        for source, place in queue.cursors.items():
            ways[source].append((place, queue))
    sources = list(islice(ways.items(), WAITING_DESTINATIONS))
    if not sources:
        return
    bounds = [
        value
        for source, there in sources
        for value in (source, WAITING_ROWS, source, min(place for place, _ in there), WAITING_ROWS)
    ]
    pks = _fitting(" UNION ALL ".join([_OF_SOURCE] * len(sources)), bounds, road)
    rows = SourceRow.objects.filter(pk__in=pks).order_by("source", "-pk")
    for source, found in groupby(rows, attrgetter("source_id")):
        of_source = (
            _waits(queue, From.SOURCE, source, event)
            for row in found
            for event in events_of(_record(row))
            for place, queue in ways[source]
            if row.place is None or row.place > place
        )
        yield from islice(of_source, WAITING_EVENTS)


def _apart(queues: Iterable[Queue], source: int | None, road: Road | None) -> Iterator[Delivered]:
    by_pk = {queue.pk: queue for queue in queues if queue.has_apart}
    if not by_pk:
        return
    bounds = [value for pk in by_pk for value in (pk, WAITING_ROWS)]
    pks = _fitting(" UNION ALL ".join([_APART] * len(by_pk)), bounds, road)
    rows = DestinationRow.objects.filter(pk__in=pks).order_by("destination", "-pk")
    if source is not None:
        rows = rows.filter(source=source)
    for destination, found in groupby(rows, attrgetter("destination_id")):
        queue = by_pk[destination]
        there = (
            _waits(queue, From.APART, row.source_id or 0, event) for row in found for event in events_of(_record(row))
        )
        yield from islice(there, WAITING_EVENTS)


def _fitting(statement: str, bounds: list[int], road: Road | None) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(statement, bounds)
        sizes = sorted(map(Size._make, cursor), key=lambda size: (size.owner, size.pk), reverse=True)
    return fitting_of_each(sizes, road)


def _record(row: Model) -> OutboxRecord:
    names = ("pk", "received_at", "options", "event_count", "road")
    pk, received_at, options, count, road = (getattr(row, name) for name in names)
    return OutboxRecord(pk, received_at, 0, True, options, count, bytes(row.body), road)  # type: ignore[attr-defined]


def _waits(queue: Queue, stored: From, source_pk: int, event: Event) -> Delivered:
    row = event.row
    place = (queue.pk << PLACE_BITS) + event.index
    return Delivered(
        place=(microseconds(row.received_at), stored, row.pk, place),
        id=f"Delivery:{stored.name.lower()}:{row.pk}:{place}",
        pixel_pk=0,
        source_pk=source_pk,
        destination_pk=queue.pk,
        at=row.received_at,
        outcome=Outcome.WAITING,
        event_name=event.name,
        event_id=event.event_id,
        event_time=event_time_of(event),
        website=event.website,
        road=Road(row.road),
        received_at=row.received_at,
        detail=queue.why.detail,
        code=queue.why.code,
    )

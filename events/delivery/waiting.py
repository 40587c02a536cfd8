"""Events that wait, as lists show them: a bounded part, the newest, of what may be millions."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from datetime import UTC, datetime
from itertools import groupby, islice
from operator import attrgetter, itemgetter
from typing import NamedTuple

from django.db import connection
from django.db.models import Exists, OuterRef, QuerySet

from common import budget
from events.delivery.batches import MAX_BYTES, Event, OutboxRecord, decode_rows
from events.delivery.entries import Delivered, From, Outcome, Wanted
from events.delivery.explanations import NO_ANSWER
from events.models import OutboxRow, Road
from events.models.log import microseconds
from pixels.models import Pixel

#: Of what waits for a pixel, so many requests and events are looked at: the newest.
WAITING_ROWS = 200
WAITING_EVENTS = 1_000
#: Of an account's pixels, so many.
WAITING_PIXELS = 10


class Size(NamedTuple):
    """How much a row holds, before it is read."""

    pk: int
    #: The pixel, or whatever it waits at.
    owner: int
    events: int
    octets: int
    road: int


# In the reverse order of the index: what is new, then what has been tried. SQLite orders parts of a union only so.
_SIZES = """
    SELECT * FROM (
        SELECT id, pixel_id, event_count, LENGTH(body), road FROM events_outboxrow
        WHERE pixel_id = %s ORDER BY counted, id DESC LIMIT %s
    ) AS newest
"""


def pixels_with_waiting(pixels: QuerySet[Pixel]) -> QuerySet[Pixel]:
    """The pixels, each of which tells whether events wait on it: so that those are asked for alone."""
    return pixels.annotate(has_waiting=Exists(OutboxRow.objects.filter(pixel=OuterRef("pk"))))


def read_waiting_events(pixels: Collection[Pixel], wanted: Wanted) -> list[Delivered]:
    """Those that are asked for of the newest events that wait on the pixels; of many pixels, on some that have any."""
    if not wanted.may_wait:
        return []
    some = {pixel.pk: pixel for pixel in pixels if getattr(pixel, "has_waiting", True)}
    asked = dict(islice(some.items(), WAITING_PIXELS))
    entries: list[Delivered] = []
    for pixel_pk, found in groupby(_rows(_newest(list(asked), wanted.road)), key=itemgetter(0)):
        of_pixel = (_waits(asked[pixel_pk], silence, event) for _, silence, row in found for event in events_of(row))
        entries += islice(of_pixel, WAITING_EVENTS)
    return [entry for entry in entries if wanted.includes(entry)]


def _newest(pixel_pks: list[int], road: Road | None) -> list[int]:
    """The newest rows of each pixel, as many as are looked at."""
    if not pixel_pks:
        return []
    with connection.cursor() as cursor:
        bounds = [value for pk in pixel_pks for value in (pk, WAITING_ROWS)]
        cursor.execute(" UNION ALL ".join([_SIZES] * len(pixel_pks)), bounds)
        sizes = list(map(Size._make, cursor))
    return fitting_of_each(sizes, road)


def fitting_of_each(sizes: Iterable[Size], road: Road | None) -> list[int]:
    """The first rows of each owner, as many as are looked at; they come by owner, and are paid for here."""
    by_owner = [list(found) for _, found in groupby(sizes, key=attrgetter("owner"))]
    fitting: list[Size] = []
    for found in by_owner:
        fitting += _fitting((size for size in found if road in (None, size.road)), MAX_BYTES // len(by_owner))
    budget.load(sum(size.events for size in fitting), "deliveries")
    budget.load(lambda: sum(size.octets for size in fitting), "deliveries", per_object=budget.BYTES_PER_OBJECT)
    return [size.pk for size in fitting]


def _rows(pks: list[int]) -> Iterator[tuple[int, str, OutboxRecord]]:
    """The rows by pixel, the newest first, each with its lane's silence."""
    columns = OutboxRow.objects.filter(pk__in=pks).values_list(
        *("pixel", "pixel__lane__silence", "pk", "received_at", "intake", "counted", "options", "event_count"),
        *("body", "road"),
    )
    for pixel, silence, pk, received_at, intake, counted, options, count, body, by in columns.order_by("pixel", "-pk"):
        yield pixel, silence or "", OutboxRecord(pk, received_at, intake, counted, options, count, bytes(body), by)


def events_of(row: OutboxRecord) -> Iterator[Event]:
    """The row's events, the last first."""
    return reversed(decode_rows([row]))


def event_time_of(event: Event) -> datetime:
    """When it happened, as its sender says; the intake has checked it."""
    return datetime.fromtimestamp(event.time, UTC)


def _fitting(sizes: Iterable[Size], most_bytes: int) -> Iterator[Size]:
    """The first rows, until there are events or bytes enough."""
    events = octets = 0
    for size in sizes:
        yield size
        events, octets = events + size.events, octets + size.octets
        if events >= WAITING_EVENTS or octets >= most_bytes:
            return


def _waits(pixel: Pixel, silence: str, event: Event) -> Delivered:
    row = event.row
    return Delivered(
        place=(microseconds(row.received_at), From.OUTBOX, row.pk, event.index),
        id=f"Delivery:waiting:{row.pk}:{event.index}",
        pixel_pk=pixel.pk,
        at=row.received_at,
        outcome=Outcome.WAITING,
        event_name=event.name,
        event_id=event.event_id,
        event_time=event_time_of(event),
        website=event.website,
        road=Road(event.row.road),
        received_at=row.received_at,
        # Where publishing has failed, the failure says what these events wait for.
        detail=NO_ANSWER if row.counted and silence else "",
        code=(pixel.api_error_code or "") if row.counted and not silence else "",
    )

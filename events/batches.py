"""What waits for a pixel, read as a batch, and the decision what of it is to be published."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import takewhile
from typing import NamedTuple

import msgspec
from django.db.models import QuerySet
from django.db.models.functions import Length

from events.graph_api import Accepted, Problem
from events.lanes import MAX_AGE
from events.models import EVENT_NAME_MAX_LENGTH, Delivery, OutboxRow
from filters.domains import host_of
from filters.matching import FilterSet, Kind, Rule
from pixels.models import Pixel

#: What one request to the Graph API may hold (the reference's limit), and so a batch.
MAX_EVENTS = 1_000
#: A batch is held in memory: rows of the largest size are not merged a thousand at a time.
MAX_BYTES = 4 * 1024 * 1024
#: Rows that are looked at to choose a batch, and to tell how many events wait behind it.
LOOK_AHEAD_ROWS = 2_000


class Fate(NamedTuple):
    """What became of an event for good: the column that counts it, and what the delivery log says."""

    column: str
    outcome: Delivery.Outcome
    detail: str = ""
    code: str = ""
    trace_id: str = ""


RECEIVING_OFF = Fate("dropped_receiving_off", Delivery.Outcome.DROPPED, "Receiving was off")
PUBLISHING_OFF = Fate("dropped_publishing_off", Delivery.Outcome.DROPPED, "Publishing was off")
EXPIRED = Fate("expired", Delivery.Outcome.EXPIRED, "Older than 7 days")


def dropped_by(rule: Rule) -> Fate:
    """A filter said DROP."""
    if rule.kind is Kind.EVENT:
        return Fate("dropped_by_event_filter", Delivery.Outcome.DROPPED, f"Event filter for {rule.name}")
    return Fate("dropped_by_domain_filter", Delivery.Outcome.DROPPED, f"Website filter for {rule.name}")


def published(answer: Accepted) -> Fate:
    """Meta has it."""
    return Fate("published", Delivery.Outcome.PUBLISHED, trace_id=answer.trace_id)


def failed(problem: Problem) -> Fate:
    """Meta refused it on its own."""
    return Fate("failed", Delivery.Outcome.FAILED, problem.message, problem.name, problem.trace_id)


class Row(NamedTuple):
    """An outbox row."""

    pk: int
    received_at: datetime
    intake: int
    counted: bool
    options: str
    body: bytes


@dataclass(slots=True, eq=False)
class Event:
    """An event of a batch; without a fate, it waits."""

    row: Row
    raw: msgspec.Raw
    name: str
    event_id: str
    time: float
    website: str
    fate: Fate | None = None
    #: What Meta is sent: the event as it is stored, unless enrichment adds to it.
    sent: msgspec.Raw | bytes = b""


@dataclass(slots=True)
class Batch:
    """The rows at the head of a pixel's queue, and their events."""

    rows: list[Row]
    events: list[Event]
    #: How many events are known to wait behind these.
    behind: int

    def undecided(self) -> list[Event]:
        """The events that nothing has become of yet."""
        return [event for event in self.events if event.fate is None]


class _Head(msgspec.Struct):
    """What the gateway must know of an event. The intake has checked it; the rest passes through as bytes."""

    event_name: str
    event_id: str
    event_time: float
    event_source_url: object = None


_decode_heads = msgspec.json.Decoder(list[_Head], strict=False).decode
_decode_raws = msgspec.json.Decoder(list[msgspec.Raw]).decode


def read(pixel: Pixel, *, now: datetime, publishes: bool) -> Batch | None:
    """The next batch of the pixel's queue; None where there is nothing to do.

    Of a pixel that does not publish now, rows that have been counted are left alone, unless they have expired.
    """
    rows = OutboxRow.objects.filter(pixel=pixel)
    if publishes:
        return _merge(rows, _look_ahead(rows.order_by("-counted", "id")))
    # ``in``, since SQLite finds ``NOT counted`` in no index.
    expired = _expired(rows.filter(counted__in=[True]).order_by("id"), now - MAX_AGE)
    return _merge(rows, expired or _look_ahead(rows.filter(counted__in=[False]).order_by("id")))


class _Size(NamedTuple):
    pk: int
    events: int
    octets: int


_SIZE = ("pk", "event_count", Length("body"))


def _look_ahead(rows: QuerySet[OutboxRow]) -> list[_Size]:
    return [_Size(*values) for values in rows.values_list(*_SIZE)[:LOOK_AHEAD_ROWS]]


def _expired(waiting: QuerySet[OutboxRow], too_old: datetime) -> list[_Size]:
    """Those at the head of the queue that have waited too long."""
    oldest = waiting.values_list("received_at", flat=True).first()
    if oldest is None or oldest > too_old:
        return []
    sizes = waiting.values_list("received_at", *_SIZE)[:LOOK_AHEAD_ROWS]
    return [_Size(*size) for _, *size in takewhile(lambda values: values[0] <= too_old, sizes)]


def _merge(rows: QuerySet[OutboxRow], sizes: list[_Size]) -> Batch | None:
    chosen = list(_fitting(sizes))
    columns = rows.filter(pk__in=[size.pk for size in chosen]).values_list(
        "pk", "received_at", "intake", "counted", "options", "body"
    )
    found = {values[0]: Row(*values[:-1], bytes(values[-1])) for values in columns}
    batch = [found[size.pk] for size in chosen if size.pk in found]
    if not batch:
        return None
    events = [event for row in batch for event in decode(row)]
    return Batch(batch, events, behind=sum(size.events for size in sizes[len(chosen) :]))


def _fitting(sizes: Iterable[_Size]) -> Iterator[_Size]:
    """The first rows that fit into a batch together: one at least."""
    events = octets = 0
    for size in sizes:
        events, octets = events + size.events, octets + size.octets
        if events > size.events and (events > MAX_EVENTS or octets > MAX_BYTES):
            return
        yield size


def decode(row: Row) -> list[Event]:
    """The events of a row."""
    return [
        Event(
            row=row,
            raw=raw,
            name=head.event_name[:EVENT_NAME_MAX_LENGTH],
            event_id=head.event_id,
            time=head.event_time,
            website=host_of(head.event_source_url) or "",
            sent=raw,
        )
        for head, raw in zip(_decode_heads(row.body), _decode_raws(row.body), strict=True)
    ]


def decide(batch: Batch, pixel: Pixel, filters: FilterSet, now: datetime) -> None:
    """Drop and expire what must not be published; what is left undecided is to be published."""
    too_old = now - MAX_AGE
    too_old_seconds = too_old.timestamp()
    for event in batch.events:
        if event.row.intake == OutboxRow.Intake.RECEIVING_OFF:
            event.fate = RECEIVING_OFF
        elif event.time < too_old_seconds or event.row.received_at <= too_old:
            event.fate = EXPIRED
        elif rule := filters.dropped_by(event.name, event.website or None):
            event.fate = dropped_by(rule)
        elif not pixel.publishing_enabled:
            event.fate = PUBLISHING_OFF

"""Events that wait for destinations of gateway pipelines, as lists show them: the newest, once for each destination.

What a source has sent is stored once for all its destinations; it waits for those whose cursors are still before it.
What waits for one destination alone waits apart.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import NamedTuple

from events.delivery.batches import Event
from events.delivery.ends import Ends, Queue
from events.delivery.entries import Among, Delivered, From, Outcome
from events.delivery.waiting_lists.rows import Asked, Row, event_time_of
from events.models import Road
from events.models.log import microseconds

#: Of an account's destinations, so many are looked at, and of the sources that lead to them.
WAITING_DESTINATIONS = 10
#: A place tells the event's place in its request, and the destination.
PLACE_BITS = 13


class Queues(NamedTuple):
    """Of destinations for which events wait: by source, each with its place there; and those with events apart."""

    by_source: dict[int, list[tuple[int, Queue]]]
    apart: dict[int, Queue]
    #: The source whose events are asked for; None for any.
    source: int | None

    def asked(self) -> list[Asked]:
        """What is looked at for them."""
        places = ((source, min(place for place, _ in there)) for source, there in self.by_source.items())
        behind = [Asked(From.SOURCE, *each) for each in islice(places, WAITING_DESTINATIONS)]
        return behind + [Asked(From.APART, pk) for pk in self.apart]

    def entries_of(self, asked: Asked, rows: Iterable[Row]) -> Iterator[Delivered]:
        """The events of what was looked at: one for each destination that they wait for."""
        return self._behind(asked.owner, rows) if asked.stored is From.SOURCE else self._apart(asked.owner, rows)

    def _behind(self, source: int, rows: Iterable[Row]) -> Iterator[Delivered]:
        for row in rows:
            for event in row.events():
                for place, queue in self.by_source[source]:
                    if row.place is None or row.place > place:
                        yield _waits(queue, From.SOURCE, source, event)

    def _apart(self, destination: int, rows: Iterable[Row]) -> Iterator[Delivered]:
        for row in rows:
            if self.source in (None, row.source):
                for event in row.events():
                    yield _waits(self.apart[destination], From.APART, row.source or 0, event)


def queues_of(ends: Ends, among: Among) -> Queues:
    """Those of the account's first destinations that are asked for and have any."""
    asked_for = [end.queue for pk, end in sorted(ends.destinations.items()) if among.is_to(pk)]
    some = [queue for queue in asked_for if queue.has_apart or any(map(among.is_of, queue.places))]
    by_source: dict[int, list[tuple[int, Queue]]] = {}
    apart: dict[int, Queue] = {}
    for queue in some[:WAITING_DESTINATIONS]:
        if queue.has_apart:
            apart[queue.pk] = queue
        for source, place in queue.places.items():
            if among.is_of(source):
                by_source.setdefault(source, []).append((place, queue))
    return Queues(by_source, apart, among.source)


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
        detail=queue.detail,
        code=queue.code,
        raw=event.raw,
        changes=tuple(event.changes),
    )

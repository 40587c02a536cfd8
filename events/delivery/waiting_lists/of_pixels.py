"""Events that wait for their pixels, as lists show them: the newest."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from itertools import islice

from events.delivery.batches import Event
from events.delivery.entries import Delivered, From, Outcome
from events.delivery.explanations import NO_ANSWER
from events.delivery.waiting_lists.rows import Asked, Row, event_time_of
from events.models import Road
from events.models.log import microseconds
from pixels.models import Pixel

#: Of an account's pixels, so many are looked at.
WAITING_PIXELS = 10


def asked_of(pixels: Collection[Pixel]) -> list[Asked]:
    """Some of the pixels on which events wait, as far as that is known."""
    some = (Asked(From.OUTBOX, pixel.pk) for pixel in pixels if getattr(pixel, "has_waiting", True))
    return list(islice(some, WAITING_PIXELS))


def entries_of(pixel: Pixel, rows: Iterable[Row]) -> Iterator[Delivered]:
    """Those of a pixel."""
    return (_waits(pixel, row.silence, event) for row in rows for event in row.events())


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
        road=Road(row.road),
        received_at=row.received_at,
        # Where publishing has failed, the failure says what these events wait for.
        detail=NO_ANSWER if row.counted and silence else "",
        code=(pixel.api_error_code or "") if row.counted and not silence else "",
        raw=event.raw,
        changes=tuple(event.changes),
    )

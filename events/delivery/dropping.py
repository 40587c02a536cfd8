"""Which events of a pixel are not published: a filter, a switch or their age drops them."""

from __future__ import annotations

from datetime import datetime
from functools import cache

from events.delivery.batches import Batch
from events.delivery.fates import EXPIRED, PUBLISHING_OFF, RECEIVING_OFF, Fate, dropped_by
from events.models import EVENT_MAX_AGE, OutboxRow
from filters.matching import FilterSet
from pixels.models import Pixel

#: As a plain number: every event is asked for it.
_RECEIVING_OFF = OutboxRow.Intake.RECEIVING_OFF.value


def decide(batch: Batch, pixel: Pixel, filters: FilterSet, now: datetime) -> None:
    """Drop and expire what must not be published; what is left undecided is to be published."""
    too_old = now - EVENT_MAX_AGE
    too_old_seconds = too_old.timestamp()
    otherwise = None if pixel.publishing_enabled else PUBLISHING_OFF

    @cache  # an event's name and website decide, and there are far fewer of these than events
    def filtered(name: str, website: str) -> Fate | None:
        rule = filters.dropped_by(name, website or None)
        return dropped_by(rule) if rule else otherwise

    for event in batch.undecided():
        row = event.row
        if row.intake == _RECEIVING_OFF:
            event.fate = RECEIVING_OFF
        elif event.time < too_old_seconds or row.received_at <= too_old:
            event.fate = EXPIRED
        else:
            event.fate = filtered(event.name, event.website)

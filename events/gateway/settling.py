"""Settling a destination's batch: what became of its events is written in one transaction, or not at all.

Events are counted in the transaction that moves the destination's cursor past their request, or deletes the row in
which they waited apart. It begins by making sure that the lane is still ours. So each is counted once in each
destination, whatever is killed when.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from common import bulk
from events import bounds
from events.delivery import leases
from events.delivery.attempts import Attempt
from events.delivery.batches import Batch, Event, OutboxRecord
from events.delivery.log import writing as log
from events.delivery.settling import HOLDING, add_events, holding, refused
from events.delivery.verdicts import Verdict
from events.figures.books import DESTINATIONS
from events.figures.counting import Tally
from events.gateway.lanes import Claim
from events.gateway.reading import Part
from events.models import DestinationCursor, DestinationLetter, DestinationRow
from pipelines.models import Destination


@transaction.atomic
def settle(claim: Claim, destination: Destination, part: Part, attempt: Attempt) -> None:
    """Write what became of the part, and what follows from the last answer; an attempt that must wait ends the lease.

    Raises LeaseLost, and changes nothing, where the lane is no longer ours. The destination's row is locked first, then
    its lane: deleting it locks them in the same order.
    """
    now = timezone.now()
    settled = part.batch if part.apart else _passed(part.batch)
    leases.keep(claim, _changes(claim, destination, attempt.verdict, settled, now))
    if part.apart:
        _settle_rows(settled)
    else:
        _pass(destination, part, settled)
    _count(destination, settled, attempt.errors, now)
    _keep_letters(destination, part, settled, now)
    whose = log.Whose(destination.tenant_id, source=part.source_pk or 0, destination=destination.pk)
    log.write(whose, settled.events, now)


def _changes(
    claim: Claim, destination: Destination, verdict: Verdict | None, settled: Batch, now: datetime
) -> dict[str, Any]:
    """What changes in the lane. That a destination does not know us holds for the settings that it was asked with."""
    locked = Destination.objects.select_for_update(no_key=True).filter(pk=destination.pk).first()
    if locked is None:
        raise leases.LeaseLost  # the destination is gone, and with it everything
    is_same = (locked.settings, locked.secrets) == (destination.settings, destination.secrets)
    changes: dict[str, Any] = {}
    if verdict is not None and (is_same or not verdict.rejects_token):
        changes |= verdict.lane(claim)
    if verdict is not None and verdict.wait:
        changes |= leases.RELEASED
    if any(event.fate is not None and event.fate.column == "published" for event in settled.events):
        changes["last_published"] = now
    return changes


def _passed(batch: Batch) -> Batch:
    """Of a batch of requests, those that the cursor passes: all where all is decided, else those to the last that the
    destination has answered for. What follows is as if it had not been read.
    """
    if not batch.undecided():
        return batch
    answered = {event.row.pk for event in batch.events if event.fate and event.fate.column in ("published", "failed")}
    last = max((number for number, row in enumerate(batch.rows, 1) if row.pk in answered), default=0)
    rows = batch.rows[:last]
    return Batch(rows, batch.events[: sum(row.event_count for row in rows)], has_more=True)


def _pass(destination: Destination, part: Part, settled: Batch) -> None:
    """Move the cursor, and put apart what waits of the requests that it passes."""
    if not settled.rows:
        return
    place = settled.rows[-1].pk
    cursor = DestinationCursor.objects.filter(destination=destination, source=part.source_pk, place__lt=place)
    cursor.update(place=place)  # where no pipeline leads here any more, there is none
    DestinationRow.objects.bulk_create(
        DestinationRow(
            destination=destination,
            source_id=part.source_pk,
            received_at=row.received_at,
            options=row.options,
            road=row.road,
            **holding(events),
        )
        for row, events in _waiting(settled).items()
    )


def _settle_rows(batch: Batch) -> None:
    """Delete the rows of which nothing waits; leave in the others what does."""
    waiting = _waiting(batch)
    bulk.delete(DestinationRow, [row.pk for row in batch.rows if row not in waiting])
    shorter = [
        DestinationRow(pk=row.pk, **holding(events)) for row, events in waiting.items() if len(events) < row.event_count
    ]
    DestinationRow.objects.bulk_update(shorter, HOLDING)


def _waiting(batch: Batch) -> dict[OutboxRecord, list[Event]]:
    waiting: dict[OutboxRecord, list[Event]] = {}
    for event in batch.undecided():
        waiting.setdefault(event.row, []).append(event)
    return waiting


def _count(destination: Destination, settled: Batch, errors: int, now: datetime) -> None:
    tally = Tally(DESTINATIONS)
    if settled.rows:
        add_events(tally, settled.by_arrival(), now)
    if errors:
        tally.add(now, None, None, "publish_errors", errors)
    tally.write(destination.pk)


def _keep_letters(destination: Destination, part: Part, settled: Batch, now: datetime) -> None:
    letters = [
        DestinationLetter(destination=destination, source_id=part.source_pk, **values)
        for values in refused(settled.events, now)
    ]
    if letters:
        DestinationLetter.objects.bulk_create(letters)
        bounds.trim_dead_letters(DestinationLetter.objects.filter(destination=destination.pk))

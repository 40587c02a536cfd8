"""Settling a batch: what became of its events is written in one transaction, or not at all.

Events are counted in the transaction that deletes their outbox row, or that marks it as counted where they must wait.
It begins by making sure that the lane is still ours. So each event is counted once, whatever is killed when.
"""

from __future__ import annotations

from collections import Counter as Multiset
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from operator import attrgetter
from typing import Any

from django.db import transaction
from django.utils import timezone

from common import bulk
from events import bounds, changes
from events.delivery import lanes
from events.delivery.batches import Batch, Came, Event
from events.delivery.log import writing as log
from events.delivery.sampled_ids import sampled_arrivals
from events.delivery.verdicts import Verdict
from events.figures.counting import Tally
from events.figures.seen_ids import Arrival, remember
from events.models import DeadLetter, Lane, OutboxRow
from pixels.models import Pixel

_KIND = attrgetter("name", "website", "fate")
#: As a plain number: every row is asked for it.
_RECEIVED = OutboxRow.Intake.RECEIVED.value


@transaction.atomic
def settle(
    claim: lanes.Claim,
    pixel: Pixel,
    batch: Batch,
    *,
    verdict: Verdict | None = None,
    errors: int = 0,
    release: bool = False,
) -> None:
    """Write what became of the batch and what follows from Meta's last answer, and ``release`` the lane with it.

    Raises LeaseLost, and changes nothing, where the lane is no longer ours. The pixel's row is locked first, then its
    lane: deleting a pixel locks them in the same order.
    """
    now = timezone.now()
    holds = _update_pixel(pixel, batch, verdict or Verdict(), now)
    changes = verdict.lane(claim) if verdict and holds else {}
    lanes.keep(claim, {**changes, **(lanes.RELEASED if release else {})})
    _settle_rows(batch)
    _count(claim, batch, errors, now)
    _keep_dead_letters(pixel, batch, now)
    log.write(log.Whose(pixel.tenant_id, pixel=pixel.pk), batch.events, now)


def _update_pixel(pixel: Pixel, batch: Batch, verdict: Verdict, now: datetime) -> bool:
    """Tell in the pixel's row how publishing goes; does the verdict hold for the pixel as it is now?

    A token that was replaced while the request was under way is not the one that Meta rejected.
    """
    row = Pixel.objects.filter(pk=pixel.pk)
    news = _news(pixel, batch, now)
    if verdict.rejects_token:
        if row.filter(access_token=pixel.access_token).update(**news, **verdict.pixel):
            return True
    elif row.update(**news, **verdict.pixel):
        return True
    if not row.update(**news):
        raise lanes.LeaseLost  # the pixel is gone, and with it everything
    return False


def _news(pixel: Pixel, batch: Batch, now: datetime) -> dict[str, Any]:
    """When events last came, and when the last was published."""
    new = [row.received_at for row in batch.rows if not row.counted and row.intake == _RECEIVED]
    news: dict[str, Any] = {"last_received": max([*new, *filter(None, [pixel.last_received])], default=None)}
    if any(event.fate and event.fate.column == "published" for event in batch.events):
        news["last_published"] = now
    return news


def _settle_rows(batch: Batch) -> None:
    """Delete the rows of which nothing waits; mark the others as counted, without the events that are settled."""
    waiting: dict[int, list[Event]] = {}
    for event in batch.undecided():
        waiting.setdefault(event.row.pk, []).append(event)
    bulk.delete(OutboxRow, [row.pk for row in batch.rows if row.pk not in waiting])
    if not waiting:
        return
    kept = [row for row in batch.rows if row.pk in waiting]
    whole = [row.pk for row in kept if not row.counted and len(waiting[row.pk]) == row.event_count]
    if whole:
        OutboxRow.objects.filter(pk__in=whole).update(counted=True)
    parts = [
        OutboxRow(pk=row.pk, counted=True, **holding(events))
        for row in kept
        if len(events := waiting[row.pk]) < row.event_count
    ]
    OutboxRow.objects.bulk_update(parts, ["counted", *HOLDING])


#: The columns of a row that tell of its events.
HOLDING = ("event_count", "body", "changes")


def holding(events: Sequence[Event]) -> dict[str, Any]:
    """These columns of a row that holds some events of another."""
    body = b"[%s]" % b",".join(event.raw for event in events)
    return dict(zip(HOLDING, (len(events), body, _changes_of(events)), strict=True))


def _changes_of(events: Iterable[Event]) -> str | None:
    """Those of the intake: enrichment is done anew at each attempt."""
    return changes.write(event.row.changes_of(event.index) for event in events)


def _count(claim: lanes.Claim, batch: Batch, errors: int, now: datetime) -> None:
    """Count what came and what became of it. Events that are alike are added up first: there are far fewer kinds."""
    tally = Tally()
    came = batch.by_arrival()
    add_events(tally, came, now)
    if errors:
        tally.add(now, None, None, "publish_errors", errors)
    if arrivals := sampled_arrivals(came, claim.ids_levels):
        _remember(claim, arrivals, tally)
    tally.write(claim.pixel_pk)


def add_events(tally: Tally, came: Mapping[Came, list[Event]], now: datetime) -> None:
    """Add what came, unless that was counted before, and what became of it."""
    for way, events in came.items():
        received_at = datetime.fromtimestamp(way.minute * 60, UTC)
        for (name, website, fate), n in Multiset(map(_KIND, events)).items():
            if not way.counted:
                tally.add(received_at, name, website, "received", n, road=way.road)
            if fate:
                tally.add(now, name, website, fate.column, n, received_at=received_at, road=way.road)


def _remember(claim: lanes.Claim, arrivals: Mapping[Arrival, int], tally: Tally) -> None:
    levels = remember(claim.pixel_pk, claim.ids_levels, arrivals, tally)
    if levels != claim.ids_levels:
        Lane.objects.filter(pk=claim.pixel_pk).update(ids_levels=levels)
        claim.ids_levels = levels


def _keep_dead_letters(pixel: Pixel, batch: Batch, now: datetime) -> None:
    letters = [DeadLetter(pixel=pixel, **values) for values in refused(batch.events, now)]
    if letters:
        DeadLetter.objects.bulk_create(letters)
        bounds.trim_dead_letters(DeadLetter.objects.filter(pixel=pixel.pk))


def refused(events: Iterable[Event], now: datetime) -> list[dict[str, Any]]:
    """The dead letters of those that failed, each as the values of its columns."""
    return [
        {
            "event_name": event.name,
            "event_id": event.event_id,
            "website": event.website,
            "event": raw,
            "options": event.row.options,
            "road": event.row.road,
            "changes": _changes_of([event]),
            "code": event.fate.code,
            "message": event.fate.detail,
            "trace_id": event.fate.trace_id,
            "received_at": event.row.received_at,
            "failed_at": now,
        }
        for event in events
        if event.fate is not None and event.fate.column == "failed" and (raw := bytes(event.raw))
    ]

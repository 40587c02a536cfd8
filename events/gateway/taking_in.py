"""Taking in what a source has sent: each event is counted as received, once, and its request gets its place in line.

One transaction does both, and hands the places out in order. So destinations read by place alone, and whatever is
killed when, nothing is counted twice, and no cursor passes a row that is not there yet.
"""

from __future__ import annotations

from datetime import UTC, datetime

from django.db import connection, transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from common import bulk
from events.delivery.batches import COLUMNS, Batch, read_head
from events.delivery.sampled_ids import sampled_arrivals
from events.delivery.settling import add_events
from events.figures.books import SOURCES
from events.figures.counting import Tally
from events.figures.seen_ids import remember
from events.gateway.lacking import count_lacks
from events.models import DestinationCursor, Intake, SourceLane, SourceRow
from pipelines.models import Source

_NEW_ROWS = f"""
    SELECT id AS number, received_at, intake, FALSE AS counted, {COLUMNS} FROM events_sourcerow
    WHERE source_id = %s AND place IS NULL
"""  # noqa: S608  # nosec B608  # our columns


def take_in(source_pk: int) -> list[int]:
    """Take in all that is new of the source; the destinations that have something to do now.

    Does nothing where another worker is at it. What comes meanwhile is lost on that one's last look, if it is too late:
    therefore another look is taken without the lock.
    """
    taken = False
    while _has_news(source_pk) and _take_in_batch(source_pk):
        taken = True
    if not taken:
        return []
    return list(DestinationCursor.objects.filter(source=source_pk).values_list("destination_id", flat=True))


def sources_with_news(among: list[int] | None = None) -> list[int]:
    """The sources that a worker should look at now."""
    sources = Source.objects.filter(Exists(SourceRow.objects.filter(source=OuterRef("pk"), place=None)))
    if among is not None:
        sources = sources.filter(pk__in=among)
    return list(sources.order_by("pk").values_list("pk", flat=True))


def _has_news(source_pk: int) -> bool:
    return SourceRow.objects.filter(source=source_pk, place=None).exists()


@transaction.atomic
def _take_in_batch(source_pk: int) -> bool:
    """Count what is first in line, and give it its places; False where another worker is at it, or nothing is there.

    Where no pipeline leads on from the source, and of what came while the source was switched off, nothing is kept.
    """
    skip = connection.features.has_select_for_update_skip_locked
    if Source.objects.select_for_update(no_key=True, skip_locked=skip).filter(pk=source_pk).first() is None:
        return False
    batch = read_head(_NEW_ROWS, "number", [source_pk])
    if batch is None:
        return False
    lane, _ = SourceLane.objects.get_or_create(source_id=source_pk)
    _count(lane, batch)
    leads_on = DestinationCursor.objects.filter(source=source_pk).exists()
    passed_on = [row.pk for row in batch.rows if leads_on and row.intake == Intake.RECEIVED]
    _place(lane, passed_on)
    lane.save(update_fields=["placed", "ids_levels"])
    kept = set(passed_on)
    bulk.delete(SourceRow, [row.pk for row in batch.rows if row.pk not in kept])
    return True


def _place(lane: SourceLane, row_pks: list[int]) -> None:
    bulk.update(SourceRow, ("id", "place"), [(pk, lane.placed + n) for n, pk in enumerate(row_pks, 1)])
    lane.placed += len(row_pks)


def _count(lane: SourceLane, batch: Batch) -> None:
    """As received, with what they lack; and as dropped, what came while the source was off. Roads' ids are compared."""
    tally = Tally(SOURCES)
    came = batch.by_arrival()
    if arrivals := sampled_arrivals(came, lane.ids_levels):
        lane.ids_levels = remember(lane.source_id, lane.ids_levels, arrivals, tally)
    for event in batch.events:
        event.fate = None  # what cannot be read is told by each destination
    now = timezone.now()
    add_events(tally, came, now)
    for event in batch.events:
        if event.row.intake == Intake.RECEIVING_OFF:
            minute = datetime.fromtimestamp(event.row.minute * 60, UTC)
            tally.add(now, event.name, event.website, "dropped_receiving_off", received_at=minute, road=event.row.road)
    count_lacks(tally, batch)
    tally.write(lane.source_id)

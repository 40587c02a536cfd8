"""What waits for a destination, read as a batch."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import F, OuterRef, Subquery

from events.delivery.batches import COLUMNS, Batch, read_head
from events.models import DestinationCursor, DestinationRow, SourceRow

_OF_SOURCE = f"""
    SELECT place AS number, received_at, intake, FALSE AS counted, {COLUMNS}
    FROM events_sourcerow WHERE source_id = %s AND place > %s
"""  # noqa: S608  # nosec B608  # our columns
_APART = f"""
    SELECT id AS number, received_at, 0 AS intake, TRUE AS counted, {COLUMNS}
    FROM events_destinationrow WHERE destination_id = %s AND {{source}}
"""  # noqa: S608  # nosec B608  # our columns


@dataclass(slots=True)
class Part:
    """A batch of one source's events. Those that wait ``apart`` were counted as received here before."""

    batch: Batch
    #: None where the source is gone.
    source_pk: int | None
    apart: bool


def read(destination_pk: int, until: datetime | None = None, *, part: int = 1) -> Part | None:
    """What is first in line: what waits apart, then of the source whose next request came first.

    With ``until``, only what was received by then; with a ``part``, batches of this part of the usual size.
    """
    return _read_apart(destination_pk, until, part) or _read_next(destination_pk, until, part)


def _read_apart(destination_pk: int, until: datetime | None, part: int) -> Part | None:
    first = DestinationRow.objects.filter(destination=destination_pk).order_by("id").only("source_id").first()
    if first is None:
        return None
    if first.source_id is None:
        rows, parameters = _APART.format(source="source_id IS NULL"), [destination_pk]
    else:
        rows, parameters = _APART.format(source="source_id = %s"), [destination_pk, first.source_id]
    batch = read_head(rows, "number", parameters, until=until, part=part)
    return Part(batch, first.source_id, apart=True) if batch else None


def _read_next(destination_pk: int, until: datetime | None, part: int) -> Part | None:
    next_row = SourceRow.objects.filter(source=OuterRef("source"), place__gt=OuterRef("place")).order_by("place")
    cursors = DestinationCursor.objects.filter(destination=destination_pk, source__lane__placed__gt=F("place"))
    by_next_row = cursors.annotate(came=Subquery(next_row.values("received_at")[:1])).exclude(came=None)
    first = by_next_row.order_by("came", "pk").first()
    if first is None:
        return None
    batch = read_head(_OF_SOURCE, "number", [first.source_id, first.place], until=until, part=part)
    return Part(batch, first.source_id, apart=False) if batch else None

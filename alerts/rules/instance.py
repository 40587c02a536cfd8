"""Rules about the instance itself, which the host alone is told of."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import timedelta

from django.conf import settings
from django.db.models import Min, OuterRef, Subquery

from alerts.rules.found import Found, Look
from events.delivery.lanes import pixels_with_rows
from events.delivery.owners import owners_with_rows
from events.models import OutboxRow, SourceRow
from pipelines.models import Source
from pixels.models import Pixel

#: For so long the gap stays an incident, so that somebody sees it.
SHOWN_FOR = timedelta(hours=1)


def disk(look: Look) -> Iterator[Found]:
    """The disk of DATA_DIR: ``value`` is the percentage that is in use."""
    usage = shutil.disk_usage(settings.DATA_DIR)
    percent = round(100 * (usage.total - usage.free) / usage.total)
    yield Found(value=percent, facts={"percent": percent, "free_gb": usage.free // 1_000_000_000})


def queue(look: Look) -> Iterator[Found]:
    """Requests that no worker has looked at: ``value`` is since how many minutes the oldest waits.

    What waits for Meta was tried, and is told of its pixel.
    """
    # ``in``, since SQLite finds ``NOT counted`` in no index.
    first = OutboxRow.objects.filter(pixel=OuterRef("pk"), counted__in=[False]).order_by("pk").values("received_at")[:1]
    pixels = Pixel.objects.filter(pk__in=pixels_with_rows(), bad_token=False).exclude(lane__failures__gt=0)
    unplaced = SourceRow.objects.filter(source=OuterRef("pk"), place=None).order_by("pk").values("received_at")[:1]
    sources = Source.objects.filter(pk__in=owners_with_rows(SourceRow, "source_id"))
    oldest = [
        since
        for owners, rows in ((pixels, first), (sources, unplaced))
        if (since := owners.aggregate(since=Min(Subquery(rows)))["since"])
    ]
    if oldest:
        minutes = int((look.now - min(oldest)).total_seconds() // 60)
        yield Found(value=minutes, facts={"minutes": minutes})


def scheduler(look: Look) -> Iterator[Found]:
    """The time between this look and the last: ``value`` is in minutes. A standstill is known once it is over."""
    minutes = int((look.now - look.last).total_seconds() // 60) if look.last else 0
    shown = [incident for incident in look.open if incident.opened_at > look.now - SHOWN_FOR]
    if shown:
        yield Found(value=float("inf"), facts=shown[0].facts)
    else:
        yield Found(value=minutes, facts={"minutes": minutes})

"""Deleting what has been kept long enough, a bounded number of rows at a time, without reading large tables whole."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from events.bounds import trim_identities
from events.enrichment import LIFETIME
from events.models import (
    DELIVERIES_KEPT,
    LABELS_KEPT,
    Counter,
    DeadLetter,
    Delivery,
    DisconnectedUsage,
    Identity,
    SeenLabel,
)
from events.windows import kept
from pixels.models import Pixel

DEAD_LETTERS_KEPT = timedelta(days=30)

#: What one transaction deletes at most: the counters of so many pixels' spans, and so many rows of other tables. These
#: rows are looked for in so many pixels' parts of the indexes.
SPANS_AT_ONCE = 200
ROWS_AT_ONCE = 5_000
PIXELS_AT_ONCE = 200


def prune(now: datetime | None = None) -> None:
    """Delete what is too old of every kind, and visitors of whom a pixel has too many."""
    now = now or timezone.now()
    for span in Counter.Span:
        _delete_counters(span, now - kept(span))
    _delete(DisconnectedUsage.objects.filter(start__lt=now - kept(Counter.Span.DAY)))
    pixels = list(Pixel.objects.order_by("pk").values_list("pk", flat=True))
    for first in range(0, len(pixels), PIXELS_AT_ONCE):
        some = pixels[first : first + PIXELS_AT_ONCE]
        _delete(Delivery.objects.filter(pixel__in=some, at__lt=now - DELIVERIES_KEPT))
        _delete(DeadLetter.objects.filter(pixel__in=some, failed_at__lt=now - DEAD_LETTERS_KEPT))
        _delete(Identity.objects.filter(pixel__in=some, seen_at__lt=now - LIFETIME))
        _delete(SeenLabel.objects.filter(pixel__in=some, last_seen__lt=(now - LABELS_KEPT).date()))
    for pixel in Pixel.objects.filter(tenant__event_enrichment=True).order_by().values_list("pk", flat=True):
        trim_identities(pixel)


def _delete_counters(span: Counter.Span, before: datetime) -> None:
    """The totals have an index by time, and whatever is counted is in one: they tell where there is something old."""
    spans = Counter.objects.filter(span=span)
    totals = spans.filter(dimension=Counter.Dimension.TOTAL, start__lt=before).order_by("start")
    while old := list(totals.values_list("pixel", "start")[:SPANS_AT_ONCE]):
        pixels, starts = map(set, zip(*old, strict=True))
        # All dimensions are named, since the index has them before the start.
        spans.filter(pixel__in=pixels, dimension__in=Counter.Dimension.values, start__in=starts).delete()


def _delete(rows: QuerySet[Any]) -> None:
    """Delete the rows. Those that somebody else is at work on wait for the next time: nobody waits in a circle."""
    skip = connection.features.has_select_for_update_skip_locked
    found = ROWS_AT_ONCE
    while found == ROWS_AT_ONCE:
        with transaction.atomic():
            some = rows.order_by().select_for_update(skip_locked=skip).values_list("pk", flat=True)[:ROWS_AT_ONCE]
            found, _ = rows.model.objects.filter(pk__in=list(some)).delete()

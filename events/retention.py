"""Deleting what has been kept long enough, a bounded number of rows at a time, without reading large tables whole."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Q
from django.utils import timezone

from common.pruning import delete_in_parts
from events.bounds import trim_identities
from events.delivery.enrichment import LIFETIME
from events.figures.windows import kept
from events.models import (
    DELIVERIES_KEPT,
    FINDINGS_KEPT,
    IDS_KEPT,
    LABELS_KEPT,
    Counter,
    DeadLetter,
    Delivery,
    DisconnectedUsage,
    Finding,
    Identity,
    IdFinding,
    SeenId,
    SeenLabel,
)
from pixels.models import Pixel

MAX_DEAD_LETTERS = timedelta(days=30)

#: What one transaction deletes at most: the counters of so many pixels' spans. Other rows are looked for in so many
#: pixels' parts of the indexes.
SPANS_AT_ONCE = 200
PIXELS_AT_ONCE = 200


def prune(now: datetime | None = None) -> None:
    """Delete what is too old of every kind, and visitors of whom a pixel has too many."""
    now = now or timezone.now()
    for span in Counter.Span:
        _delete_counters(span, now - kept(span))
    delete_in_parts(DisconnectedUsage.objects.filter(start__lt=now - kept(Counter.Span.DAY)))
    pixels = list(Pixel.objects.order_by("pk").values_list("pk", flat=True))
    for first in range(0, len(pixels), PIXELS_AT_ONCE):
        some = pixels[first : first + PIXELS_AT_ONCE]
        delete_in_parts(Delivery.objects.filter(pixel__in=some, at__lt=now - DELIVERIES_KEPT))
        delete_in_parts(DeadLetter.objects.filter(pixel__in=some, failed_at__lt=now - MAX_DEAD_LETTERS))
        delete_in_parts(Identity.objects.filter(pixel__in=some, seen_at__lt=now - LIFETIME))
        delete_in_parts(Finding.objects.filter(pixel__in=some, hour__lt=now - FINDINGS_KEPT))
        delete_in_parts(IdFinding.objects.filter(pixel__in=some, last_at__lt=now - FINDINGS_KEPT))
        delete_in_parts(SeenId.objects.filter(_last_seen_before(now - IDS_KEPT), pixel__in=some))
        delete_in_parts(SeenLabel.objects.filter(pixel__in=some, last_seen__lt=(now - LABELS_KEPT).date()))
    for pixel in Pixel.objects.filter(tenant__event_enrichment=True).order_by().values_list("pk", flat=True):
        trim_identities(pixel)


def _last_seen_before(moment: datetime) -> Q:
    """Ids that came on neither road since."""
    return (Q(server_at=None) | Q(server_at__lt=moment)) & (Q(browser_at=None) | Q(browser_at__lt=moment))


def _delete_counters(span: Counter.Span, before: datetime) -> None:
    """The totals have an index by time, and whatever is counted is in one: they tell where there is something old."""
    spans = Counter.objects.filter(span=span)
    totals = spans.filter(dimension=Counter.Dimension.TOTAL, start__lt=before).order_by("start")
    while old := list(totals.values_list("pixel", "start")[:SPANS_AT_ONCE]):
        pixels, starts = map(set, zip(*old, strict=True))
        # All dimensions are named, since the index has them before the start.
        spans.filter(pixel__in=pixels, dimension__in=Counter.Dimension.values, start__in=starts).delete()

"""Deleting what has been kept long enough (``events/retention.py``).

A bounded number of rows at a time goes, and no large table is read whole.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from django.db.models import Q
from django.utils import timezone

from common.pruning import delete_in_parts
from events.bounds import trim_identities
from events.delivery.log.keeping import prune_log
from events.figures.books import DESTINATIONS, PIXELS, SOURCES
from events.gateway.cursors import clear_all, follow_all_pipelines
from events.models import (
    Counter,
    DeadLetter,
    Delivery,
    DestinationIdentity,
    DestinationLetter,
    DisconnectedUsage,
    Finding,
    Identity,
    IdFinding,
    RefusedRequest,
    SeenId,
    SeenLabel,
    SourceFinding,
    SourceIdFinding,
    SourceLabel,
    SourceRefusedRequest,
    SourceSeenId,
)
from events.registration import removing
from events.retention import (
    DEAD_LETTERS_KEPT,
    DELIVERIES_KEPT,
    FINDINGS_KEPT,
    IDENTITIES_KEPT,
    IDS_KEPT,
    LABELS_KEPT,
    counters_kept,
)
from pipelines.models import Destination, Source
from pipelines.pruning import delete_orphans
from pixels.models import Pixel

#: Rows are looked for in so many pixels' parts of the indexes.
PIXELS_AT_ONCE = 200


def prune(now: datetime | None = None) -> None:
    """Delete what is too old of every kind, and visitors of whom a pixel or destination has too many."""
    now = now or timezone.now()
    for span in Counter.Span:
        for book in (PIXELS, SOURCES, DESTINATIONS):
            book.delete_before(now - counters_kept(span), span)
    delete_in_parts(DisconnectedUsage.objects.filter(start__lt=now - counters_kept(Counter.Span.DAY)))
    pixels = list(Pixel.objects.order_by("pk").values_list("pk", flat=True))
    for first in range(0, len(pixels), PIXELS_AT_ONCE):
        some = pixels[first : first + PIXELS_AT_ONCE]
        delete_in_parts(Delivery.objects.filter(pixel__in=some, at__lt=now - DELIVERIES_KEPT))
        delete_in_parts(DeadLetter.objects.filter(pixel__in=some, failed_at__lt=now - DEAD_LETTERS_KEPT))
        delete_in_parts(Identity.objects.filter(pixel__in=some, seen_at__lt=now - IDENTITIES_KEPT))
        delete_in_parts(Finding.objects.filter(pixel__in=some, hour__lt=now - FINDINGS_KEPT))
        delete_in_parts(SeenLabel.objects.filter(pixel__in=some, last_seen__lt=(now - LABELS_KEPT).date()))
    for among in _spans(pixels):
        delete_in_parts(IdFinding.objects.filter(among, last_at__lt=now - FINDINGS_KEPT))
        delete_in_parts(RefusedRequest.objects.filter(among, at__lt=now - FINDINGS_KEPT))
        delete_in_parts(SeenId.objects.filter(among, _last_seen_before(now - IDS_KEPT)))
    prune_log(now)
    removing.prune(now)
    delete_orphans()
    _prune_gateway(now)
    of_accounts = Q(tenant__event_enrichment=True)
    for pixel in Pixel.objects.filter(of_accounts).order_by().values_list("pk", flat=True):
        trim_identities(Identity.objects.filter(pixel=pixel))
    for destination in Destination.objects.filter(of_accounts).order_by().values_list("pk", flat=True):
        trim_identities(DestinationIdentity.objects.filter(destination=destination))


def _prune_gateway(now: datetime) -> None:
    """The same of gateway sources and destinations; and see to it that destinations have the right cursors."""
    for destination_pk in Destination.objects.order_by("pk").values_list("pk", flat=True):
        letters = DestinationLetter.objects.filter(destination=destination_pk)
        delete_in_parts(letters.filter(failed_at__lt=now - DEAD_LETTERS_KEPT))
        identities = DestinationIdentity.objects.filter(destination=destination_pk)
        delete_in_parts(identities.filter(seen_at__lt=now - IDENTITIES_KEPT))
    for source_pk in Source.objects.order_by("pk").values_list("pk", flat=True):
        labels = SourceLabel.objects.filter(source=source_pk)
        delete_in_parts(labels.filter(last_seen__lt=(now - LABELS_KEPT).date()))
        delete_in_parts(SourceFinding.objects.filter(source=source_pk, hour__lt=now - FINDINGS_KEPT))
        delete_in_parts(SourceIdFinding.objects.filter(source=source_pk, last_at__lt=now - FINDINGS_KEPT))
        delete_in_parts(SourceSeenId.objects.filter(_last_seen_before(now - IDS_KEPT), source=source_pk))
        delete_in_parts(SourceRefusedRequest.objects.filter(source=source_pk, at__lt=now - FINDINGS_KEPT))
    follow_all_pipelines()
    clear_all()


def _spans(pixels: list[int]) -> Iterator[Q]:
    """All pixels there can be, in parts of at most so many that there are: the gone ones among them as well.

    A process of the previous release, which does not know a table, leaves the rows of a pixel that it deletes.
    """
    bounds = pixels[PIXELS_AT_ONCE::PIXELS_AT_ONCE]
    for start, end in zip([None, *bounds], [*bounds, None], strict=True):
        yield (Q(pixel__gte=start) if start else Q()) & (Q(pixel__lt=end) if end else Q())


def _last_seen_before(moment: datetime) -> Q:
    """Ids that came on neither road since."""
    return (Q(server_at=None) | Q(server_at__lt=moment)) & (Q(browser_at=None) | Q(browser_at__lt=moment))

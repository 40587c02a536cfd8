"""Rules over what is counted and what waits: the cost follows the pixels with traffic."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from django.db.models import F, OuterRef, Subquery, Sum

from accounts.models import TenantStatus
from alerts.rules.found import PIXEL_COLUMNS, Found, Look, of_pixel
from events.delivery.lanes import pixels_with_rows
from events.figures.windows import floor
from events.models import Counter, OutboxRow
from pixels.models import Pixel

#: Of fewer events a share tells nothing.
ENOUGH = 20
_HOUR = timedelta(hours=1)
_DEACTIVATED = TenantStatus.DEACTIVATED


def success_rates(look: Look) -> Iterator[Found]:
    """Pixels of whose events some have failed in this hour and the last: ``value`` is the percentage that Meta took."""
    since = floor(look.now, Counter.Span.HOUR) - _HOUR
    totals = Counter.objects.filter(span=Counter.Span.HOUR, dimension=Counter.Dimension.TOTAL, start__gte=since)
    sums = totals.order_by().values("pixel").annotate(ok=Sum("published"), bad=Sum(F("failed") + F("expired")))
    shares = {row["pixel"]: row for row in sums.filter(bad__gt=0) if row["ok"] + row["bad"] >= ENOUGH}
    pixels = Pixel.objects.filter(pk__in=shares).exclude(tenant__status=_DEACTIVATED)
    for row in pixels.values(*PIXEL_COLUMNS):
        share = shares[row["pk"]]
        percent = int(100 * share["ok"] / (share["ok"] + share["bad"]))
        yield of_pixel(row, percent, percent=percent, failed=share["bad"])


def waiting_events(look: Look) -> Iterator[Found]:
    """Pixels whose events wait: ``value`` is since how many minutes.

    Of those with a rejected token the other rule tells.
    """
    # Those that were tried come first, and of these the oldest: one step in the index, whatever waits.
    first = OutboxRow.objects.filter(pixel=OuterRef("pk")).order_by("-counted", "pk").values("received_at")[:1]
    pixels = Pixel.objects.filter(pk__in=pixels_with_rows(), bad_token=False)
    pixels = pixels.exclude(tenant__status=_DEACTIVATED).annotate(since=Subquery(first)).exclude(since=None)
    for row in pixels.order_by("pk").values(*PIXEL_COLUMNS, "since"):
        minutes = int((look.now - row["since"]).total_seconds() // 60)
        yield of_pixel(row, minutes, minutes=minutes)

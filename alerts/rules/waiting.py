"""Rules over what waits: the cost follows the pixels and destinations that something waits for."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from django.db.models import OuterRef, Q, Subquery

from alerts.rules.found import Found, Look, destinations, of_destination, of_pixel, pixels
from events.delivery.lanes import pixels_with_rows
from events.gateway.lanes import ON_HOLD, waiting_since
from events.models import OutboxRow
from pixels.models import Pixel


def waiting_events(look: Look) -> Iterator[Found]:
    """Pixels and destinations whose events wait: ``value`` is since how many minutes.

    Of those with a rejected token, and of destinations that refuse, other rules tell.
    """
    # Those that were tried come first, and of these the oldest: one step in the index, whatever waits.
    first = OutboxRow.objects.filter(pixel=OuterRef("pk")).order_by("-counted", "pk").values("received_at")[:1]
    waiting = Pixel.objects.filter(pk__in=pixels_with_rows(), bad_token=False).annotate(since=Subquery(first))
    of_pixels = dict(waiting.exclude(since=None).values_list("pk", "since"))
    for row in pixels(of_pixels):
        yield of_pixel(row, **_minutes(look, of_pixels[row["pk"]]))
    of_destinations = waiting_since()
    refuses = Q(lane__held=True) & ~Q(lane__code=ON_HOLD)
    for row in destinations(of_destinations).filter(active=True).exclude(refuses):
        yield of_destination(row, **_minutes(look, of_destinations[row["pk"]]))


def _minutes(look: Look, since: datetime) -> dict[str, int]:
    minutes = int((look.now - since).total_seconds() // 60)
    return {"value": minutes, "minutes": minutes}

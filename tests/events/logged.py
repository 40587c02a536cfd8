"""What the delivery log holds."""

from __future__ import annotations

from events.delivery.entries import Delivered
from events.delivery.log.reading import lines_of
from events.models import DeliveryBatch
from pixels.models import Pixel


def logged(pixel: Pixel | None = None) -> list[Delivered]:
    """The lines of the pixel, or of all, the oldest first."""
    batches = DeliveryBatch.objects.order_by("pk")
    if pixel is not None:
        batches = batches.filter(pixel=pixel.pk)
    return [line for batch in batches for line in reversed(lines_of(batch))]

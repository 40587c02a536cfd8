"""What entries of a list are of, by id and by name."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from events.delivery.ends import Ends
from events.delivery.entries import Delivered
from pixels.models import Pixel

#: What has been deleted since.
GONE = "—"


def named(entries: Sequence[Delivered], pixels: Iterable[Pixel], ends: Ends) -> list[Delivered]:
    """The entries with ids and names: of pixels, and of the account's sources and destinations."""
    by_pk = {pixel.pk: pixel for pixel in pixels}

    def name(entry: Delivered) -> Delivered:
        if not entry.destination_pk:
            pixel = by_pk[entry.pixel_pk]
            return entry._replace(pixel_id=pixel.pixel_id, of=str(pixel))
        source, destination = ends.sources.get(entry.source_pk), ends.destinations.get(entry.destination_pk)
        return entry._replace(
            pixel_id=source.source_id if source else "",
            of=str(source) if source else GONE,
            destination_id=destination.id if destination else "",
            to=destination.name if destination else GONE,
            is_metas=destination is not None and destination.is_metas,
        )

    return list(map(name, entries))

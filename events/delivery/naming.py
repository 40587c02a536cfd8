"""What entries of a list are of, by id and by name."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from events.delivery.entries import Delivered
from pipelines.ids import DESTINATION, id_of
from pipelines.models import Destination, DestinationType, Source
from pixels.models import Pixel

#: What has been deleted since.
GONE = "—"


def named(entries: Sequence[Delivered], pixels: Iterable[Pixel]) -> list[Delivered]:
    """The entries with ids and names: of pixels, which are at hand, and of sources and destinations."""
    by_pk = {pixel.pk: pixel for pixel in pixels}
    sources = Source.objects.in_bulk({entry.source_pk for entry in entries if entry.source_pk})
    wanted = {entry.destination_pk for entry in entries if entry.destination_pk}
    destinations = Destination.objects.only("uuid", "name", "type").in_bulk(wanted)

    def name(entry: Delivered) -> Delivered:
        if not entry.destination_pk:
            pixel = by_pk[entry.pixel_pk]
            return entry._replace(pixel_id=pixel.pixel_id, of=str(pixel))
        source, destination = sources.get(entry.source_pk), destinations.get(entry.destination_pk)
        return entry._replace(
            pixel_id=source.source_id if source else "",
            of=str(source) if source else GONE,
            destination_id=id_of(DESTINATION, destination.uuid) if destination else "",
            to=destination.name if destination else GONE,
            is_metas=destination is not None and destination.type == DestinationType.META_CONVERSIONS_API,
        )

    return list(map(name, entries))

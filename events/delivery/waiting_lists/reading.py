"""Reading what waits, for pixels and for destinations: two statements."""

from __future__ import annotations

from events.delivery.ends import Ends
from events.delivery.entries import Among, Delivered, From, Wanted
from events.delivery.waiting_lists.for_destinations import queues_of
from events.delivery.waiting_lists.of_pixels import asked_of, entries_of
from events.delivery.waiting_lists.rows import bounded, read_newest


def read_waiting(among: Among, ends: Ends, wanted: Wanted) -> list[Delivered]:
    """Those that are asked for of the newest that wait; of a large account, for some pixels and destinations."""
    if not wanted.may_wait:
        return []
    pixels, queues = {pixel.pk: pixel for pixel in among.pixels}, queues_of(ends, among)
    entries: list[Delivered] = []
    for asked, rows in read_newest(asked_of(among.pixels) + queues.asked(), wanted.road):
        is_pixels = asked.stored is From.OUTBOX
        found = entries_of(pixels[asked.owner], rows) if is_pixels else queues.entries_of(asked, rows)
        entries += bounded(found)
    return [entry for entry in entries if wanted.includes(entry)]

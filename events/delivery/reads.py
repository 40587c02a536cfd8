"""Reading what became of single events: the delivery log, with what waits, and the dead letters.

The account comes from ``accounts.permissions.get_tenant``, which has checked that the caller may look into it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import chain, islice
from typing import TypeVar, cast

from django.db.models import Q, QuerySet
from django.db.models.functions import Length

from accounts.models import Tenant
from common import budget
from common.cursors import clean_page_size, decode_cursor, encode_cursor
from common.errors import NotFound
from events.delivery.ends import NO_ENDS, Ends, read_ends
from events.delivery.entries import EVERYTHING, Among, Delivered, Position, Slice, Wanted, moment, newest_first
from events.delivery.former_log import read_former_lines
from events.delivery.log.reading import Lines
from events.delivery.naming import named
from events.delivery.waiting_lists.reading import read_waiting
from events.models import DeadLetter, Road
from events.models.log import microseconds
from events.models.shared import RefusedEvent
from pipelines.lookups import find_destination
from pixels.models import Pixel
from pixels.reads import get_pixel
from pixels.validation import is_pixel_id

Letter = TypeVar("Letter", bound=RefusedEvent)


def list_deliveries(
    tenant: Tenant,
    pixel_id: str | None,
    wanted: Wanted = EVERYTHING,
    *,
    destination_id: str | None = None,
    first: int | None = None,
    after: str | None = None,
    with_previous: bool = False,
) -> Slice[Delivered]:
    """The events of a pixel or gateway source, or of all of the account's, newest first: what became of them, and in
    their place by time those that wait. With a destination, those on their way there.
    """
    is_all = pixel_id is None and destination_id is None
    ends = read_ends(tenant) if is_all else None
    among = Among(ends.pixels, None) if ends else _among_of(tenant, pixel_id, destination_id)
    return list_deliveries_of(tenant, among, wanted, first=first, after=after, with_previous=with_previous, ends=ends)


def list_deliveries_of(
    tenant: Tenant,
    among: Among,
    wanted: Wanted = EVERYTHING,
    *,
    first: int | None = None,
    after: str | None = None,
    with_previous: bool = False,
    ends: Ends | None = None,
) -> Slice[Delivered]:
    """The same of those, which are the account's; ``ends`` are all of its, where they are at hand."""
    size = clean_page_size(first)
    behind = cast("Position", tuple(decode_cursor(after, int, int, int, int))) if after else None
    wanted.check()
    keys = [pixel.pk for pixel in among.pixels]

    def lines(behind: Position | None = None) -> Lines:
        there, source = among.destinations, among.source
        return Lines(tenant.pk, keys, wanted, destinations=there, source=source, behind=behind)

    if ends is None:
        ends = NO_ENDS if among.destinations == () else read_ends(tenant, with_pixels=False)
    waiting = read_waiting(among, ends, wanted)
    entries = [entry for entry in waiting if behind is None or entry.place < behind]
    former_keys = [pixel.pk for pixel in among.pixels if getattr(pixel, "has_former", True)]
    entries += read_former_lines(former_keys, wanted, behind=behind, most=size + 1)
    logged = lines(behind)
    entries += islice(logged, size + 1)
    stopped_at = logged.stopped_at
    if stopped_at is not None:  # what is older comes on the page that goes on from there
        entries = [entry for entry in entries if entry.place >= stopped_at]
    has_previous = False
    if with_previous and behind is not None:
        former = read_former_lines(former_keys, wanted, behind=None, most=1)
        has_previous = _has_before(behind, waiting, former, iter(lines()))
    rows = named(newest_first(entries)[: size + 1], among.pixels, ends)
    goes_on_at = encode_cursor(*stopped_at) if stopped_at else ""
    return Slice.of(rows, size, has_previous=has_previous, stopped_at=goes_on_at)


def find_decided(pixel: Pixel, event_id: str) -> Delivered | None:
    """The last thing that became of the pixel's event with this id, if it waits no more."""
    wanted, of_pixel = Wanted(event_id=event_id), [pixel.pk]
    lines = chain(Lines(pixel.tenant_id, of_pixel, wanted), read_former_lines(of_pixel, wanted, behind=None, most=1))
    return next(lines, None)


def _among_of(tenant: Tenant, pixel_id: str | None, destination_id: str | None) -> Among:
    """Those of a pixel or gateway source, to a destination; None stands for any. NotFound for what is not there."""
    among = Among((), None) if pixel_id is None else _among_of_source(tenant, pixel_id)
    if destination_id is None:
        return among
    found = find_destination(tenant, destination_id, field="destinationId")
    if isinstance(found, Pixel):
        return Among([found] if pixel_id in (None, found.pixel_id) else ())
    return replace(among, pixels=(), destinations=() if among.destinations == () else (found.pk,))


def _among_of_source(tenant: Tenant, pixel_id: str) -> Among:
    try:
        return Among([get_pixel(tenant, pixel_id, field="pixelId")])
    except NotFound:
        source = tenant.sources.filter(source_id=pixel_id).first() if is_pixel_id(pixel_id) else None
        if source is None:
            raise
        return Among((), None, source.pk)


def _has_before(
    place: Position, waiting: list[Delivered], former: list[Delivered], logged: Iterator[Delivered]
) -> bool:
    """Is there an entry at the place, or before it? Of what is logged, the first is the newest."""
    return any(entry.place >= place for entry in chain(waiting, former, islice(logged, 1)))


def list_dead_letters(
    tenant: Tenant,
    pixel_id: str,
    *,
    road: Road | None = None,
    first: int | None = None,
    after: str | None = None,
    with_previous: bool = False,
) -> Slice[DeadLetter]:
    """The pixel's events that Meta refused, the last failure first; those of one road, where one is named."""
    letters = DeadLetter.objects.filter(pixel=get_pixel(tenant, pixel_id, field="pixelId"))
    return page_of_letters(letters, "deadLetters", road=road, first=first, after=after, with_previous=with_previous)


def page_of_letters(
    letters: QuerySet[Letter],
    field: str,
    *,
    road: Road | None = None,
    first: int | None = None,
    after: str | None = None,
    with_previous: bool = False,
) -> Slice[Letter]:
    """The letters, the last failure first; their bytes are taken from the budget, for ``field``."""
    size = clean_page_size(first)
    letters = letters if road is None else letters.filter(road=road)
    has_previous = False
    if after:
        place, pk = cast("list[int]", decode_cursor(after, int, int))
        failed_at = moment(place)
        behind = Q(failed_at__lt=failed_at) | Q(failed_at=failed_at, pk__lt=pk)
        has_previous = with_previous and letters.exclude(behind).exists()
        letters = letters.filter(behind)
    rows = letters.order_by("-failed_at", "-pk")[: size + 1]
    budget.load(lambda: sum(rows.values_list(Length("event"), flat=True)), field, per_object=budget.BYTES_PER_OBJECT)
    return Slice.of(list(rows), size, has_previous=has_previous)


def cursor_of_letter(letter: RefusedEvent) -> str:
    """The letter's place, for the next page."""
    return encode_cursor(microseconds(letter.failed_at), letter.pk)

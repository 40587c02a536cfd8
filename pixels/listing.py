"""The pixels of an account as lists show them: what needs somebody first, figures for the page that is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.paginator import Page, Paginator
from django.db.models import QuerySet

from accounts.models import Tenant
from common.errors import NotFound
from pixels.states import failing_first, with_state
from pixels.traffic import Totals, read_totals
from pixels.validation import is_pixel_id

if TYPE_CHECKING:
    from pixels.states import StatedPixel

    class ListedPixel(StatedPixel):
        """A pixel with what the lists add to it."""

        totals: Totals


def listed_pixels(tenant: Tenant) -> QuerySet[Any]:
    """The account's pixels with their states, those whose events do not reach Meta first."""
    return with_state(tenant.pixels.defer("access_token")).order_by(failing_first(), "pixel_id")


def page_of_pixels(paginator: Paginator[Any], number: str | None, minutes: int) -> Page[ListedPixel]:
    """One page, or the nearest that there is; each pixel with its ``totals`` of the last ``minutes``."""
    page = paginator.get_page(number)
    pixels: list[ListedPixel] = list(page.object_list)
    totals = read_totals([pixel.pk for pixel in pixels], minutes)
    for pixel in pixels:
        pixel.totals = totals.get(pixel.pk, Totals())
    page.object_list = pixels
    return page


def get_listed_pixel(tenant: Tenant, pixel_id: str, *related: str) -> StatedPixel:
    """The account's pixel with its state; NotFound for an unknown one and for another account's alike.

    ``related`` are rows of its own in other tables, which are read along.
    """
    pixels = listed_pixels(tenant).filter(pixel_id=pixel_id)
    if related:
        pixels = pixels.select_related(*related)
    pixel: StatedPixel | None = pixels.first() if is_pixel_id(pixel_id) else None
    if pixel is None:
        raise NotFound("id: this account has no such pixel.", field="id")
    return pixel

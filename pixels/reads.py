"""Reading an account's pixels: one statement however many, and their tokens stay in the database.

The account comes from ``accounts.permissions.get_tenant``, which has checked that the caller may look into it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

from accounts.models import Tenant
from pixels.models import Pixel
from pixels.validation import is_pixel_id
from portal.errors import NotFound
from portal.statements import NOTHING, Param, Statement


class PixelView(NamedTuple):
    """A pixel as the API shows it; times are text in ISO 8601 where they come from a list."""

    pk: int
    pixel_id: str
    name: str | None
    active: bool
    event_bridge_active: bool
    publishing_enabled: bool
    #: None for those who may not change the pixel.
    access_key: str | None
    api_error_code: str | None
    bad_token: bool
    last_received: datetime | str | None
    last_published: datetime | str | None
    # What was counted, where it is asked for.
    total_events_received: float = 0.0
    total_events_published: float = 0.0
    domains: Sequence[str] = ()


_COLUMNS = [name for name in PixelView._fields if name not in PixelView._field_defaults]


def list_pixels(tenant: Tenant, *, with_keys: bool) -> list[PixelView]:
    """The account's pixels, by id; with their access keys for those who may change them."""
    return [PixelView(*row) for row in _pixels(with_keys=with_keys).all(tenant=tenant.pk)]


@lru_cache
def _pixels(*, with_keys: bool) -> Statement:
    """The pixels of the account ``tenant``."""
    columns = [NOTHING if name == "access_key" and not with_keys else name for name in _COLUMNS]
    return Statement(Pixel.objects.filter(tenant=Param("tenant")), *columns)


def view_of(pixel: Pixel, *, with_key: bool) -> PixelView:
    """The one pixel, as a list would show it."""
    view = PixelView(*(getattr(pixel, name) for name in _COLUMNS))
    return view if with_key else view._replace(access_key=None)


def get_pixel(tenant: Tenant, pixel_id: str, *, field: str = "id") -> Pixel:
    """The account's pixel, which the input ``field`` names; NotFound for unknown ones and other accounts' alike."""
    pixel = tenant.pixels.defer("access_token").filter(pixel_id=pixel_id).first() if is_pixel_id(pixel_id) else None
    if pixel is None:
        raise NotFound("{name}: this account has no such pixel.", field=field, name=field)
    return pixel


def pixel_keys(tenant: Tenant) -> dict[str, int]:
    """The ids of the account's pixels, each with its row's primary key."""
    return dict(tenant.pixels.values_list("pixel_id", "pk"))

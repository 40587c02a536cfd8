"""Reading an account's pixels: one statement however many, and their tokens stay in the database.

The account comes from ``accounts.permissions.get_tenant``, which has checked that the caller may look into it.
"""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from typing import Any

import msgspec
from django.db.models.expressions import Combinable

from accounts.models import Tenant
from pixels.models import Pixel
from pixels.traffic import Column, Totals, totals_column
from pixels.validation import is_pixel_id
from portal.errors import NotFound
from portal.statements import NOTHING, Milliseconds, Param, Statement


class PixelView(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """A pixel as the API shows it; times are whole milliseconds since the epoch, 0.0 for never."""

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
    last_received: float
    last_published: float
    #: What was counted, where it is asked for; None without any.
    totals: Totals | None = None
    domains: list[str] = []
    #: A pixel is its own target.
    target_id: None = None
    #: The database refuses a pixel without a token, and a token is never read to be shown.
    access_token_available: bool = True
    connected: bool = True

    @property
    def total_events_received(self) -> float:
        """Events received in the time that was asked for."""
        return float(self.totals.received) if self.totals else 0.0

    @property
    def total_events_published(self) -> float:
        """Events published in the time that was asked for."""
        return float(self.totals.published) if self.totals else 0.0


_COLUMNS = [field.name for field in msgspec.structs.fields(PixelView) if field.required]
_TIMES = ("last_received", "last_published")


def list_pixels(tenant: Tenant, *, with_keys: bool, minutes: int | None = None) -> list[PixelView]:
    """The account's pixels, by id; with their access keys for those who may change them, and with the totals of the
    last ``minutes`` where these are asked for.
    """
    totals = Column(NOTHING, {}) if minutes is None else totals_column(minutes)
    return _pixels(with_keys=with_keys, totals=totals.expression).all(tenant=tenant.pk, **totals.values)


@lru_cache
def _pixels(*, with_keys: bool, totals: Combinable) -> Statement[PixelView]:
    """The pixels of the account ``tenant``."""
    columns: dict[str, str | Combinable] = {name: name for name in _COLUMNS}
    columns |= {name: Milliseconds(name) for name in _TIMES}
    if not with_keys:
        columns["access_key"] = NOTHING
    return Statement(Pixel.objects.filter(tenant=Param("tenant")), *columns.values(), totals, row=PixelView)


def view_of(pixel: Pixel, *, with_key: bool) -> PixelView:
    """The one pixel, as a list would show it."""
    columns = {name: getattr(pixel, name) for name in _COLUMNS}
    columns |= {name: _milliseconds(columns[name]) for name in _TIMES}
    if not with_key:
        columns["access_key"] = None
    return PixelView(**columns)


def _milliseconds(moment: datetime | None) -> float:
    return float(int(moment.timestamp() * 1000)) if moment else 0.0


def get_pixel(tenant: Tenant, pixel_id: str, *, field: str = "id") -> Pixel:
    """The account's pixel, which the input ``field`` names; NotFound for unknown ones and other accounts' alike."""
    pixel = tenant.pixels.defer("access_token").filter(pixel_id=pixel_id).first() if is_pixel_id(pixel_id) else None
    if pixel is None:
        raise NotFound("{name}: this account has no such pixel.", field=field, name=field)
    return pixel


def pixel_keys(tenant: Tenant) -> dict[str, int]:
    """The ids of the account's pixels, each with its row's primary key."""
    return dict(_keys().all(tenant=tenant.pk))


@lru_cache
def _keys() -> Statement[list[Any]]:
    """Ids and primary keys of the pixels of the account ``tenant``."""
    return Statement(Pixel.objects.filter(tenant=Param("tenant")).order_by(), "pixel_id", "pk")

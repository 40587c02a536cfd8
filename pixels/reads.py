"""Reading an account's pixels: one statement however many, and their tokens stay in the database.

``Tenant``s come from ``accounts.permissions.get_tenant``, which has checked that the caller may look into them.
"""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from typing import Any

import msgspec
from django.db.models import OuterRef, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce
from msgspec.structs import fields, replace

from accounts.borders import Borders
from accounts.models import Tenant
from accounts.permissions import Action, TenantState, is_allowed, is_tenant_id, require
from accounts.principals import Principal
from common.budget import load, most_rows
from common.errors import NotAuthorized, NotFound
from common.statements import NOTHING, Moment, Param, Rows, Statement, columns_of
from pixels.models import Pixel
from pixels.traffic import Column, Totals, totals_column
from pixels.validation import is_pixel_id


class PixelView(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """A pixel as the API shows it; times are whole milliseconds since the epoch, 0.0 for never."""

    pk: int
    pixel_id: str
    name: str | None
    active: bool
    event_bridge_active: bool
    publishing_enabled: bool
    #: None for those who may not change the pixel: see ``may_see_keys``.
    access_key: str | None
    api_error_code: str | None
    bad_token: bool
    last_received: Moment
    last_published: Moment
    #: What was counted, where it is asked for; None without any.
    totals: Totals | None = None
    domains: list[str] = []
    #: A pixel is its own target; the reference writes none as an empty text.
    target_id: str = ""
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


#: The fields that a pixel brings by itself.
_OWN = [field for field in fields(PixelView) if field.required]


class AccountView(msgspec.Struct, array_like=True, frozen=True):
    """An account with its pixels."""

    pk: str
    name: str
    status: int
    can_partner_manage: bool
    #: By id; None where they are not asked for.
    pixels: list[PixelView] | None


def read_account(
    principal: Principal, tenant_id: str, *, with_pixels: bool = True, minutes: int | None = None
) -> AccountView:
    """An account that the principal may look into, with its pixels; NotAuthorized, alike for hidden and missing ones.

    Access keys are for those who may change the pixels. With ``minutes`` the pixels have the totals of these last ones.
    """
    totals = Column(NOTHING, {}) if minutes is None else totals_column(minutes)
    statement = _account(principal.borders, with_pixels=with_pixels, totals=totals.expression, most=most_rows())
    account = statement.one(principal.guard, id=tenant_id, **totals.values) if is_tenant_id(tenant_id) else None
    if account is None:
        raise NotAuthorized()
    require(principal, Action.VIEW_DATA, account)
    load(len(account.pixels or ()), "signalConfigs")
    if account.pixels and not may_see_keys(principal, account):
        return replace(account, pixels=[replace(pixel, access_key=None) for pixel in account.pixels])
    return account


def may_see_keys(principal: Principal, tenant: TenantState) -> bool:
    """Access keys are for those who may change the account's pixels."""
    return is_allowed(principal, Action.EDIT_DATA, tenant)


@lru_cache(maxsize=64)
def _account(borders: Borders, *, with_pixels: bool, totals: Combinable, most: int) -> Statement[AccountView]:
    """The account ``id``, if it is within the borders, with ``most`` of its pixels."""
    # In lists no name is an empty text; the answer to a connection has null for it (contract: "Data routing").
    columns = columns_of(PixelView, name=Coalesce("name", Value("")), totals=totals)
    pixels = Rows(Pixel.objects.filter(tenant=OuterRef("pk"))[:most], *columns) if with_pixels else NOTHING
    tenants = Tenant.objects.open_to(borders).filter(pk=Param("id")).order_by()
    return Statement(tenants, *columns_of(AccountView, pixels=pixels), row=AccountView)


def view_of(pixel: Pixel, *, with_key: bool) -> PixelView:
    """The one pixel, as a list would show it."""
    values = {field.name: getattr(pixel, field.name) for field in _OWN}
    values |= {field.name: _milliseconds(values[field.name]) for field in _OWN if field.type == Moment}
    if not with_key:
        values["access_key"] = None
    return PixelView(**values)


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

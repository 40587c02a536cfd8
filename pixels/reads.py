"""Reading an account's pixels: one query however many, and their tokens stay in the database.

The account comes from ``accounts.permissions.get_tenant``, which has checked that the caller may look into it.
"""

from __future__ import annotations

from accounts.models import Tenant
from pixels.models import Pixel
from pixels.validation import is_pixel_id
from portal.errors import NotFound


def list_pixels(tenant: Tenant) -> list[Pixel]:
    """The account's pixels, by id."""
    return list(tenant.pixels.defer("access_token"))


def get_pixel(tenant: Tenant, pixel_id: str, *, field: str = "id") -> Pixel:
    """The account's pixel, which the input ``field`` names; NotFound for unknown ones and other accounts' alike."""
    pixel = tenant.pixels.defer("access_token").filter(pixel_id=pixel_id).first() if is_pixel_id(pixel_id) else None
    if pixel is None:
        raise NotFound(f"{field}: this account has no such pixel.", field=field)
    return pixel


def pixel_keys(tenant: Tenant) -> dict[str, int]:
    """The ids of the account's pixels, each with its row's primary key."""
    return dict(tenant.pixels.values_list("pixel_id", "pk"))

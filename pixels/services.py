"""Connecting and disconnecting pixels, and their switches and keys."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from accounts.audit import MASK, Act, apply_changes, record
from accounts.permissions import Action, get_tenant
from accounts.principals import Principal
from common.errors import InvalidInput
from common.secrets import Secret
from common.validation import clean_choice
from pixels import validation
from pixels.ids import lock_ids, owners_beside_pixels, taken_elsewhere
from pixels.models import Pixel, new_access_key
from pixels.reads import get_pixel

_FIELDS = {
    "access_key": _("Access key"),
    "access_token": _("Access token"),
    "api_error_code": _("Error of the Graph API"),
    "api_version": _("Graph API version"),
    "bad_token": _("Access token rejected"),
    "browser_websites": _("Websites that may send"),
    "browsers_need_no_key": _("Browsers send without the access key"),
    "business_id": _("Business id"),
    "event_bridge_active": _("Receives events"),
    "external_id": _("External id"),
    "name": _("Name"),
    "publishing_enabled": _("Publishes events"),
    "require_access_key": _("Access key required"),
}
CONNECT = Act("connect pixel", _("connected pixel %(subject)s"), _FIELDS)
RECONNECT = Act("reconnect pixel", _("connected pixel %(subject)s again"), _FIELDS)
DISCONNECT = Act("disconnect pixel", _("removed pixel %(subject)s"))
RENAME = Act("rename pixel", _("renamed pixel %(subject)s"), _FIELDS)
ACTIVATE = Act("activate pixel", _("turned on receiving for pixel %(subject)s"), _FIELDS)
DEACTIVATE = Act("deactivate pixel", _("turned off receiving for pixel %(subject)s"), _FIELDS)
ENABLE_PUBLISHING = Act("enable publishing", _("turned on publishing for pixel %(subject)s"), _FIELDS)
DISABLE_PUBLISHING = Act("disable publishing", _("turned off publishing for pixel %(subject)s"), _FIELDS)
GENERATE_KEY = Act("generate access key", _("generated a new access key for pixel %(subject)s"), _FIELDS)
OPEN_TO_BROWSERS = Act("open to browsers", _("opened pixel %(subject)s to browsers without the access key"), _FIELDS)
CLOSE_TO_BROWSERS = Act(
    "close to browsers", _("closed pixel %(subject)s to browsers while the access key is required"), _FIELDS
)
LIMIT_WEBSITES = Act("limit websites", _("changed the websites that may send to pixel %(subject)s"), _FIELDS)
REQUIRE_KEY = Act("require access key", _("made the access key required for pixel %(subject)s"), _FIELDS)
STOP_REQUIRING_KEY = Act("stop requiring access key", _("made the access key optional for pixel %(subject)s"), _FIELDS)


@transaction.atomic
def connect_pixel(
    *,
    principal: Principal,
    tenant_id: str,
    pixel_id: str,
    business_id: str,
    access_token: str,
    external_id: str | None = None,
    api_version: str | None = None,
    name: str | None = None,
) -> Pixel:
    """Connect a pixel, or give one that the account has already a new token; what is None stays as it was.

    A new token clears what Meta said about the old one. The switches stay: who turned a pixel off wants it off.
    """
    tenant = get_tenant(principal, tenant_id, Action.EDIT_DATA, lock=True)
    given = clean_connection(
        pixel_id=pixel_id,
        business_id=business_id,
        access_token=access_token,
        external_id=external_id,
        api_version=api_version,
        name=name,
    )
    pixel_id = given.pop("pixel_id")
    # Locked: a worker that learns now that the old token is bad must not have the last word.
    pixel = tenant.pixels.select_for_update().filter(pixel_id=pixel_id).first()
    if pixel is None:
        given.setdefault("api_version", settings.GRAPH_API_VERSION)
        pixel = _create(Pixel(tenant=tenant, pixel_id=pixel_id, **given))
        act, changes = CONNECT, {field: [None, value] for field, value in given.items()}
        changes["access_token"] = [None, MASK]
    else:
        act, changes = RECONNECT, apply_changes(pixel, given | {"bad_token": False, "api_error_code": None})  # nosec B105  # no token
        changes["access_token"] = [MASK, MASK]
    record(principal, act, pixel, tenant=tenant, changes=changes)
    return pixel


def clean_connection(
    *,
    pixel_id: str,
    business_id: str,
    access_token: str,
    external_id: str | None = None,
    api_version: str | None = None,
    name: str | None = None,
) -> dict[str, Any]:
    """The columns of a connection, its token sealed; without those that are None."""
    columns: dict[str, Any] = {
        "pixel_id": validation.clean_pixel_id(pixel_id),
        "business_id": validation.clean_business_id(business_id),
    }
    if external_id is not None:
        columns["external_id"] = validation.clean_external_id(external_id)
    columns["access_token"] = Secret.seal(validation.clean_access_token(access_token))
    if api_version is not None:
        columns["api_version"] = validation.clean_api_version(api_version)
    if name is not None:
        columns["name"] = validation.clean_name(name)
    return columns


def _create(pixel: Pixel) -> Pixel:
    """Save a new pixel. The unique column tells whether another account has it, whoever comes at the same time."""
    lock_ids()
    for owner in filter(None, owners_beside_pixels(pixel.pixel_id)):
        if owner == pixel.tenant_id:
            raise InvalidInput("pixelId", "is the id of a data source of this account that is no Meta Pixel.")
        raise taken_elsewhere("pixelId")
    try:
        with transaction.atomic():
            pixel.save(force_insert=True)
    except IntegrityError:
        raise taken_elsewhere("pixelId") from None
    return pixel


@transaction.atomic
def disconnect_pixel(*, principal: Principal, tenant_id: str, pixel_id: str) -> None:
    """Remove a pixel with everything that hangs on it."""
    pixel = _open(principal, tenant_id, pixel_id)
    subject = str(pixel)
    pixel.delete()
    record(principal, DISCONNECT, subject, tenant=pixel.tenant)


@transaction.atomic
def rename_pixel(*, principal: Principal, tenant_id: str, pixel_id: str, name: str) -> Pixel:
    """Call the pixel something else; without a name it is called by its id."""
    pixel = _open(principal, tenant_id, pixel_id)
    return _change(principal, pixel, RENAME, {"name": validation.clean_name(name)})


@transaction.atomic
def set_receiving(*, principal: Principal, tenant_id: str, pixel_id: str, status: int) -> Pixel:
    """Let the gateway receive the pixel's events (1), or drop them on arrival (0)."""
    pixel = _open(principal, tenant_id, pixel_id)
    act = ACTIVATE if _is_on(status) else DEACTIVATE
    return _change(principal, pixel, act, {"event_bridge_active": _is_on(status)})


@transaction.atomic
def set_publishing(*, principal: Principal, tenant_id: str, pixel_id: str, status: int) -> Pixel:
    """Let the gateway publish the pixel's events (1), or receive, count and discard them (0)."""
    pixel = _open(principal, tenant_id, pixel_id)
    act = ENABLE_PUBLISHING if _is_on(status) else DISABLE_PUBLISHING
    return _change(principal, pixel, act, {"publishing_enabled": _is_on(status)})


@transaction.atomic
def regenerate_access_key(*, principal: Principal, tenant_id: str, pixel_id: str) -> Pixel:
    """Give the pixel a new access key; senders with the old one are refused from now on."""
    pixel = _open(principal, tenant_id, pixel_id)
    return _change(principal, pixel, GENERATE_KEY, {"access_key": new_access_key()})


@transaction.atomic
def set_access_key_required(*, principal: Principal, tenant_id: str, pixel_id: str, required: bool) -> Pixel:
    """Ask every sender for the access key, or only check the key of those that send one."""
    pixel = _open(principal, tenant_id, pixel_id)
    act = REQUIRE_KEY if required else STOP_REQUIRING_KEY
    return _change(principal, pixel, act, {"require_access_key": required})


@transaction.atomic
def set_browsers_need_no_key(*, principal: Principal, tenant_id: str, pixel_id: str, allowed: bool) -> Pixel:
    """Take what browsers post although senders must send the access key, or take it no more."""
    pixel = _open(principal, tenant_id, pixel_id)
    return _change(
        principal, pixel, OPEN_TO_BROWSERS if allowed else CLOSE_TO_BROWSERS, {"browsers_need_no_key": allowed}
    )


@transaction.atomic
def set_browser_websites(*, principal: Principal, tenant_id: str, pixel_id: str, websites: Sequence[str]) -> Pixel:
    """Take from browsers what happens on these websites and their subdomains alone; on all, where none is named."""
    pixel = _open(principal, tenant_id, pixel_id)
    return _change(principal, pixel, LIMIT_WEBSITES, {"browser_websites": validation.clean_websites(websites)})


def _open(principal: Principal, tenant_id: str, pixel_id: str) -> Pixel:
    """The pixel to change, its account locked."""
    return get_pixel(get_tenant(principal, tenant_id, Action.EDIT_DATA, lock=True), pixel_id)


def _is_on(status: int) -> bool:
    return bool(clean_choice("status", status, (0, 1)))


def _change(principal: Principal, pixel: Pixel, act: Act, new: dict[str, Any]) -> Pixel:
    subject = str(pixel)  # by the name that it had
    changes = apply_changes(pixel, new)
    if "access_key" in changes:
        changes["access_key"] = [MASK, MASK]
    pixel.refresh_from_db(fields=["active"])  # the database computes it
    record(principal, act, subject, tenant=pixel.tenant, changes=changes)
    return pixel

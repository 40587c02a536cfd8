"""The body that the Meta Pixel in a visitor's browser posts, parsed and turned into an event of the Conversions API.

The form of the body is known from captures of public pages alone. Anybody can post one: who the
visitor is, is told by the request, never by the body.
"""

from __future__ import annotations

import codecs
import re
import time
from contextlib import suppress
from typing import Any, NamedTuple

import msgspec
import orjson

from common.errors import InvalidInput
from common.validation import has_control_characters, refuse_control_characters
from events.intake.browser_repairs import Object, as_object, mend, with_whole_characters
from events.intake.click_ids import click_id_in
from events.intake.hashing.user_data import RULES as HASHED
from events.intake.left_out import LeftOut, Reason
from events.intake.notes import Notes
from events.intake.visitors import Browser
from events.parameters.rules import Unusable
from events.parameters.special import WEB_ADDRESS
from events.parameters.table import USER_DATA
from filters.models import EVENT_NAME_MAX_LENGTH

#: What the Conversions API knows of a person, but for what the request itself shows.
_KNOWN = (HASHED.keys() | USER_DATA.keys() | {"external_id"}) - {"client_ip_address", "client_user_agent"}
#: What identifies the browser, and where it stands. Of several that can be used, the first counts: ``fb.clickID`` is
#: what Meta's code for WordPress reads.
_IDS = {"fbp": ("fb.fbp",), "fbc": ("fb.clickID", "fb.fbc")}
#: What completes ``custom_data``, the most telling first.
_COMPLETING = ("conversion_value", "fb.dynamic_product_ads", "automatic_parameters")
#: What the visitor allows is passed on as it is.
_CONSENT = ("data_processing_options", "data_processing_options_country", "data_processing_options_state")

_is_pixel_id = re.compile(r"[0-9]{1,20}").fullmatch


class _Head(msgspec.Struct):
    """The one field that is read before anything else."""

    pixel_id: str | int = msgspec.field(name="fb.pixel_id")


_read_head = msgspec.json.Decoder(_Head).decode


class Posted(NamedTuple):
    """A body of which the pixel is known, and nothing else yet."""

    pixel_id: str
    body: bytes


def read_pixel_id(body: bytes) -> Posted:
    """Whose event it is, before the rest is read; InvalidInput where the body is no event."""
    body = with_whole_characters(body.removeprefix(codecs.BOM_UTF8))
    try:
        pixel_id = str(_read_head(body).pixel_id).strip()
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise _no_event() from None
    if not _is_pixel_id(pixel_id):
        raise InvalidInput("fb.pixel_id", "must be a pixel's id.")
    return Posted(pixel_id, body)


def to_event(body: bytes, browser: Browser, notes: Notes) -> Object:
    """The event that Meta gets; what is unusable is left out and noted. InvalidInput where the body is no event."""
    try:
        fields = orjson.loads(body)
    except (ValueError, RecursionError):
        raise _no_event() from None
    now = time.time()
    event: Object = {
        "event_name": _name(fields),
        "event_time": int(now),
        # Checked, or made, with the rest: by it Meta knows the event that the pixel sends there itself.
        "event_id": fields.get("event_id"),
        **_page(fields, browser, notes),
    }
    event["user_data"] = _user_data(fields, browser, event.get("event_source_url"), now, notes)
    custom_data = _custom_data(fields, notes)
    if custom_data:
        event["custom_data"] = custom_data
    event.update({field: fields[field] for field in _CONSENT if fields.get(field) is not None})
    return event


def _no_event() -> InvalidInput:
    return InvalidInput("body", "must be an event of the Meta Pixel: a JSON object with event_name and fb.pixel_id.")


def _name(fields: Object) -> str:
    name = fields.get("event_name")
    name = name.strip() if type(name) is str else ""
    if not 1 <= len(name) <= EVENT_NAME_MAX_LENGTH:
        raise InvalidInput("event_name", "must be a text of 1 to {limit} characters.", limit=EVENT_NAME_MAX_LENGTH)
    refuse_control_characters("event_name", name)
    return name


def _page(fields: Object, browser: Browser, notes: Notes) -> Object:
    """Where the event happened. Without a page or a user agent it is no website's event to Meta."""
    context = _object(fields, "website_context", notes)
    page = _web_address(context, "location", notes) or browser.page
    found: Object = {"action_source": "website" if page and browser.user_agent else "other"}
    if page:
        found["event_source_url"] = page
    if referrer := _web_address(context, "referrer", notes):
        found["referrer_url"] = referrer
    return found


def _web_address(context: Object, field: str, notes: Notes) -> str | None:
    value = context.get(field)
    if _is_empty(value):
        return None
    with suppress(Unusable):
        address = str(value if WEB_ADDRESS.takes(value) else WEB_ADDRESS.mend(value))
        if not has_control_characters(address):
            return address
    notes.leave_out(LeftOut(f"website_context.{field}", Reason.UNUSABLE))
    return None


def _user_data(fields: Object, browser: Browser, page: str | None, now: float, notes: Notes) -> Object:
    given = _object(fields, "fb.advanced_matching", notes)
    user_data = {field: value for field, value in given.items() if field in _KNOWN and not _is_empty(value)}
    for field, names in _IDS.items():
        values = (*map(fields.get, names), user_data.get(field))
        if found := [value for value in values if not _is_empty(value)]:
            user_data[field] = next(filter(USER_DATA[field].takes, found), found[0])
    if not USER_DATA["fbc"].takes(user_data.get("fbc")) and (made := click_id_in(page, now)):
        user_data["fbc"] = made
    if browser.address:
        user_data["client_ip_address"] = browser.address
    if browser.user_agent:
        user_data["client_user_agent"] = browser.user_agent
    return user_data


def _custom_data(fields: Object, notes: Notes) -> Object:
    custom_data = dict(_object(fields, "custom_data", notes))
    for source in _COMPLETING:
        for field, value in _object(fields, source, notes).items():
            if _is_empty(custom_data.get(field)):
                custom_data[field] = value
    mend(custom_data)
    return custom_data


def _object(fields: Object, field: str, notes: Notes) -> Object:
    value = fields.get(field)
    if _is_empty(value):
        return {}
    found = as_object(value)
    if found is None:
        notes.leave_out(LeftOut(field, Reason.NO_OBJECT))
        return {}
    return found


def _is_empty(value: Any) -> bool:
    return value is None or value in ("", [], {})

"""What the Meta Pixel in a visitor's browser posts, turned into an event of the Conversions API.

The form of the body is known from captures of public pages alone. Anybody can post one: who the
visitor is, is told by the request, never by the body.
"""

from __future__ import annotations

import re
import time
import uuid
from typing import Any, NamedTuple

import msgspec
import orjson

from common.errors import InvalidInput
from events.intake.browser_repairs import Object, as_object, mend
from events.intake.checks import EVENT_ID_MAX_LENGTH
from events.intake.click_ids import click_id_in
from events.intake.hashing import RULES as HASHED
from events.intake.identifiers import is_fbc
from events.intake.left_out import LeftOut, Reason
from events.intake.notes import Notes
from events.intake.visitors import Browser
from events.parameters import USER_DATA
from filters.models import EVENT_NAME_MAX_LENGTH

#: What the Conversions API knows of a person, but for what the request itself shows.
_KNOWN = (HASHED.keys() | USER_DATA.keys() | {"external_id"}) - {"client_ip_address", "client_user_agent"}
#: What completes ``custom_data``, the most telling first.
_COMPLETING = ("conversion_value", "fb.dynamic_product_ads", "automatic_parameters")
#: What the visitor allows is passed on as it is.
_CONSENT = ("data_processing_options", "data_processing_options_country", "data_processing_options_state")

_is_pixel_id = re.compile(r"[0-9]{1,20}").fullmatch
_is_web_address = re.compile(r"https?://[^\s/?#\\]", re.IGNORECASE).match

#: Browsers write half of a character like that where a text was cut in its middle.
_half_characters = re.compile(
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB][0-9a-fA-F]{2})\\u[dD][c-fC-F][0-9a-fA-F]{2}"
)
_nul = re.compile(rb"(?<!\\)((?:\\\\)*)\\u0000")


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
    if b"\\u" in body:
        body = _nul.sub(rb"\1", _half_characters.sub(rb"\\ufffd", body))
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
        "event_id": _event_id(fields, notes),
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
    if not 1 <= len(name) <= EVENT_NAME_MAX_LENGTH or not name.isprintable():
        raise InvalidInput("event_name", "must be a text of 1 to {limit} characters.", limit=EVENT_NAME_MAX_LENGTH)
    return name


def _event_id(fields: Object, notes: Notes) -> str:
    """Made where it is missing; nothing else can be an event's id at Meta, nor be told apart there."""
    value = fields.get("event_id")
    text = str(value) if type(value) is int else value
    if type(text) is str and 1 <= len(text) <= EVENT_ID_MAX_LENGTH and text.isprintable():
        return text
    if value is not None and value != "":
        notes.leave_out(LeftOut("event_id", Reason.TOO_LONG if type(text) is str else Reason.NO_SINGLE_TEXT))
    return uuid.uuid4().hex


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
    if type(value) is str and _is_web_address(value) and value.isprintable():
        return value
    if value is not None and value != "":
        notes.leave_out(LeftOut(f"website_context.{field}", Reason.UNUSABLE))
    return None


def _user_data(fields: Object, browser: Browser, page: str | None, now: float, notes: Notes) -> Object:
    given = _object(fields, "fb.advanced_matching", notes)
    user_data = {field: value for field, value in given.items() if field in _KNOWN and not _is_empty(value)}
    for field in ("fbp", "fbc"):
        if not _is_empty(value := fields.get(f"fb.{field}")):
            user_data[field] = value
    fbc = user_data.get("fbc")
    if not (type(fbc) is str and is_fbc(fbc)) and (made := click_id_in(page, now)):
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

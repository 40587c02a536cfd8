"""Taking events in: once ``receive`` returns they are in the database, committed, whatever is killed next."""

from __future__ import annotations

import hmac

import orjson
from django.db import IntegrityError

from events import wakeups
from events.checks import Browser, prepare
from events.models import OutboxRow
from events.outbox import NewRow, add_row
from events.parsing import parse
from events.pixel_settings import PixelSettings, forget_pixel_settings, get_pixel_settings, get_pixel_settings_anew
from portal.errors import NotAuthorized, NotFound

UNKNOWN_PIXEL = "This pixel is not connected to this gateway."


def pixel_that_receives(pixel_id: str) -> PixelSettings:
    """The pixel that an address names; NotFound where there is none, or its account is deactivated."""
    pixel = get_pixel_settings(pixel_id)
    if pixel is None:
        raise NotFound(UNKNOWN_PIXEL)
    return pixel


def receive(pixel: PixelSettings, body: bytes, content_type: str = "", browser: Browser | None = None) -> int:
    """Store the events of a request, all or none of them, and return how many they are.

    Raises NotAuthorized for the access key, InvalidInput for what breaks a rule, NotFound where the pixel has gone
    meanwhile, and what Django raises where the database refuses.
    """
    content = parse(body, content_type)
    _check_access_key(pixel, content.access_key)
    prepare(content.events, browser, enriches=pixel.enriches)
    # What a switched-off pixel receives is not published, but counted as dropped: the worker's work, too.
    intake = OutboxRow.Intake.RECEIVED if pixel.receives else OutboxRow.Intake.RECEIVING_OFF
    try:
        add_row(NewRow(pixel.pk, intake.value, len(content.events), content.options, orjson.dumps(content.events)))
    except IntegrityError:  # the pixel was removed a moment ago
        forget_pixel_settings()
        raise NotFound(UNKNOWN_PIXEL) from None
    wakeups.wake(pixel.pk)
    return len(content.events)


def _check_access_key(pixel: PixelSettings, given: str | None) -> None:
    if _refusal_of(given, pixel) is None:
        return
    # Another process may have changed the key a moment ago.
    anew = get_pixel_settings_anew(pixel.pixel_id)
    if anew is None:
        raise NotFound(UNKNOWN_PIXEL)
    refusal = _refusal_of(given, anew)
    if refusal is not None:
        raise NotAuthorized(refusal)


def _refusal_of(given: str | None, pixel: PixelSettings) -> str | None:
    if given is None:
        return "accessKey: this pixel asks its senders for its access key." if pixel.requires_access_key else None
    is_the_key = hmac.compare_digest(given.encode(), pixel.access_key.encode())
    return None if is_the_key else "accessKey: this is not the pixel's access key."

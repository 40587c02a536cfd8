"""Taking events in: once ``receive`` returns they are in the database, committed, whatever is killed next."""

from __future__ import annotations

import hmac

import orjson
from django.db import IntegrityError

from events import wakeups
from events.checks import Browser, prepare
from events.models import OutboxRow
from events.outbox import add_row
from events.parsing import parse
from events.pixel_settings import PixelSettings, forget_pixel_settings, get_pixel_settings
from portal.errors import NotAuthorized, NotFound

UNKNOWN_PIXEL = "This pixel is not connected to this gateway."


def receive(pixel_id: str, body: bytes, content_type: str = "", browser: Browser | None = None) -> int:
    """Store the events of a request, all or none of them, and return how many they are.

    Raises NotFound for an unknown pixel, NotAuthorized for its access key, InvalidInput for what breaks a rule, and
    what Django raises where the database refuses.
    """
    pixel = get_pixel_settings(pixel_id)
    if pixel is None:
        raise NotFound(UNKNOWN_PIXEL)
    events, access_key, options = parse(body, content_type)
    _check_access_key(pixel, access_key)
    prepare(events, browser, enriches=pixel.enriches)
    try:
        add_row(
            pixel.pk,
            # What a switched-off pixel receives is not published, but counted as dropped: the worker's work, too.
            intake=OutboxRow.Intake.RECEIVED if pixel.receives else OutboxRow.Intake.RECEIVING_OFF,
            event_count=len(events),
            options=options,
            body=orjson.dumps(events),
        )
    except IntegrityError:  # the pixel was removed a moment ago
        forget_pixel_settings()
        raise NotFound(UNKNOWN_PIXEL) from None
    wakeups.wake(pixel.pk)
    return len(events)


def _check_access_key(pixel: PixelSettings, given: str | None) -> None:
    if given is None:
        if pixel.requires_access_key:
            raise NotAuthorized("accessKey: this pixel asks its senders for its access key.")
    elif not hmac.compare_digest(given.encode(), pixel.access_key.encode()):
        raise NotAuthorized("accessKey: this is not the pixel's access key.")

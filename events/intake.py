"""Taking events in: once ``receive`` returns they are in the database, committed, whatever is killed next."""

from __future__ import annotations

import hmac

from django.conf import settings
from django.db import IntegrityError

from events import wakeups
from events.checks import Browser, prepare
from events.models import OutboxRow
from events.outbox import NewRow, add_row
from events.parsing import parse
from events.pixel_settings import (
    PixelSettings,
    forget_pixel_settings,
    get_pixel_settings,
    get_pixel_settings_anew,
    is_new,
)
from portal.errors import InvalidInput, NotAuthorized, NotFound
from portal.rate_limits import count_request, refuse_if_exhausted

#: What is stored may be this many times as long as the longest body, since a hash is longer than what it is made of.
MAX_GROWTH = 4
UNKNOWN_PIXEL = "This pixel is not connected to this gateway."


def pixel_that_receives(pixel_id: str, caller: str = "") -> PixelSettings:
    """The pixel that an address names; NotFound where there is none, or its account is deactivated.

    Ids that nobody has cost a query each: they count against the address of the ``caller``, if one is given.
    """
    costs_a_query = is_new(pixel_id)
    if costs_a_query and caller:
        refuse_if_exhausted("ADDRESS", caller)
    pixel = get_pixel_settings(pixel_id)
    if pixel is None:
        if costs_a_query and caller:
            count_request("ADDRESS", caller)
        raise NotFound(UNKNOWN_PIXEL)
    return pixel


def receive(pixel: PixelSettings, body: bytes, content_type: str = "", browser: Browser | None = None) -> int:
    """Store the events of a request, all or none of them, and return how many they are.

    Raises NotAuthorized for the access key, InvalidInput for what breaks a rule, TooManyRequests for the limit of the
    pixel, NotFound where it has gone meanwhile, and what Django raises where the database refuses.
    """
    row = _row(pixel, body, content_type, browser)
    try:
        add_row(row)
    except IntegrityError:  # the pixel was removed a moment ago
        forget_pixel_settings()
        raise NotFound(UNKNOWN_PIXEL) from None
    wakeups.wake(pixel.pk)
    return row.event_count


def _row(pixel: PixelSettings, body: bytes, content_type: str, browser: Browser | None) -> NewRow:
    """What is to be stored. By itself, so that the events are let go of while they are in the processor's cache."""
    content = parse(body, content_type)
    _check_access_key(pixel, content.access_key)
    # Only now: who has not the key, or sends what nobody can read, does not use up the pixel's limit.
    count_request("PIXEL", pixel.pixel_id)
    stored = prepare(content.events, content.written, browser, enriches=pixel.enriches)
    if len(stored) > MAX_GROWTH * settings.INTAKE_MAX_BODY_BYTES:
        raise InvalidInput(
            "data", "holds too many short identifiers that are not hashed: send them in several requests."
        )
    # What a switched-off pixel receives is not published, but counted as dropped: the worker's work, too.
    intake = OutboxRow.Intake.RECEIVED if pixel.receives else OutboxRow.Intake.RECEIVING_OFF
    return NewRow(pixel.pk, intake.value, len(content.events), content.options, stored)


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

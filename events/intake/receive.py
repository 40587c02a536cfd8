"""Taking events in: once ``receive`` returns they are in the database, committed, whatever is killed next."""

from __future__ import annotations

from typing import NamedTuple

from django.db import IntegrityError

from common.errors import InvalidInput, NotAuthorized, NotFound, TooManyRequests
from common.rate_limits import count_request, refuse_if_exhausted
from events.findings import count_left_out
from events.intake import wakeups
from events.intake.access_keys import NO_KEYS, UNKNOWN_PIXEL, Keys, check_access_key
from events.intake.checks import prepare_events
from events.intake.notes import Notes
from events.intake.outbox import NewRow, Storing
from events.intake.pixel_settings import (
    PixelSettings,
    forget_pixel_settings,
    get_pixel_settings,
    is_new,
)
from events.intake.refused import note_refused
from events.intake.server_body import Submission, parse
from events.intake.visitors import Browser
from events.intake.weights import weigh
from events.models import OutboxRow, Road


def pixel_that_receives(pixel_id: str, caller: str = "") -> PixelSettings:
    """The pixel, or gateway source, that an address names; NotFound where there is none, or its account is deactivated.

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


class Received(NamedTuple):
    """What became of a request."""

    events: int
    #: What is told of its events: what was left out or filled in.
    messages: list[str]


def receive(
    pixel: PixelSettings,
    body: bytes,
    content_type: str = "",
    browser: Browser | None = None,
    keys: Keys = NO_KEYS,
    caller: str = "",
) -> Storing[Received]:
    """Store the events of a request, all or none of them.

    ``keys`` are those that came beside the body. What is refused is counted, if the ``caller`` is given, the network
    of the sender.

    Raises NotAuthorized for the access key, InvalidInput for what breaks a rule, TooManyRequests for the limit of the
    pixel, NotFound where it has gone meanwhile, and what Django raises where the database refuses.
    """
    notes = Notes()
    row = _row(pixel, body, content_type, browser, keys, notes, caller)
    try:
        yield row
    except IntegrityError:  # the pixel was removed a moment ago
        forget_pixel_settings()
        raise NotFound(UNKNOWN_PIXEL) from None
    tell(pixel, notes)
    return Received(row.event_count, notes.messages)


def tell(pixel: PixelSettings, notes: Notes, road: Road = Road.SERVER) -> None:
    """Tell the workers of a request that is stored, and count what was left out of it."""
    if pixel.is_source:
        wakeups.wake_source(pixel.pk)
    else:
        wakeups.wake(pixel.pk)
    if notes.left_out:
        count_left_out(pixel, notes.left_out, road)


def _row(
    pixel: PixelSettings,
    body: bytes,
    content_type: str,
    browser: Browser | None,
    keys: Keys,
    notes: Notes,
    caller: str,
) -> NewRow:
    """What is to be stored. By itself, so that the events are let go of while they are in the processor's cache."""
    content: Submission | None = None
    try:
        content = parse(body, content_type, notes)
        check_access_key(pixel, content.keys.and_also(keys))
        # Only now: who has not the key, or sends what nobody can read, does not use up the pixel's limit.
        count_request("PIXEL", pixel.pixel_id, cost=weigh(content.sent, len(body)))
        stored = prepare_events(content.sent, notes, browser, enriches=pixel.enriches)
    except (InvalidInput, NotAuthorized, TooManyRequests) as error:
        if caller:
            note_refused(pixel, error, caller, keys, body, content)
        raise
    # What a switched-off pixel receives is not published, but counted as dropped: the worker's work, too.
    intake = OutboxRow.Intake.RECEIVED if pixel.receives else OutboxRow.Intake.RECEIVING_OFF
    return NewRow(
        pixel.pk,
        intake.value,
        len(content.sent),
        content.options,
        stored,
        is_source=pixel.is_source,
        changes=notes.changes(len(content.sent)),
    )

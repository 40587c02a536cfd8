"""The door for the Meta Pixel in visitors' browsers: POST /events (docs/decisions/0024).

Anybody can post here, and a browser can do nothing about a refusal. So the answer is 200 with nothing in it wherever
the body is an event: nobody learns which pixels are connected.
"""

from __future__ import annotations

import re

import orjson
from django.db import IntegrityError

from common.client_address import network_of
from common.errors import InvalidInput, NotFound
from common.http import Request, Response
from common.postgresql import close_if_cut_off
from common.rate_limits import count_request
from events.findings import count_left_out
from events.intake import wakeups
from events.intake.answering import answer_no_post, answer_with
from events.intake.bodies import read_body
from events.intake.browser import read_pixel_id, to_event
from events.intake.browser_repairs import Object
from events.intake.checks import prepare_events
from events.intake.left_out import LeftOut, Reason
from events.intake.notes import Notes
from events.intake.outbox import NewRow, add_row
from events.intake.pixel_settings import PixelSettings, forget_pixel_settings, get_pixel_settings
from events.intake.visitors import Browser, read_browser
from events.models import OutboxRow, Road
from filters.domains import host_of

MAX_BODY_BYTES = 65_536
#: The pixel's own address may go on with a number that tells nothing here.
_EVENTS = re.compile(r"/events(/[0-9A-Fa-f]{1,64})?")
_TAKEN = Response(200, [("Content-Type", "text/plain; charset=utf-8")])


def answer(request: Request) -> Response:
    """Answer a request, whatever happens."""
    return answer_with(_respond, request)


def _respond(request: Request) -> Response:
    if not _EVENTS.fullmatch(request.path):
        raise NotFound("There is nothing at this address. The Meta Pixel posts to /events.")
    if (answered := answer_no_post(request)) is not None:
        return answered
    close_if_cut_off()
    count_request("BROWSER_ADDRESS", network_of(request.address))
    receive(read_body(request, MAX_BODY_BYTES), read_browser(request))
    return _TAKEN


def receive(body: bytes, browser: Browser) -> None:
    """Store the event that the body holds, where its pixel is connected: once this returns, it is committed.

    The same is raised whether it is or not: InvalidInput for what is no event, TooManyRequests for the pixel's limit.
    """
    pixel_id, body = read_pixel_id(body)
    count_request("BROWSER_PIXEL", pixel_id)
    notes = Notes()
    events = [to_event(body, browser, notes)]
    stored = prepare_events(events, _written(events), notes)
    pixel = get_pixel_settings(pixel_id)
    if pixel is None:
        return
    if (reason := _reason_against(events[0], pixel)) is not None:
        count_left_out(pixel.pk, {LeftOut("event", reason): 1}, Road.BROWSER)
        return
    intake = OutboxRow.Intake.RECEIVED if pixel.receives else OutboxRow.Intake.RECEIVING_OFF
    try:
        add_row(NewRow(pixel.pk, intake.value, 1, "", stored, Road.BROWSER.value))
    except IntegrityError:  # the pixel was removed a moment ago
        forget_pixel_settings()
        return
    wakeups.wake(pixel.pk)
    if notes.left_out:
        count_left_out(pixel.pk, notes.left_out, Road.BROWSER)


def _reason_against(event: Object, pixel: PixelSettings) -> Reason | None:
    """Why the pixel's people want no such event, if they do not."""
    if not pixel.is_open_to_browsers:
        return Reason.KEY_REQUIRED
    return None if pixel.lists(host_of(event.get("event_source_url"))) else Reason.WEBSITE_NOT_LISTED


def _written(events: list[Object]) -> bytes:
    try:
        return orjson.dumps(events)
    except TypeError:
        raise InvalidInput("body", "is nested too deeply.") from None

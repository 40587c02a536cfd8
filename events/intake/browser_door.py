"""The door for the Meta Pixel in visitors' browsers: POST /events (docs/decisions/0024).

Anybody can post here, and a browser can do nothing about a refusal. So the answer is 200 with nothing in it wherever
the body is an event: nobody learns which pixels are connected.
"""

from __future__ import annotations

import re
from contextlib import suppress

import orjson
from django.db import Error as DatabaseError
from django.db import IntegrityError

from common.client_address import network_of
from common.errors import InvalidInput, NotFound, TooManyRequests
from common.http import Request, Response
from common.rate_limits import count_request
from events.findings import count_left_out
from events.intake.answering import answer_no_post, answer_with
from events.intake.bodies import read_body
from events.intake.browser_body import read_pixel_id, to_event
from events.intake.browser_repairs import Object
from events.intake.checks import prepare_events
from events.intake.event_list import EventList
from events.intake.left_out import LeftOut, Reason
from events.intake.notes import Notes
from events.intake.outbox import NewRow, Storing, store
from events.intake.pixel_settings import PixelSettings, forget_pixel_settings, get_pixel_settings
from events.intake.receive import tell
from events.intake.refused import note_refused_of_browser
from events.intake.visitors import Browser, read_browser
from events.models import OutboxRow, Road
from filters.domains import host_of

MAX_BODY_BYTES = 65_536
#: The pixel's own address may go on with a number that tells nothing here.
_EVENTS = re.compile(r"/events(/[0-9A-Fa-f]{1,64})?")
_TAKEN = Response(200, [("Content-Type", "text/plain; charset=utf-8")])


def answer(request: Request) -> Response:
    """Answer a request, whatever happens."""
    return store(storing(request))


def storing(request: Request) -> Storing[Response]:
    """Answer a request, which may share its commit with others."""
    return answer_with(_respond, request)


def _respond(request: Request) -> Storing[Response]:
    if not _EVENTS.fullmatch(request.path):
        raise NotFound("There is nothing at this address. The Meta Pixel posts to /events.")
    if (answered := answer_no_post(request)) is not None:
        return answered
    network = network_of(request.address)
    count_request("BROWSER_ADDRESS", network)
    yield from receive(read_body(request, MAX_BODY_BYTES), read_browser(request), network)
    return _TAKEN


def receive(body: bytes, browser: Browser, network: str) -> Storing[None]:
    """Store the event that the body holds, where its pixel is connected.

    The same is raised whether it is or not: InvalidInput for what is no event, TooManyRequests for the pixel's limit.
    ``network`` is that of the browser.
    """
    pixel_id, body = read_pixel_id(body)
    notes = Notes()
    notes.of_event(0)
    try:
        count_request("BROWSER_PIXEL", pixel_id)
        events = [to_event(body, browser, notes)]
        stored = _prepare(events, notes)
    except (InvalidInput, TooManyRequests) as error:
        _note_refused(pixel_id, error, network, body, browser)
        raise
    pixel = get_pixel_settings(pixel_id)
    if pixel is None:
        return
    reason = reason_against(events[0].get("event_source_url"), pixel)
    if reason is not None or stored is None:
        count_left_out(pixel, {LeftOut("event", reason or Reason.NOBODY): 1}, Road.BROWSER)
        return
    intake = OutboxRow.Intake.RECEIVED if pixel.receives else OutboxRow.Intake.RECEIVING_OFF
    try:
        yield NewRow(pixel.pk, intake.value, 1, "", stored, Road.BROWSER.value, pixel.is_source, notes.changes(1))
    except IntegrityError:  # the pixel was removed a moment ago
        forget_pixel_settings()
        return
    tell(pixel, notes, Road.BROWSER)


def _note_refused(
    pixel_id: str, error: InvalidInput | TooManyRequests, network: str, body: bytes, browser: Browser
) -> None:
    """Of a pixel that is connected; a database that is away makes no other answer of it."""
    with suppress(DatabaseError):
        if pixel := get_pixel_settings(pixel_id):
            is_let_in = reason_against(browser.page, pixel) is None
            note_refused_of_browser(pixel, error, network, body, is_let_in=is_let_in)


def reason_against(page: str | None, pixel: PixelSettings) -> Reason | None:
    """Why the pixel's people want no event of a browser on this page, if they do not."""
    if not pixel.is_open_to_browsers:
        return Reason.KEY_REQUIRED
    return None if pixel.lists(host_of(page)) else Reason.WEBSITE_NOT_LISTED


def _prepare(events: list[Object], notes: Notes) -> bytes | None:
    """The event as it is stored; None where nothing tells of anybody, which Meta does not take."""
    _refuse_if_nested(events)
    try:
        return prepare_events(EventList(events), notes)
    except InvalidInput as error:
        if error.field == "data[0].user_data":
            return None
        raise


def _refuse_if_nested(events: list[Object]) -> None:
    try:
        orjson.dumps(events)
    except TypeError:
        raise InvalidInput("body", "is nested too deeply.") from None

"""The door through which events come in, beside Django: all of /capi/, and the Graph API's own addresses.

A request passes here without sessions, languages, cookies and forms, which it has none of, and which would take most of
its time (docs/decisions/0007-intake.md). Every answer is the Graph API's: JSON, also where something is wrong.
"""

from __future__ import annotations

import re

from common.client_address import network_of
from common.errors import InvalidInput, NotAuthorized, NotFound, UnsupportedEncoding
from common.http import Request, Response
from events.intake.access_keys import keys_beside_body
from events.intake.addresses import GATEWAY, events_path
from events.intake.answering import answer_no_post, answer_with
from events.intake.bodies import read_body
from events.intake.graph_answers import accepted
from events.intake.outbox import Storing, store
from events.intake.pixel_settings import PixelSettings
from events.intake.receive import pixel_that_receives, receive
from events.intake.refusals import BYTES_A_REQUEST, count_refusal, refuse_if_waiting
from events.intake.refused import note_refused
from events.intake.visitors import Browser, read_browser

#: The Graph API's own address is what Meta's SDKs send to, whatever host they are given.
_EVENTS = re.compile(rf"{GATEWAY}/(?P<gateway>[^/]+)/events|(/v[0-9]+\.[0-9]+)?/(?P<graph_api>[0-9]+)/events")


def answer(request: Request) -> Response:
    """Answer a request, whatever happens."""
    return store(storing(request))


def storing(request: Request) -> Storing[Response]:
    """Answer a request, which may share its commit with others."""
    return answer_with(_respond, request)


def _respond(request: Request) -> Storing[Response]:
    path = _EVENTS.fullmatch(request.path)
    if path is None:
        raise NotFound(f"There is nothing at this address. Events are sent to {events_path('<pixel id>')}.")
    if (answered := answer_no_post(request)) is not None:
        return answered
    caller = network_of(request.address)
    pixel = pixel_that_receives(path["gateway"] or path["graph_api"], caller)
    if "content-encoding" in request.headers or not 0 < (request.content_length or 0) <= BYTES_A_REQUEST:
        refuse_if_waiting(caller, pixel.pixel_id)
    body = b""
    try:
        keys, body = keys_beside_body(request), _read_body(request, pixel, caller)
        content_type = request.headers.get("content-type", "")
        received = yield from receive(pixel, body, content_type, _browser(request), keys, caller)
    except (InvalidInput, NotAuthorized, UnsupportedEncoding):
        count_refusal(caller, pixel.pixel_id, len(body) or request.content_length or 0)
        raise
    # Clients of the gateway take nothing but 202 for success; clients of the Graph API know 200.
    return accepted(202 if path["gateway"] else 200, received.events, received.messages)


def _read_body(request: Request, pixel: PixelSettings, caller: str) -> bytes:
    try:
        return read_body(request)
    except (InvalidInput, UnsupportedEncoding) as error:
        note_refused(pixel, error, caller, keys_beside_body(request))
        raise


def _browser(request: Request) -> Browser | None:
    """What the visitor's browser shows of itself; None where the request came from a server."""
    if "origin" not in request.headers and "sec-fetch-site" not in request.headers:
        return None
    return read_browser(request)

"""POST /capi/<pixel id>/events: what shops, servers, tag managers and browsers send events to."""

from __future__ import annotations

import logging
import secrets
from ipaddress import IPv6Address, ip_address
from typing import Any

import orjson
from django.conf import settings
from django.db import Error as DatabaseError
from django.http import HttpRequest, HttpResponse
from ninja import Router, Schema

from events.checks import ACTION_SOURCES, Browser
from events.intake import receive
from events.parsing import OPTION_NAMES
from portal.client_address import client_address
from portal.errors import InvalidInput, PortalError

logger = logging.getLogger(__name__)

router = Router(tags=["Events"])

EVENTS_PATH = "/capi/{pixel_id}/events"
RETRY_AFTER_SECONDS = 5
USER_AGENT_MAX_LENGTH = 500

#: Any website may send events; no cookie is read, so that there is nothing to protect from it.
_CORS = {"Access-Control-Allow-Origin": "*"}
_PREFLIGHT = {
    **_CORS,
    "Access-Control-Allow-Methods": "POST, OPTIONS",
    "Access-Control-Allow-Headers": "Content-Type, *",
    "Access-Control-Max-Age": "86400",
}
#: By HTTP status: the Graph API's code and subcode for what is wrong.
_GRAPH_CODES = {400: (100, 2804019), 401: (190, 467), 404: (100, 33), 503: (2, 0)}


class EventsReceived(Schema):
    """All of the request's events are stored, and will be published."""

    events_received: int
    messages: list[str] = []
    fbtrace_id: str


class GraphError(Schema):
    """What is wrong, in words and in the Graph API's codes."""

    message: str
    type: str = "OAuthException"
    code: int
    error_subcode: int
    fbtrace_id: str


class EventsRefused(Schema):
    """Nothing of the request is stored; the message names the first event and field that break a rule."""

    error: GraphError


_event_schema: dict[str, Any] = {
    "type": "object",
    "required": ["event_name", "event_time", "action_source", "user_data"],
    "properties": {
        "event_name": {"type": "string", "maxLength": 50},
        "event_time": {"type": "integer", "description": "Seconds since 1970, at most 7 days ago."},
        "event_id": {"type": "string", "maxLength": 100, "description": "Made where it is missing."},
        "action_source": {"type": "string", "enum": list(ACTION_SOURCES)},
        "event_source_url": {"type": "string", "format": "uri", "description": "Required of a website's event."},
        "user_data": {
            "type": "object",
            "description": "Identifiers that are not hashed yet are normalised and hashed before they are stored. "
            "A website's event needs client_user_agent, unless a browser sends it.",
        },
    },
}
_body_schema: dict[str, Any] = {
    "type": "object",
    "required": ["data"],
    "properties": {
        "data": {"type": "array", "minItems": 1, "items": _event_schema},
        "accessKey": {"type": "string", "description": "Checked where it is given; some pixels require it."},
        **{name: {"type": "string"} for name in OPTION_NAMES},
    },
}


@router.post(
    EVENTS_PATH,
    response={202: EventsReceived, (400, 401, 404, 503): EventsRefused},
    summary="Send events",
    openapi_extra={"requestBody": {"required": True, "content": {"application/json": {"schema": _body_schema}}}},
)
def receive_events(request: HttpRequest, pixel_id: str) -> HttpResponse:
    """Take in events of a pixel: all of a request's, or, where one breaks a rule, none of them.

    The body is JSON, whatever the Content-Type says, or a form as the Graph API takes it.
    """
    try:
        count = receive(pixel_id, _body(request), request.headers.get("Content-Type", ""), _browser(request))
    except PortalError as error:
        return _refusal(error.code, error.message)
    except DatabaseError:
        logger.warning("The database did not take a request's events.", exc_info=True)
        return _refusal(503, "The events cannot be stored now. Please send them again.")
    return _answer(202, {"events_received": count, "messages": [], "fbtrace_id": _trace_id()})


@router.api_operation(["OPTIONS"], EVENTS_PATH, include_in_schema=False)
def preflight(request: HttpRequest, pixel_id: str) -> HttpResponse:
    """Tell a browser that pages of any website may send events."""
    return HttpResponse(status=204, headers=_PREFLIGHT)


def _body(request: HttpRequest) -> bytes:
    """The body as it comes: its length is counted here, whatever the headers say of it."""
    limit = settings.INTAKE_MAX_BODY_BYTES
    # A server that marks the end itself can be read without a Content-Length, which a body sent in chunks has not.
    stream = request.META["wsgi.input"] if request.META.get("wsgi.input_terminated") else request
    body = b""
    try:
        while len(body) <= limit and (chunk := stream.read(limit + 1 - len(body))):
            body += chunk
    except OSError:
        raise InvalidInput("body", "did not arrive whole.") from None
    if len(body) > limit:
        raise InvalidInput("body", f"must have at most {limit:,} bytes.")
    return body


def _browser(request: HttpRequest) -> Browser | None:
    """What the visitor's browser shows of itself; None where the request came from a server."""
    if "Origin" not in request.headers and "Sec-Fetch-Site" not in request.headers:
        return None
    user_agent = request.headers.get("User-Agent", "")[:USER_AGENT_MAX_LENGTH]
    return Browser(user_agent if user_agent.isprintable() else "", _public_address(client_address(request)))


def _public_address(text: str) -> str | None:
    """An address that says something of a visitor: not a proxy's, within a network."""
    try:
        address = ip_address(text)
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return str(address) if address.is_global else None


def _refusal(status: int, message: str) -> HttpResponse:
    code, subcode = _GRAPH_CODES[status]
    error = {"message": message, "type": "OAuthException", "code": code, "error_subcode": subcode}
    response = _answer(status, {"error": {**error, "fbtrace_id": _trace_id()}})
    if status == 503:
        response["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return response


def _answer(status: int, content: dict[str, Any]) -> HttpResponse:
    return HttpResponse(orjson.dumps(content), status=status, content_type="application/json", headers=_CORS)


def _trace_id() -> str:
    return secrets.token_urlsafe(12)

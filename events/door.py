"""The door through which events come in: all of /capi/, as a WSGI application beside Django's.

A request passes here without sessions, languages, cookies and forms, which it has none of, and which would take most of
its time (docs/decisions/0007-intake.md). Every answer is the Graph API's: JSON, also where something is wrong.
"""

from __future__ import annotations

import logging
import re
import secrets
from ipaddress import IPv6Address, ip_address
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson
from django.db import Error as DatabaseError

from events.bodies import ENCODINGS, read_body
from events.checks import Browser
from events.intake import pixel_that_receives, receive
from portal.client_address import address_in, network_in
from portal.doors import send
from portal.errors import InvalidInput, NotAuthorized, NotFound, PortalError, TooManyRequests, UnsupportedEncoding
from portal.postgresql import keep_connection
from portal.rate_limits import count_request

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

logger = logging.getLogger(__name__)

PREFIX = "/capi/"
RETRY_AFTER_SECONDS = 5
USER_AGENT_MAX_LENGTH = 500

_EVENTS = re.compile(r"/capi/([^/]+)/events")

#: Any website may send events; no cookie is read, so that there is nothing to protect from it.
_CORS = [("Access-Control-Allow-Origin", "*")]
_PREFLIGHT = [
    *_CORS,
    ("Access-Control-Allow-Methods", "POST, OPTIONS"),
    ("Access-Control-Allow-Headers", "Content-Type, *"),
    ("Access-Control-Max-Age", "86400"),
]
_JSON = [*_CORS, ("Content-Type", "application/json")]
#: By HTTP status: the Graph API's code and subcode for what is wrong.
_GRAPH_CODES = {
    400: (100, 2804019),
    401: (190, 467),
    404: (100, 33),
    405: (100, 33),
    415: (100, 2804019),
    429: (4, 0),
    500: (1, 99),
    503: (2, 0),
}


class Answer(NamedTuple):
    """What is answered."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes = b""


def application(environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
    """The WSGI application for addresses below PREFIX."""
    status, headers, body = answer(environ)
    return send(environ, start_response, status, headers, body)


def answer(environ: WSGIEnvironment) -> Answer:
    """Answer a request, whatever happens."""
    try:
        return _respond(environ)
    except TooManyRequests as error:
        return _refusal(error.code, error.message, ("Retry-After", str(error.retry_after)))
    except UnsupportedEncoding as error:
        return _refusal(error.code, error.message, ("Accept-Encoding", ENCODINGS))
    except PortalError as error:
        return _refusal(error.code, error.message)
    except DatabaseError:
        logger.warning("The database did not take a request's events.", exc_info=True)
        return _refusal(
            503,
            "The events cannot be stored now. Please send them again.",
            ("Retry-After", str(RETRY_AFTER_SECONDS)),
        )
    except Exception:
        error_id = secrets.token_hex(8)
        logger.exception("Internal error %s of the intake", error_id, extra={"error_id": error_id})
        return _refusal(500, f"Internal error {error_id}.")


def _respond(environ: WSGIEnvironment) -> Answer:
    path = _EVENTS.fullmatch(environ["PATH_INFO"])
    if path is None:
        raise NotFound("There is nothing at this address. Events are sent to /capi/<pixel id>/events.")
    method = environ["REQUEST_METHOD"]
    if method == "OPTIONS":
        return Answer(204, _PREFLIGHT)
    if method != "POST":
        return _refusal(405, "Events are sent with POST.", ("Allow", "POST, OPTIONS"))
    keep_connection()
    caller = network_in(environ)
    pixel = pixel_that_receives(path[1], caller)
    try:
        count = receive(pixel, read_body(environ), environ.get("CONTENT_TYPE", ""), _browser(environ))
    except (InvalidInput, NotAuthorized, UnsupportedEncoding):
        count_request("ADDRESS", caller)
        raise
    return _answer(202, {"events_received": count, "messages": [], "fbtrace_id": _trace_id()})


def _browser(environ: WSGIEnvironment) -> Browser | None:
    """What the visitor's browser shows of itself; None where the request came from a server."""
    if "HTTP_ORIGIN" not in environ and "HTTP_SEC_FETCH_SITE" not in environ:
        return None
    user_agent = environ.get("HTTP_USER_AGENT", "")[:USER_AGENT_MAX_LENGTH]
    return Browser(user_agent if user_agent.isprintable() else "", _public_address(address_in(environ)))


def _public_address(text: str) -> str | None:
    """An address that says something of a visitor: not a proxy's, within a network."""
    try:
        address = ip_address(text)
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return str(address) if address.is_global else None


def _refusal(status: int, message: str, *headers: tuple[str, str]) -> Answer:
    code, subcode = _GRAPH_CODES[status]
    error = {"message": message, "type": "OAuthException", "code": code, "error_subcode": subcode}
    return _answer(status, {"error": {**error, "fbtrace_id": _trace_id()}}, *headers)


def _answer(status: int, content: dict[str, Any], *headers: tuple[str, str]) -> Answer:
    return Answer(status, [*_JSON, *headers], orjson.dumps(content))


def _trace_id() -> str:
    return secrets.token_urlsafe(12)

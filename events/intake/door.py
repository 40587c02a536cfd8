"""The door through which events come in, beside Django: all of /capi/, and the Graph API's own addresses.

A request passes here without sessions, languages, cookies and forms, which it has none of, and which would take most of
its time (docs/decisions/0007-intake.md). Every answer is the Graph API's: JSON, also where something is wrong.
"""

from __future__ import annotations

import logging
import re
import secrets
from ipaddress import IPv6Address, ip_address
from typing import TYPE_CHECKING

from django.db import Error as DatabaseError

from common.answers import Answer
from common.client_address import address_in, network_in
from common.errors import InvalidInput, NotAuthorized, NotFound, PortalError, TooManyRequests, UnsupportedEncoding
from common.postgresql import close_if_cut_off
from events.intake import cors
from events.intake.access_keys import keys_beside_body
from events.intake.bodies import ENCODINGS, read_body
from events.intake.checks import Browser
from events.intake.graph_answers import accepted, refusal
from events.intake.receive import pixel_that_receives, receive
from events.intake.refusals import BYTES_A_REQUEST, count_refusal, refuse_if_waiting

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

logger = logging.getLogger(__name__)

RETRY_AFTER_SECONDS = 5
USER_AGENT_MAX_LENGTH = 500
_WEB = ("https://", "http://")

#: The Graph API's own address is what Meta's SDKs send to, whatever host they are given.
_EVENTS = re.compile(r"/capi/(?P<gateway>[^/]+)/events|(/v[0-9]+\.[0-9]+)?/(?P<graph_api>[0-9]+)/events")


def answer(environ: WSGIEnvironment) -> Answer:
    """Answer a request, whatever happens."""
    status, headers, body = _answer(environ)
    return Answer(status, [*cors.of_answer(environ), *headers], body)


def _answer(environ: WSGIEnvironment) -> Answer:
    try:
        return _respond(environ)
    except TooManyRequests as error:
        return refusal(error.code, error.message, ("Retry-After", str(error.retry_after)))
    except UnsupportedEncoding as error:
        return refusal(error.code, error.message, ("Accept-Encoding", ENCODINGS))
    except PortalError as error:
        return refusal(error.code, error.message)
    except DatabaseError:
        logger.warning("The database did not take a request's events.", exc_info=True)
        return refusal(
            503,
            "The events cannot be stored now. Please send them again.",
            ("Retry-After", str(RETRY_AFTER_SECONDS)),
        )
    except Exception:
        error_id = secrets.token_hex(8)
        logger.exception("Internal error %s of the intake", error_id, extra={"error_id": error_id})
        return refusal(500, f"Internal error {error_id}.")


def _respond(environ: WSGIEnvironment) -> Answer:
    path = _EVENTS.fullmatch(environ["PATH_INFO"])
    if path is None:
        raise NotFound("There is nothing at this address. Events are sent to /capi/<pixel id>/events.")
    method = environ["REQUEST_METHOD"]
    if method == "OPTIONS":
        return Answer(204, cors.of_preflight(environ))
    if method != "POST":
        return refusal(405, "Events are sent with POST.", ("Allow", "POST, OPTIONS"))
    close_if_cut_off()
    caller = network_in(environ)
    pixel = pixel_that_receives(path["gateway"] or path["graph_api"], caller)
    if "HTTP_CONTENT_ENCODING" in environ or not 0 < _length(environ) <= BYTES_A_REQUEST:
        refuse_if_waiting(caller, pixel.pixel_id)
    body = b""
    try:
        keys, body = keys_beside_body(environ), read_body(environ)
        received = receive(pixel, body, environ.get("CONTENT_TYPE", ""), _browser(environ), keys)
    except (InvalidInput, NotAuthorized, UnsupportedEncoding):
        count_refusal(caller, pixel.pixel_id, len(body) or _length(environ))
        raise
    # Clients of the gateway take nothing but 202 for success; clients of the Graph API know 200.
    return accepted(202 if path["gateway"] else 200, received.events, received.messages)


def _length(environ: WSGIEnvironment) -> int:
    """How long a body says it is that could not be read."""
    length = environ.get("CONTENT_LENGTH", "")
    return int(length) if length.isdecimal() and len(length) < 10 else 0


def _browser(environ: WSGIEnvironment) -> Browser | None:
    """What the visitor's browser shows of itself; None where the request came from a server."""
    if "HTTP_ORIGIN" not in environ and "HTTP_SEC_FETCH_SITE" not in environ:
        return None
    user_agent = environ.get("HTTP_USER_AGENT", "")[:USER_AGENT_MAX_LENGTH]
    pages = (environ.get(name, "") for name in ("HTTP_REFERER", "HTTP_ORIGIN"))
    page = next((page for page in pages if page.startswith(_WEB) and page.isprintable()), None)
    return Browser(user_agent if user_agent.isprintable() else "", _public_address(address_in(environ)), page)


def _public_address(text: str) -> str | None:
    """An address that says something of a visitor: not a proxy's, within a network."""
    try:
        address = ip_address(text)
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return str(address) if address.is_global else None

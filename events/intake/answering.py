"""What the doors of events share: each answers, whatever happens, in the Graph API's form and to any website."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable

from django.db import Error as DatabaseError

from common.errors import PortalError, TooManyRequests, UnsupportedEncoding
from common.http import Request, Response
from events.intake import cors
from events.intake.bodies import ENCODINGS
from events.intake.graph_answers import refusal
from events.intake.outbox import Storing

logger = logging.getLogger(__name__)

RETRY_AFTER_SECONDS = 5


def answer_with(respond: Callable[[Request], Storing[Response]], request: Request) -> Storing[Response]:
    """What ``respond`` answers, or the refusal that its error stands for."""
    status, headers, body = yield from _answer(respond, request)
    return Response(status, [*cors.of_answer(request), *headers], body)


def _answer(respond: Callable[[Request], Storing[Response]], request: Request) -> Storing[Response]:
    try:
        return (yield from respond(request))
    except TooManyRequests as error:
        return refusal(error.code, error.message, ("Retry-After", str(error.retry_after)))
    except UnsupportedEncoding as error:
        return refusal(error.code, error.message, ("Accept-Encoding", ENCODINGS))
    except PortalError as error:
        return refusal(error.code, error.message)
    except DatabaseError:
        logger.warning("The database did not take a request's events.", exc_info=True)
        wait = ("Retry-After", str(RETRY_AFTER_SECONDS))
        return refusal(503, "The events cannot be stored now. Please send them again.", wait)
    except Exception:
        error_id = secrets.token_hex(8)
        logger.exception("Internal error %s of the intake", error_id, extra={"error_id": error_id})
        return refusal(500, f"Internal error {error_id}.")


def answer_no_post(request: Request) -> Response | None:
    """The answer to what brings no events: a preflight, or a wrong method. None for a POST."""
    if request.method == "POST":
        return None
    if request.method == "OPTIONS":
        return Response(204, cors.of_preflight(request))
    return refusal(405, "Events are sent with POST.", ("Allow", "POST, OPTIONS"))

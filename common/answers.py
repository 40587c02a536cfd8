"""Doors: who answers software beside Django, from what WSGI tells of a request. ``send`` alone answers by WSGI."""

from __future__ import annotations

from functools import cache
from http import HTTPStatus
from io import BytesIO
from typing import TYPE_CHECKING, NamedTuple

from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpResponse
from django.middleware.clickjacking import XFrameOptionsMiddleware
from django.middleware.security import SecurityMiddleware

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

_STATUS_LINES = {status.value: f"{status.value} {status.phrase}" for status in HTTPStatus}
#: Should a browser show the answer after all, it loads nothing.
_NOTHING_TO_SHOW = ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")


class Answer(NamedTuple):
    """What is answered."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes = b""


def send(environ: WSGIEnvironment, start_response: StartResponse, answer: Answer) -> list[bytes]:
    """Send the answer, with the headers that every answer of the portal has."""
    status, headers, body = answer
    safe = _security_headers(environ["wsgi.url_scheme"])
    start_response(_STATUS_LINES[status], [*headers, *safe, ("Content-Length", str(len(body)))])
    return [body]


@cache
def _security_headers(scheme: str) -> list[tuple[str, str]]:
    """What Django's own middleware adds to every answer, by the same settings."""
    request = WSGIRequest({"REQUEST_METHOD": "POST", "wsgi.url_scheme": scheme, "wsgi.input": BytesIO()})
    response = HttpResponse()
    del response.headers["Content-Type"]
    for middleware in (SecurityMiddleware, XFrameOptionsMiddleware):
        middleware(lambda _: response)(request)
    return [*response.items(), _NOTHING_TO_SHOW]

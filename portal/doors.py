"""What the WSGI applications beside Django's have in common: their answers are for software."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from http import HTTPStatus
from io import BytesIO
from typing import TYPE_CHECKING

from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpResponse
from django.middleware.clickjacking import XFrameOptionsMiddleware
from django.middleware.security import SecurityMiddleware

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

_STATUS_LINES = {status.value: f"{status.value} {status.phrase}" for status in HTTPStatus}
#: Should a browser show the answer after all, it loads nothing.
_NOTHING_TO_SHOW = ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")


def send(
    environ: WSGIEnvironment,
    start_response: StartResponse,
    status: int,
    headers: Iterable[tuple[str, str]],
    body: bytes,
) -> list[bytes]:
    """Answer a WSGI request, with the headers that every answer of the portal has."""
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

"""Requests and responses as doors know them, whatever server is below.

A door is a function that takes a Request and returns a Response. ``portal/addresses.py`` says which door answers where,
``common/wsgi.py`` translates between these types and WSGI.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from http import HTTPStatus
from io import BytesIO
from typing import NamedTuple, Protocol

from django.http import HttpRequest, HttpResponse, QueryDict
from django.middleware.clickjacking import XFrameOptionsMiddleware
from django.middleware.security import SecurityMiddleware

from common.client_address import client_address

#: Should a browser show the answer after all, it loads nothing.
_NOTHING_TO_SHOW = ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")

#: So many of a Content-Length are read.
_DIGITS = 20


class Body(Protocol):
    """A body, read when its door asks for it, so that limits are checked first. A whole one is a ``BytesIO``."""

    def read(self, size: int, /) -> bytes:
        """At most so many bytes, none at the end; OSError where the connection broke."""


class Request(NamedTuple):
    """What was asked for."""

    method: str
    #: Decoded, without the query.
    path: str
    query: str
    #: By names in lower case; there is always a "host".
    headers: Mapping[str, str]
    body: Body
    #: Of the caller, as the last trusted proxy saw it.
    address: str
    #: "http" or "https", as the caller has it.
    scheme: str = "http"

    @property
    def content_length(self) -> int | None:
        """How long the body is, by its header; None where that does not say."""
        length = self.headers.get("content-length", "")
        # Python reads no number of thousands of digits. One that is cut off here is still longer than any limit.
        return int(length.lstrip("0")[:_DIGITS] or 0) if length.isdecimal() else None


class Response(NamedTuple):
    """What is answered."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes = b""


def from_django(request: HttpRequest) -> Request:
    """A request that Django has read the head of, and not the body."""
    headers = {name.lower(): value for name, value in request.headers.items()}
    headers.setdefault("host", request.META.get("SERVER_NAME", ""))
    return Request(
        request.method or "",
        request.path_info,
        request.META.get("QUERY_STRING", ""),
        headers,
        request,
        client_address(request),
        request.scheme or "http",
    )


def as_django(response: Response) -> HttpResponse:
    """A door's response, where Django asked the door."""
    return HttpResponse(response.body, status=response.status, headers=dict(response.headers))


class Form(HttpRequest):
    """What Django needs of a request to read its form; the parameters of its address are in ``GET``."""

    def __init__(self, request: Request, body: bytes) -> None:
        super().__init__()
        self.method = "POST"
        self.META = {"CONTENT_TYPE": request.headers.get("content-type", ""), "CONTENT_LENGTH": str(len(body))}
        self._set_content_type_params(self.META)  # type: ignore[attr-defined]  # as Django's own requests do
        self._stream = BytesIO(body)
        self._read_started = False
        self.GET = QueryDict(request.query, encoding=self.encoding)

    def read_fields(self) -> QueryDict:
        """The fields of the body; raises what Django raises for a form that it cannot or will not read."""
        self._load_post_and_files()
        fields: QueryDict = self._post  # type: ignore[attr-defined]
        return fields


def check_host(request: Request) -> None:
    """DisallowedHost unless the request is for a host of ALLOWED_HOSTS, as Django checks it."""
    _ForHost(request.headers.get("host", "")).get_host()


class _ForHost(HttpRequest):
    """A request of which the host alone is known; all else that Django's has would take longer than the check."""

    def __init__(self, host: str) -> None:
        self.META = {"HTTP_HOST": host}


@cache
def security_headers(scheme: str) -> list[tuple[str, str]]:
    """What Django's own middleware adds to every answer, by the same settings."""
    request = _Asked(scheme)
    response = HttpResponse()
    del response.headers["Content-Type"]
    for middleware in (SecurityMiddleware, XFrameOptionsMiddleware):
        # Of the answer alone: the way to https is for those who ask for pages.
        middleware(lambda _: response).process_response(request, response)
    return [*response.items(), _NOTHING_TO_SHOW]


def all_headers(response: Response, scheme: str) -> list[tuple[str, str]]:
    """A response's own, those of every answer, and its length; that a file has not changed (304) has none to tell."""
    length = [] if response.status == HTTPStatus.NOT_MODIFIED else [("Content-Length", str(len(response.body)))]
    return [*response.headers, *security_headers(scheme), *length]


class _Asked(HttpRequest):
    """A request of a scheme, of which nothing else is known."""

    def __init__(self, scheme: str) -> None:
        super().__init__()
        self.method = "POST"
        self._scheme = scheme

    def _get_scheme(self) -> str:
        return self._scheme

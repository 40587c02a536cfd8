"""WSGI's side of the house: nothing else knows what it calls things.

Doors take a ``Request`` and return a ``Response`` (common/http.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from http import HTTPStatus
from ipaddress import ip_network
from typing import TYPE_CHECKING

from django.core.handlers.wsgi import LimitedStream

from common.client_address import caller_behind_proxies
from common.http import Request, Response, security_headers
from common.lending import Lender

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_STATUS_LINES = {status.value: f"{status.value} {status.phrase}" for status in HTTPStatus}


def read_request(environ: WSGIEnvironment) -> Request:
    """The request, with its body unread."""
    headers = {name: value for key, value in environ.items() if (name := _NAMES[key])}
    headers.setdefault("host", environ["SERVER_NAME"])  # a request of HTTP/1.0 names none
    body = environ["wsgi.input"]
    # A server that marks the end itself can be read without a Content-Length, which a body sent in chunks has not.
    if not environ.get("wsgi.input_terminated"):
        length = environ.get("CONTENT_LENGTH", "")
        body = LimitedStream(body, int(length) if length.isdecimal() else 0)
    return Request(
        environ["REQUEST_METHOD"],
        environ["PATH_INFO"],
        environ.get("QUERY_STRING", ""),
        headers,
        body,
        str(environ.get("REMOTE_ADDR") or "unknown"),
        environ["wsgi.url_scheme"],
    )


class _HeaderNames(dict[str, str]):
    """The names of headers by WSGI's names for them; empty for its other variables."""

    def __missing__(self, key: str) -> str:
        name = key[len("HTTP_") :].replace("_", "-").lower() if key.startswith("HTTP_") else ""
        if len(self) < _MOST_NAMES:
            self[key] = name
        return name


#: Callers choose names.
_MOST_NAMES = 1_000
_NAMES = _HeaderNames(
    CONTENT_TYPE="content-type",
    CONTENT_LENGTH="content-length",
    # What a caller named with an underscore, to be taken for the server's own.
    HTTP_CONTENT_TYPE="",
    HTTP_CONTENT_LENGTH="",
)


def send(response: Response, scheme: str, start_response: StartResponse) -> list[bytes]:
    """Send a door's response, with the headers that every answer of the portal has."""
    status, headers, body = response
    safe = security_headers(scheme)
    start_response(_STATUS_LINES[status], [*headers, *safe, ("Content-Length", str(len(body)))])
    return [body]


def behind_proxies(application: WSGIApplication, trusted: list[str]) -> WSGIApplication:
    """The application, which sees the caller and the scheme that a proxy of ``trusted`` has seen."""
    if not trusted:
        return application
    networks = [ip_network(network) for network in trusted]

    def application_behind_proxies(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        proxy, forwarded_for = environ.get("REMOTE_ADDR", ""), environ.get("HTTP_X_FORWARDED_FOR", "")
        caller = caller_behind_proxies(proxy, forwarded_for, networks)
        if caller is not None:
            environ["REMOTE_ADDR"] = caller
            if environ.get("HTTP_X_FORWARDED_PROTO") in ("http", "https"):
                environ["wsgi.url_scheme"] = environ["HTTP_X_FORWARDED_PROTO"]
        return application(environ, start_response)

    return application_behind_proxies


def with_lent_connections(application: WSGIApplication, lender: Lender) -> WSGIApplication:
    """The application, each of whose requests has a connection of the lender's until its answer is complete."""

    def lent(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        lender.take()
        try:
            answer = application(environ, start_response)
        except BaseException:
            lender.give_back()
            raise
        if isinstance(answer, list):
            lender.give_back()
            return answer
        return _Lent(answer, lender)

    return lent


class _Lent:
    """An answer that may still read from the database; the server says when it is complete."""

    def __init__(self, parts: Iterable[bytes], lender: Lender) -> None:
        self._parts = parts
        self._lender = lender

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._parts)

    def close(self) -> None:
        try:
            if close := getattr(self._parts, "close", None):
                close()
        finally:
            self._lender.give_back()

"""WSGI's side of the house: nothing else knows what it calls things.

Doors take a ``Request`` and return a ``Response`` (common/http.py).
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from http import HTTPStatus
from ipaddress import ip_network
from typing import IO, TYPE_CHECKING, Any, NamedTuple

from django.core.handlers.wsgi import LimitedStream

from common.client_address import caller_behind_proxies
from common.http import Request, Response, all_headers
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
        _read_text(environ["PATH_INFO"]),
        _read_text(environ.get("QUERY_STRING", "")),
        headers,
        body,
        str(environ.get("REMOTE_ADDR") or "unknown"),
        environ["wsgi.url_scheme"],
    )


def _read_text(text: str) -> str:
    """WSGI writes each byte as a character."""
    return text if text.isascii() else text.encode("latin-1").decode(errors="replace")


def _write_text(text: str) -> str:
    return text if text.isascii() else text.encode().decode("latin-1")


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
    start_response(_STATUS_LINES[response.status], all_headers(response, scheme))
    return [response.body]


class FileToSend(NamedTuple):
    """A file that an application answers with (``wsgi.file_wrapper``): the server can send it by itself."""

    file: IO[bytes]
    block_size: int = 0


class Answered(NamedTuple):
    """What an application answers, and the parts of its body as they come."""

    status: int
    headers: list[tuple[str, str]]
    parts: Iterable[bytes] | FileToSend


def ask(
    application: WSGIApplication,
    request: Request,
    server: tuple[str, str],
    protocol: str,
    further: Mapping[str, Any] | None = None,
) -> Answered:
    """Ask an application; ``server`` is the name and the port that the request came to.

    ``further`` is what the application finds in the environment besides WSGI's own variables.
    """
    environ: dict[str, Any] = {
        **(further or {}),
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": _write_text(request.path),
        "QUERY_STRING": _write_text(request.query),
        "SERVER_NAME": server[0],
        "SERVER_PORT": server[1],
        "SERVER_PROTOCOL": protocol,
        "REMOTE_ADDR": request.address,
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": request.scheme,
        "wsgi.input": request.body,
        "wsgi.input_terminated": True,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
        "wsgi.file_wrapper": FileToSend,
    }
    for name, value in request.headers.items():
        key = name.upper().replace("-", "_")
        environ[key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"] = value
    started: list[Any] = []

    def start_response(*start: Any) -> Any:
        started[:] = start

    parts: Any = application(environ, start_response)
    return Answered(int(started[0][:3]), started[1], parts)


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

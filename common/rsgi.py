"""RSGI's side of the house: granian's own interface, where a request needs no thread until its body is there.

Doors take a ``Request`` and return a ``Response`` (common/http.py).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from io import BytesIO
from typing import Protocol

from common.client_address import Network, caller_behind_proxies
from common.http import Request, Response, all_headers

_NOTHING = BytesIO()
#: Of these, the first that was sent holds.
_ONE_VALUE = ("content-type", "content-length")

CLOSE = ("Connection", "close")

Fields = list[tuple[str, str]]


class Headers(Protocol):
    """Those of a request."""

    def items(self) -> Fields:
        """All but those whose value is not ASCII."""

    def keys(self) -> list[str]:
        """Each name once."""

    def __len__(self) -> int: ...


class Scope(Protocol):
    """The head of a request."""

    http_version: str
    #: Address and port, of this end and of the other.
    server: str
    client: str
    scheme: str
    method: str
    #: Decoded; what is no UTF-8 is replaced.
    path: str
    query_string: str
    #: Where the request's target is a whole address.
    authority: str | None

    @property
    def headers(self) -> Headers: ...


class Exchange(Protocol):
    """A request's body, part by part, and its response."""

    def __aiter__(self) -> AsyncIterator[bytes]: ...

    def response_bytes(self, status: int, headers: Fields, body: bytes) -> None: ...

    def response_file(self, status: int, headers: Fields, file: str) -> None: ...


class LastExchange:
    """An exchange whose answer says that the connection closes after it."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    def __aiter__(self) -> AsyncIterator[bytes]:
        return aiter(self._exchange)

    def response_bytes(self, status: int, headers: Fields, body: bytes) -> None:
        """Answer from memory."""
        self._exchange.response_bytes(status, _closing(headers), body)

    def response_file(self, status: int, headers: Fields, file: str) -> None:
        """Answer from a file."""
        self._exchange.response_file(status, _closing(headers), file)


def _closing(headers: Fields) -> Fields:
    return headers if CLOSE in headers else [*headers, CLOSE]


def read_head(scope: Scope, trusted: Sequence[Network]) -> Request:
    """The request without its body; a proxy of ``trusted`` is believed what it says of caller and scheme."""
    headers = _headers(scope)
    address, scheme = scope.client.rpartition(":")[0].strip("[]"), scope.scheme
    if trusted:
        caller = caller_behind_proxies(address, headers.get("x-forwarded-for", ""), trusted)
        if caller is not None:
            address = caller
            if headers.get("x-forwarded-proto") in ("http", "https"):
                scheme = headers["x-forwarded-proto"]
    return Request(scope.method, scope.path, scope.query_string, headers, _NOTHING, address, scheme)


def _headers(scope: Scope) -> dict[str, str]:
    """By name: what was sent several times is joined; a value that is not ASCII counts as empty, as it does with WSGI.

    Names with an underscore are left out: they could be taken for those with a hyphen.
    """
    found: dict[str, str] = {}
    for name, value in scope.headers.items():
        if name not in found:
            if "_" not in name:
                found[name] = value
        elif name not in _ONE_VALUE:
            found[name] += (";" if name == "cookie" else ",") + value
    if "host" not in found:
        found["host"] = scope.authority or ""
    if len(found) < len(scope.headers):
        found |= {name: "" for name in scope.headers.keys() if name not in found and "_" not in name}  # noqa: SIM118
    return found


def has_body(request: Request) -> bool:
    """Does the request have a body? One of two headers says so (RFC 9112, section 6)."""
    return bool(request.content_length) or "transfer-encoding" in request.headers


def send(exchange: Exchange, response: Response, scheme: str) -> None:
    """Send a door's response, with the headers that every answer of the portal has."""
    exchange.response_bytes(response.status, all_headers(response, scheme), response.body)

"""The server's application in the test's own thread: what granian would be told, without granian, loop or threads."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast
from urllib.parse import unquote_to_bytes

from django.core.signals import request_finished, request_started
from django.db import close_old_connections

from common.rsgi import Fields
from portal.rsgi import Portal


@dataclass(frozen=True)
class Answer:
    """What a client gets."""

    status: int
    headers: Fields
    body: bytes

    def header(self, name: str) -> str:
        return {key.lower(): value for key, value in self.headers}.get(name.lower(), "")


class HeaderMap:
    """The headers of a request, as granian gives them: values that are not ASCII are among the names alone."""

    def __init__(self, fields: Fields) -> None:
        self._fields = [(name.lower(), value) for name, value in fields]

    def items(self) -> Fields:
        return [(name, value) for name, value in self._fields if value.isascii()]

    def keys(self) -> list[str]:
        return list(dict.fromkeys(name for name, _ in self._fields))

    def __len__(self) -> int:
        return len(self.keys())


@dataclass
class Head:
    """A scope."""

    method: str
    path: str
    query_string: str
    headers: HeaderMap
    client: str = "127.0.0.1:50000"
    scheme: str = "http"
    authority: str | None = None
    server: str = "127.0.0.1:8000"
    http_version: str = "1.1"


@dataclass
class Wire:
    """An exchange: parts that have arrived, and the answer."""

    parts: Sequence[bytes]
    answer: Answer | None = None
    files: list[str] = field(default_factory=list)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for part in self.parts:
            yield part

    def response_bytes(self, status: int, headers: Fields, body: bytes) -> None:
        assert self.answer is None, "answered twice"
        self.answer = Answer(status, headers, body)

    def response_file(self, status: int, headers: Fields, file: str) -> None:
        self.files.append(file)
        self.response_bytes(status, headers, Path(file).read_bytes())


class Now(Awaitable[Any]):
    """An answer that is there already."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer

    def __await__(self) -> Generator[Any, None, Any]:
        yield from ()
        return self.answer


class Inline:
    """A lane without threads."""

    def __init__(self, work: Callable[[Sequence[Any]], Sequence[Any]]) -> None:
        self._work = work

    def ask(self, question: Any, size: int = 0) -> Now:
        return Now(self._work([question])[0])


def portal() -> Portal:
    """The application, by the settings of the moment; it works with the test's own connection."""
    made = Portal(cast(Any, nullcontext()))
    made._events = cast(Any, Inline(made._answer_events))
    made._checks = made._others = cast(Any, Inline(made._answer_one))
    return made


@contextmanager
def connection_kept() -> Iterator[None]:
    """A request ends the connection to the database, and the test's transaction with it; as Django's own client."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    try:
        yield
    finally:
        for signal in signals:
            signal.connect(close_old_connections)


def serve(head: Head, wire: Wire, application: Portal | None = None) -> Answer:
    """The answer to a request that has arrived."""
    try:
        with connection_kept():
            (application or portal()).__rsgi__(head, wire).send(None)
    except StopIteration:
        assert wire.answer is not None, "not answered"
        return wire.answer
    raise AssertionError("waits for more")


def ask(
    method: str, target: str, body: bytes = b"", headers: Fields | None = None, *, size: int = 7_000, **head: Any
) -> Answer:
    """Send a request, its body in parts of a size; a body has its length, unless it says that it comes in chunks."""
    path, _, query = target.partition("?")
    fields = [("Host", "localhost"), *(headers or [])] if not _has("host", headers) else list(headers or [])
    if body and not _has("transfer-encoding", headers) and not _has("content-length", headers):
        fields.append(("Content-Length", str(len(body))))
    decoded = unquote_to_bytes(path).decode(errors="replace")
    parts = [body[start : start + size] for start in range(0, len(body), size)]
    return serve(Head(method, decoded, query, HeaderMap(fields), **head), Wire(parts))


def _has(name: str, headers: Fields | None) -> bool:
    return any(key.lower() == name for key, _ in headers or [])


def ask_as(environ: dict[str, Any]) -> Answer:
    """Send a request of Django's factory, whose path is decoded already."""
    fields = [
        (name.removeprefix("HTTP_").replace("_", "-"), str(value))
        for name, value in environ.items()
        if name.startswith("HTTP_") or name in ("CONTENT_TYPE", "CONTENT_LENGTH")
        if value or name.startswith("HTTP_")
    ]
    if not _has("host", fields):
        fields.append(("Host", environ["SERVER_NAME"]))
    if environ.get("wsgi.input_terminated") and not environ.get("CONTENT_LENGTH"):
        fields.append(("Transfer-Encoding", "chunked"))
    body = environ["wsgi.input"].read()
    address = environ["REMOTE_ADDR"]
    head = Head(
        environ["REQUEST_METHOD"],
        environ["PATH_INFO"],
        environ.get("QUERY_STRING", ""),
        HeaderMap([(name, value) for name, value in fields if name != "COOKIE" or value]),
        client=f"[{address}]:5" if ":" in address else f"{address}:5",
        scheme=environ["wsgi.url_scheme"],
    )
    return serve(head, Wire([body] if body else []))

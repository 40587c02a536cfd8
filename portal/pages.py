"""What Django answers, as the server sends it: from memory or from a file. A slow reader costs no thread."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import IO, TYPE_CHECKING, Any

from common.http import Request
from common.rsgi import Exchange
from common.wsgi import FileToSend, ask

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

#: What is longer is kept in a file until its reader has it.
KEPT_IN_MEMORY = 1_048_576
#: After this the server has opened what it is to send.
OPENED_SECONDS = 10
_BLOCK = 65_536
Headers = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class RenderedPage:
    """An answer of Django's that is kept in memory. Nothing is added to its headers but the length."""

    status: int
    headers: Headers
    body: bytes

    async def send(self, exchange: Exchange) -> None:
        """Send it; the server adds the length where it is missing."""
        exchange.response_bytes(self.status, self.headers, self.body)


@dataclass(frozen=True, slots=True)
class SentFile:
    """An answer whose body the server reads from a file."""

    status: int
    headers: Headers
    path: str
    #: The file, where it is of this answer alone: it has no name, and is gone when nobody has it open.
    file: IO[bytes] | None = None

    async def send(self, exchange: Exchange) -> None:
        """Send it; a file without a name is closed once the server has opened it."""
        exchange.response_file(self.status, self.headers, self.path)
        if self.file is not None:
            # The server does not say when it has; it does at once.
            asyncio.get_running_loop().call_later(OPENED_SECONDS, self.file.close)


def answer_page(
    application: WSGIApplication,
    request: Request,
    server: tuple[str, str],
    protocol: str,
    further: Mapping[str, Any] | None = None,
) -> RenderedPage | SentFile:
    """Django's answer, complete: what it reads from the database it has read."""
    status, headers, parts = ask(application, request, server, protocol, further)
    body = parts.file if isinstance(parts, FileToSend) else parts
    try:
        if isinstance(parts, FileToSend):
            if isinstance(path := getattr(parts.file, "name", None), str):
                return SentFile(status, headers, path)
            return _complete(status, headers, iter(lambda: parts.file.read(_BLOCK), b""))
        return _complete(status, headers, iter(parts))
    finally:
        if close := getattr(body, "close", None):
            close()


def _complete(status: int, headers: Headers, parts: Iterator[bytes]) -> RenderedPage | SentFile:
    kept: list[bytes] = []
    size = 0
    for part in parts:
        kept.append(part)
        size += len(part)
        if size > KEPT_IN_MEMORY:
            return _in_a_file(status, headers, chain(kept, parts))
    return RenderedPage(status, headers, b"".join(kept))


def _in_a_file(status: int, headers: Headers, parts: Iterable[bytes]) -> SentFile:
    file = tempfile.TemporaryFile()  # noqa: SIM115  # closed once it is sent
    try:
        file.writelines(parts)
        size = file.tell()
        file.seek(0)
    except BaseException:
        file.close()
        raise
    others = [(name, value) for name, value in headers if name.lower() != "content-length"]
    return SentFile(status, [*others, ("Content-Length", str(size))], f"/dev/fd/{file.fileno()}", file)

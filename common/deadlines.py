"""An end for a whole request: httpx limits the wait for each part of an answer, so that dripping bytes never end it."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import httpcore
import httpx


class _Deadline(threading.local):
    at: float = math.inf


_deadline = _Deadline()


@contextmanager
def ends_after(seconds: float) -> Iterator[None]:
    """Give what this thread asks of a ``DeadlineTransport`` no more than these seconds, connecting included."""
    _deadline.at = time.monotonic() + seconds
    try:
        yield
    finally:
        _deadline.at = math.inf


def seconds_left(timeout: float | None, too_late: type[Exception]) -> float:
    """What this thread has left of ``timeout``; ``too_late`` where that is nothing."""
    left = _deadline.at - time.monotonic()
    if left <= 0:
        raise too_late("The request took too long.")
    return left if timeout is None else min(timeout, left)


class DeadlineTransport(httpx.HTTPTransport):
    """httpx's transport over sockets that know the deadline."""

    def __init__(self, limits: httpx.Limits, backend: httpcore.NetworkBackend | None = None) -> None:
        super().__init__(limits=limits)
        self._pool = httpcore.ConnectionPool(
            ssl_context=httpx.create_ssl_context(),
            max_connections=limits.max_connections,
            max_keepalive_connections=limits.max_keepalive_connections,
            keepalive_expiry=limits.keepalive_expiry,
            network_backend=backend or DeadlineBackend(),
        )


class DeadlineBackend(httpcore.SyncBackend):
    """Connections that end with the deadline."""

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        timeout = seconds_left(timeout, httpcore.ConnectTimeout)
        return _Stream(super().connect_tcp(host, port, timeout, local_address, socket_options))


class _Stream(httpcore.NetworkStream):
    def __init__(self, stream: httpcore.NetworkStream) -> None:
        self._stream = stream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, seconds_left(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """In pieces: a peer that reads slowly must not hold one long write beyond the deadline."""
        socket = self._stream.get_extra_info("socket")
        rest = memoryview(buffer)
        while rest:
            socket.settimeout(seconds_left(timeout, httpcore.WriteTimeout))
            try:
                rest = rest[socket.send(rest) :]
            except TimeoutError as error:
                raise httpcore.WriteTimeout(str(error)) from error
            except OSError as error:
                raise httpcore.WriteError(str(error)) from error

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: Any, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        timeout = seconds_left(timeout, httpcore.ConnectTimeout)
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, timeout))

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)

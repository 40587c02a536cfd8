"""The end of a web process: what is whole is answered, late bodies and slow readers are waited for a few seconds.

The server knows no limit of time for the reading of an answer. One reader that takes nothing would keep the process
until it is killed, and what a process does at its end would not be done.
"""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

#: A process that is asked to stop waits so long for those who read answers.
READERS_SECONDS = 5.0
LOOK_SECONDS = 0.5


def also_when_stopped(loop: asyncio.AbstractEventLoop, work: Callable[[], None]) -> None:
    """Do the work when the process is asked to stop. Granian's own handler stays: the loop calls it."""
    before: Any = signal.getsignal(signal.SIGTERM)

    def handle(signum: int, frame: Any) -> None:
        loop.call_soon_threadsafe(work)
        if callable(before):
            before(signum, frame)

    signal.signal(signal.SIGTERM, handle)


def cut_off_readers(loop: asyncio.AbstractEventLoop, port: int, is_answering: Callable[[], bool]) -> None:
    """Close the connections at the port after READERS_SECONDS, once every request is answered."""

    def close() -> None:
        if is_answering():
            loop.call_later(LOOK_SECONDS, close)
        else:
            _close_connections(port)

    loop.call_later(READERS_SECONDS, close)


def _close_connections(port: int) -> None:
    """Close what callers have open at the port; the socket that listens belongs to other processes, too."""
    for file in Path("/dev/fd").iterdir():
        with suppress(OSError):  # no socket, or none that is connected
            connection = socket.socket(fileno=int(file.name))
            try:
                if connection.getpeername() and connection.getsockname()[1] == port:
                    connection.shutdown(socket.SHUT_RDWR)
            finally:
                connection.detach()  # the server closes it

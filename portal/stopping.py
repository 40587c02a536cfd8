"""The end of a web process: what is whole is answered, late bodies and slow readers are waited for a few seconds.

A connection that a caller keeps is not closed under his hands: where it is in use, its next answer says that it is the
last. Closed at once, it could cross with the next request, which would get no answer.

The server knows no limit of time for the reading of an answer. One reader that takes nothing would keep the process
until it is killed, and what a process does at its end would not be done.
"""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

#: A process that is asked to stop goes on for so long, where somebody is connected.
LAST_ANSWERS_SECONDS = 2.0
#: It waits so long for those who read answers.
READERS_SECONDS = 5.0
LOOK_SECONDS = 0.5


def work_before_the_end(loop: asyncio.AbstractEventLoop, port: int, work: Callable[[], None]) -> None:
    """On SIGTERM, do the work, and let granian stop once those who are connected know.

    Granian stops on SIGINT, too, which was blocked until then.
    """

    def begin() -> None:
        work()
        loop.call_later(LAST_ANSWERS_SECONDS if any(_connections(port)) else 0, end)

    def end() -> None:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
        signal.raise_signal(signal.SIGINT)

    loop.add_signal_handler(signal.SIGTERM, begin)


def cut_off_readers(loop: asyncio.AbstractEventLoop, port: int, is_answering: Callable[[], bool]) -> None:
    """Close the connections at the port after READERS_SECONDS, once every request is answered."""

    def close() -> None:
        if is_answering():
            loop.call_later(LOOK_SECONDS, close)
        else:
            _close_connections(port)

    loop.call_later(READERS_SECONDS, close)


def _close_connections(port: int) -> None:
    for connection in _connections(port):
        connection.shutdown(socket.SHUT_RDWR)


def _connections(port: int) -> Iterator[socket.socket]:
    """What callers have open at the port; the socket that listens belongs to other processes, too."""
    for file in Path("/dev/fd").iterdir():
        with suppress(OSError):  # no socket, or none that is connected
            connection = socket.socket(fileno=int(file.name))
            try:
                if connection.getpeername() and connection.getsockname()[1] == port:
                    yield connection
            finally:
                connection.detach()  # the server closes it

"""Reads end once READ_TIMEOUT_SECONDS are over, all statements of a request together (docs/decisions/0021).

The server's own time-out is not used. Outside of transactions it belongs to the connection, and a pooler that shares
connections between transactions hands it on to workers and migrations, or does not know it. To begin a transaction for
each read would take as long as the read. So a thread of ours cancels what runs too long, as ctrl-C in psql does. That
passes every pooler and costs a read nothing; SQLite is interrupted in the same way.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connections

from common.errors import TimedOut

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper

logger = logging.getLogger(__name__)

#: The thread looks once in this time, or in a tenth of the time-out if that is shorter. A statement may exceed the
#: time-out by as much.
LOOK_SECONDS = 1.0
#: For the server to take the request to cancel.
_CANCEL_SECONDS = 2.0


class _Read:
    """A thread's reading until a moment."""

    def __init__(self, database: BaseDatabaseWrapper, seconds: float) -> None:
        self.database = database
        self.until = time.monotonic() + seconds
        self.is_over = False
        # Held while the statement is cancelled: once a read is over, nothing on its connection is.
        self.lock = threading.Lock()

    def cancel(self) -> None:
        """End the statement that runs, if one does."""
        with self.lock:
            raw = self.database.connection
            if self.is_over or raw is None:
                return
            if isinstance(raw, sqlite3.Connection):
                raw.interrupt()
            else:
                raw.cancel_safe(timeout=_CANCEL_SECONDS)


class _Watch(threading.local):
    read: _Read | None = None


_mine = _Watch()
_reads: set[_Read] = set()
_starting = threading.Lock()
_thread: threading.Thread | None = None


@contextmanager
def limited_reads(seconds: float | None = None) -> Iterator[None]:
    """What this thread reads in the block ends in TimedOut, or in the database's error, when its time is over.

    Its time is READ_TIMEOUT_SECONDS, or the ``seconds`` that are left of them; where that is 0, there is no limit.
    """
    if seconds is None:
        seconds = settings.READ_TIMEOUT_SECONDS
    if not settings.READ_TIMEOUT_SECONDS or _mine.read:
        yield
        return
    _start_thread()
    read = _mine.read = _Read(connections[DEFAULT_DB_ALIAS], seconds)
    _reads.add(read)
    try:
        yield
    finally:
        _reads.discard(read)
        _mine.read = None
        with read.lock:
            read.is_over = True


def is_over() -> bool:
    """Has this thread read for too long?"""
    read = _mine.read
    return read is not None and time.monotonic() >= read.until


def refuse_if_over() -> None:
    """TimedOut where this thread has read for too long: nothing further is begun."""
    if is_over():
        raise TimedOut


@contextmanager
def reads_at(database: BaseDatabaseWrapper) -> Iterator[None]:
    """What this thread reads in the block, it reads through this connection: that is where it is ended."""
    read = _mine.read
    if read is None:
        yield
        return
    with read.lock:
        before, read.database = read.database, database
    try:
        yield
    finally:
        with read.lock:
            read.database = before


def _start_thread() -> None:
    global _thread  # noqa: PLW0603  # one for the process
    if _thread is None or not _thread.is_alive():  # as after a fork
        with _starting:
            if _thread is None or not _thread.is_alive():
                _thread = threading.Thread(target=_look, name="read time-out", daemon=True)
                _thread.start()


def _look() -> None:
    while True:
        time.sleep(min(LOOK_SECONDS, (settings.READ_TIMEOUT_SECONDS or LOOK_SECONDS) / 10))
        now = time.monotonic()
        for read in _reads.copy():  # one step of the interpreter: no other thread comes in between
            if read.until <= now:
                _cancel(read)


def _cancel(read: _Read) -> None:
    try:
        read.cancel()
    except Exception:  # the server may be away: the read has noticed, or will
        logger.warning("A read that takes too long could not be cancelled.", exc_info=True)

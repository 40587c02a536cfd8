"""Database connections for a web server whose threads come and go.

The server ends a thread that has nothing to do, and Django keeps a connection for each thread. Nothing may happen when
such a thread ends: Python did not start it, and closing a SQLite connection there ends the process
(docs/decisions/0015). So no thread owns a connection. A request takes one and gives it back when its answer is
complete; what nobody has used for a while, a thread of our own closes.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING

from django.db import DEFAULT_DB_ALIAS, connections

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper

logger = logging.getLogger(__name__)


class Lender:
    """Connections that no request has at the moment, the one used last on the right."""

    def __init__(self, idle_seconds: float) -> None:
        self.idle_seconds = idle_seconds
        # What is taken out of it belongs to whoever took it: a deque's methods need no lock.
        self._idle: deque[tuple[float, BaseDatabaseWrapper]] = deque()

    def __len__(self) -> int:
        return len(self._idle)

    def take(self) -> None:
        """Let this thread work with a connection that nobody has; the one used last, so that others may be closed."""
        try:
            _, ours = self._idle.pop()
        except IndexError:
            ours = connections.create_connection(DEFAULT_DB_ALIAS)
            ours.inc_thread_sharing()  # else Django refuses to use or close it in any other thread
        connections[DEFAULT_DB_ALIAS] = ours

    def give_back(self) -> None:
        """This thread is done with its connection."""
        ours = connections[DEFAULT_DB_ALIAS]
        del connections[DEFAULT_DB_ALIAS]
        self._idle.append((time.monotonic(), ours))

    def __enter__(self) -> None:
        self.take()

    def __exit__(self, *exc: object) -> None:
        self.give_back()

    def close_idle(self) -> None:
        """Close what nobody has used for ``idle_seconds``."""
        with suppress(IndexError):  # until there is nothing left
            while True:
                since, ours = self._idle.popleft()
                if time.monotonic() - since < self.idle_seconds:
                    self._idle.appendleft((since, ours))
                    return
                try:
                    ours.close()
                except Exception:
                    logger.exception("A database connection could not be closed.")

    def close_idle_from_now_on(self) -> None:
        """Start the thread that closes what is idle."""
        threading.Thread(target=self._run, name="idle connections", daemon=True).start()

    def _run(self) -> None:
        while True:
            time.sleep(self.idle_seconds / 2)
            self.close_idle()

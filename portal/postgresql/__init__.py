"""Django's backend for PostgreSQL, whose connections outlive the server's restarts.

Django can ask the server before each use whether a connection is alive (CONN_HEALTH_CHECKS): a round trip for every
request. But a server speaks only when it is spoken to, save when it takes its leave: to look at the socket is enough.
"""

from __future__ import annotations

import select
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from django.db import DEFAULT_DB_ALIAS, connections

if TYPE_CHECKING:
    import psycopg
    from django.db.backends.base.base import BaseDatabaseWrapper


def is_cut_off(raw: psycopg.Connection[Any]) -> bool:
    """Has the server ended the connection, which nobody uses now? Costs no round trip."""
    if raw.closed:
        return True
    socket = select.poll()
    socket.register(raw.fileno(), select.POLLIN)
    return bool(socket.poll(0))


def keep_connection() -> None:
    """Said before a request's work: this thread keeps its connection until it ends, or until the server lets go."""
    if not hasattr(_kept, "until_the_end"):
        _kept.until_the_end = _GivenBack(connections[DEFAULT_DB_ALIAS])
    close_if_cut_off()


_kept = threading.local()


class _GivenBack:
    """Ends with its thread; the web server's threads do, when they idle.

    What Django has of the connection waits for the garbage collector, while the pool counts it as one in use.
    """

    def __init__(self, ours: BaseDatabaseWrapper) -> None:
        self.ours = ours

    def __del__(self) -> None:
        with suppress(Exception):  # the process may be ending, too
            self.ours.close()


def close_if_cut_off() -> None:
    """Let go of this thread's connection if the server has."""
    ours = connections[DEFAULT_DB_ALIAS]
    raw = ours.connection
    if ours.vendor == "postgresql" and raw is not None and not ours.in_atomic_block and is_cut_off(raw):
        raw.close()
        ours.close()

"""Django's backend for PostgreSQL, whose connections outlive the server's restarts.

Django can ask the server before each use whether a connection is alive (CONN_HEALTH_CHECKS): a round trip for every
request. But a server speaks only when it is spoken to, save when it takes its leave: to look at the socket is enough.
"""

from __future__ import annotations

import select
from typing import TYPE_CHECKING, Any

from django.db import DEFAULT_DB_ALIAS, connections

if TYPE_CHECKING:
    import psycopg


def is_cut_off(raw: psycopg.Connection[Any]) -> bool:
    """Has the server ended the connection, which nobody uses now? Costs no round trip."""
    if raw.closed:
        return True
    socket = select.poll()
    socket.register(raw.fileno(), select.POLLIN)
    return bool(socket.poll(0))


def close_if_cut_off() -> None:
    """Let go of this thread's connection if the server has: said before the work of a request that keeps it."""
    ours = connections[DEFAULT_DB_ALIAS]
    raw = ours.connection
    if ours.vendor == "postgresql" and raw is not None and not ours.in_atomic_block and is_cut_off(raw):
        raw.close()
        ours.close()

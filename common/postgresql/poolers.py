"""Poolers, such as PgBouncer, that stand between the portal and PostgreSQL and share its connections."""

from __future__ import annotations

import secrets
from typing import Any

import psycopg


def knows_prepared_statements(connection: psycopg.Connection[Any]) -> bool:
    """Does the pooler bring each statement along that this connection has prepared, whichever server runs it?

    One that does (PgBouncer from 1.21 on, as long as ``max_prepared_statements`` is not 0) gives statements names of
    its own. Of one that passes names on as they are nobody can tell whether it changes servers between transactions.
    """
    name = f"portal_{secrets.token_hex(8)}"
    itself = f"SELECT count(*)::text FROM pg_prepared_statements WHERE name = '{name}'"  # noqa: S608  # nosec B608  # our own
    with connection.transaction():  # on one server
        connection.pgconn.prepare(name.encode(), itself.encode())
        found = connection.pgconn.exec_prepared(name.encode(), []).get_value(0, 0)
        if found == b"0":
            return True
        connection.execute(f"DEALLOCATE {name}".encode())
    return False

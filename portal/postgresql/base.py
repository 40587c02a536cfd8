"""The backend, as Django finds it."""

from __future__ import annotations

from typing import Any

import psycopg
from django.db.backends.postgresql import base
from psycopg_pool import ConnectionPool

from portal.postgresql import is_cut_off


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's, but that it gives no connection which a restart has cut off, and waits for no server that is away."""

    def __init__(self, settings_dict: dict[str, Any], alias: str) -> None:
        if pool := settings_dict["OPTIONS"].get("pool"):
            # Left to itself, the pool tries again after 1, 2, 4 and more seconds; with this, whenever one is asked for.
            pool |= {"reconnect_timeout": 0, "reconnect_failed": _nobody_waits}
        super().__init__(settings_dict, alias)

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """A connection of the pool that the server has not left."""
        found = super().get_new_connection(conn_params)
        while self.pool and is_cut_off(found):
            found.close()
            self.pool.putconn(found)  # which replaces it
            found = super().get_new_connection(conn_params)
        return found


def _nobody_waits(pool: ConnectionPool[Any]) -> None:
    """The server has refused a connection: those who wait for one are told at once.

    The pool has no public way to do so, but to let each of them wait until its time is up.
    """
    with pool._lock:
        waiting = list(pool._waiting)
        pool._waiting.clear()
    for client in waiting:
        client.fail(psycopg.OperationalError("the server takes no connections"))

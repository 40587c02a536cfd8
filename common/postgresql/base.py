"""The backend, as Django finds it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg
from django.db.backends.postgresql import base
from psycopg_pool import ConnectionPool

from common import tracing
from common.postgresql import is_cut_off
from common.postgresql.poolers import knows_prepared_statements
from common.postgresql.prepared import PreparedStatements, are_texts

#: Statements here look rows up. PostgreSQL reckons with disks that turn: with its cost for reading a page out of order
#: it reads whole tables instead of using an index. And what it compiles (JIT) takes longer to compile than to run: the
#: lists below lists of a read model look as if there were millions.
_LOOK_UP = {"jit": "off", "random_page_cost": "1.1"}
#: A host that vanishes without a word has locked rows, for two hours if the server waits for it as Linux would. So it
#: asks after ten seconds of silence, and gives up five seconds later; milliseconds where something is under way.
_VANISHED = {
    "tcp_keepalives_idle": "10",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": "15000",
}
_TOLD = {**_LOOK_UP, **_VANISHED}
#: What the operator has set, wherever that may be, holds. The process that answers tells its number in the same breath.
_TELL = f"""
    SELECT pg_backend_pid(), ARRAY(SELECT set_config(name, value, false)
    FROM (VALUES {", ".join(["(%s, %s)"] * len(_TOLD))}) AS told (name, value)
    JOIN pg_settings USING (name) WHERE source = 'default')
"""  # noqa: S608  # nosec B608  # placeholders


class NoConnectionError(psycopg.OperationalError):
    """The server takes no connection; what it said is in the log, by the pool."""


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's, but that it gives no connection which a restart has cut off, and waits for no server that is away."""

    def __init__(self, settings_dict: dict[str, Any], alias: str) -> None:
        if pool := settings_dict["OPTIONS"].get("pool"):
            # Left to itself, the pool tries again after 1, 2, 4 and more seconds; with this, whenever one is asked for.
            pool |= {"reconnect_timeout": 0, "reconnect_failed": _nobody_waits}
        super().__init__(settings_dict, alias)

    def fetch_prepared(self, query: bytes, params: Sequence[Any]) -> list[bytes]:
        """The only column, which is text (given in UTF-8), of a query with ``$1``, ``$2`` and so on in it.

        The server parses it once a connection, and soon keeps its plan; Django writes values into the SQL at every use.
        """
        self.validate_thread_sharing()
        with self.wrap_database_errors, tracing.statement(query):
            self.ensure_connection()
            self.validate_no_broken_transaction()
            raw = self.connection
            if self.autocommit and raw.prepared and are_texts(params):
                texts: list[bytes] = raw.prepared.fetch(query, params)
                return texts
            # In a transaction psycopg shall prepare nothing: it would let go of everything when that is rolled back.
            rows = psycopg.RawCursor(raw).execute(query, params, prepare=bool(self.autocommit)).fetchall()
            return [text.encode() for (text,) in rows]

    def execute_prepared(self, query: bytes, values: Sequence[bytes | None], formats: Sequence[int]) -> None:
        """Run such a statement that gives no rows; its values are texts, of format 1 bytes of a ``bytea``, or null."""
        self.validate_thread_sharing()
        with self.wrap_database_errors, tracing.statement(query):
            self.ensure_connection()
            self.validate_no_broken_transaction()
            raw = self.connection
            if self.autocommit and raw.prepared:
                raw.prepared.execute(query, values, formats)
                return
            texts = [
                value if binary or value is None else value.decode()
                for value, binary in zip(values, formats, strict=True)
            ]
            psycopg.RawCursor(raw).execute(query, texts, prepare=False)

    def _configure_connection(self, connection: Any) -> bool:
        """Told to a new connection; given when it is made, poolers (PgBouncer) would refuse what they do not know."""
        super()._configure_connection(connection)  # type: ignore[misc]  # which the types do not know
        told = [word for setting in _TOLD.items() for word in setting]
        number, _ = connection.execute(_TELL, told, prepare=False).fetchone()
        # A libpq before 17, which others' builds of psycopg may have, cannot let go of a statement.
        may_prepare = psycopg.capabilities.has_send_close_prepared()
        if number != connection.pgconn.backend_pid:  # a pooler answered when the connection was made
            self.settings_dict["DISABLE_SERVER_SIDE_CURSORS"] = True  # they end with the transaction, or not at all
            if not knows_prepared_statements(connection):
                may_prepare, connection.prepare_threshold = False, None
        connection.prepared = PreparedStatements(connection.pgconn) if may_prepare else None
        return True  # to be committed

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
        client.fail(NoConnectionError("the server takes no connections"))

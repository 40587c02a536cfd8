"""A standby of the database that this thread may read from in the primary's place (docs/decisions/0042).

A moment of the primary is a position in its write-ahead log, in bytes: how far it has written then. A standby that has
replayed up to there shows everything that was committed by then, whatever any clock says.
"""

from __future__ import annotations

import logging
import select
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import Enum
from functools import cache
from typing import Any, NamedTuple

import psycopg
from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, Error, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg.errors import error_from_result
from psycopg.pq import ExecStatus

from common.postgresql.base import DatabaseWrapper
from common.query_timeout import reads_at

logger = logging.getLogger(__name__)

#: Its pool's name; Django's own settings know of one database.
_ALIAS = "replica"
#: The primary is asked once in this time how far it has written.
SAMPLE_SECONDS = 1.0
#: One that has not told within this time how far it has come is away; then it is left alone for a while.
ANSWER_SECONDS = 1.0
AWAY_SECONDS = 5.0

_WRITTEN = "SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::bigint"
#: Which database it is: a standby has its primary's, and no other server has.
_DATABASE = """
    SELECT system_identifier || ' ' || oid FROM pg_control_system(), pg_database WHERE datname = current_database()
"""
#: Nothing of a server that is no standby: one that was promoted may go its own way.
_REPLAYED = f"""
    SELECT pg_wal_lsn_diff(pg_last_wal_replay_lsn(), '0/0')::bigint, ({_DATABASE}) WHERE pg_is_in_recovery()
""".encode()


class Cause(Enum):
    """Why the primary is read from after all."""

    AWAY = "away"
    BEHIND = "behind"
    NO_STANDBY = "no standby"


class NotUsable(Exception):
    """The replica may not be read from now."""

    def __init__(self, cause: Cause) -> None:
        super().__init__(cause.value)
        self.cause = cause


@cache
def replica() -> Replica | None:
    """This process's; None where DATABASE_REPLICA_URL is not set."""
    if settings.DATABASE_REPLICA is None:
        return None
    config = {**connections.settings[DEFAULT_DB_ALIAS], **settings.DATABASE_REPLICA}
    return Replica(config, settings.REPLICA_MAX_LAG_SECONDS)


def written() -> int:
    """How far the primary has written: what has been committed is within."""
    position: int = _ask(_WRITTEN)
    return position


def _ask(sql: str) -> Any:
    """The one value that the primary answers."""
    with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchone()[0]


@contextmanager
def at_primary() -> Iterator[None]:
    """The block reads from the primary, in a page as well: for what is kept in memory, and shown to others later."""
    ours = connections[DEFAULT_DB_ALIAS]
    if not isinstance(ours, _Standby):
        yield
        return
    with _as_default(ours.primary):
        yield


class _Standby(DatabaseWrapper):
    """A connection to the replica, and the one to the primary in whose place it is."""

    primary: BaseDatabaseWrapper


class Replica:
    """The replica, as the threads of this process read from it."""

    def __init__(self, config: dict[str, Any], max_lag: float) -> None:
        self._config = config
        self._primary = _Primary(max_lag)
        self._state = _State()

    def bound(self) -> int:
        """The position that the replica must have replayed: the primary's max_lag seconds ago, or a moment later."""
        return self._primary.position()

    @contextmanager
    def in_place(self, at_least: int) -> Iterator[DatabaseWrapper]:
        """In the block, this thread's default database is the replica; outside of transactions alone.

        Where it has not replayed up to ``at_least``, or does not answer, NotUsable is raised before the block begins.
        """
        ours = self._open(at_least)
        ours.primary = connections[DEFAULT_DB_ALIAS]
        try:
            with _as_default(ours):
                yield ours
        finally:
            with suppress(Error):  # back to the pool, which looks after what is broken
                ours.close()

    def note_away(self, error: BaseException) -> None:
        """It went away while it was read from."""
        self._state.note_away(error)

    def _open(self, at_least: int) -> _Standby:
        if not self._state.may_try():
            raise NotUsable(Cause.AWAY)
        ours = _Standby(self._config, _ALIAS)
        try:
            with ours.wrap_database_errors:
                ours.ensure_connection()
                found = _replayed(ours.connection)
            cause = self._cause(found, at_least)
        except Error as error:
            with suppress(Error):
                ours.close()
            self._state.note_away(error)
            raise NotUsable(Cause.AWAY) from error
        self._state.note_answer(cause)
        if cause:
            ours.close()
            raise NotUsable(cause)
        return ours

    def _cause(self, found: _Found | None, at_least: int) -> Cause | None:
        if found is None or found.database != self._primary.database():
            self._primary.forget_database()
            return Cause.NO_STANDBY
        return Cause.BEHIND if found.position < at_least else None


class _Found(NamedTuple):
    """What a standby tells: how far it has replayed, and which database it is."""

    position: int
    database: str


class _Primary:
    """Which database the primary is, and how far it had written lately."""

    def __init__(self, max_lag: float) -> None:
        self._max_lag = max_lag
        self._database: str | None = None
        self._lock = threading.Lock()
        #: Moments (``time.monotonic``) and positions, the oldest first.
        self._samples: deque[tuple[float, int]] = deque()

    def database(self) -> str:
        """Asked once, and again where the replica is another: the primary may have been replaced."""
        if (database := self._database) is None:
            self._database = database = str(_ask(_DATABASE))
        return database

    def forget_database(self) -> None:
        """Ask anew."""
        self._database = None

    def position(self) -> int:
        """Where it was at the oldest known moment of the last ``max_lag`` seconds; that may be now."""
        now = time.monotonic()
        with self._lock:
            while self._samples and self._samples[0][0] < now - self._max_lag:
                self._samples.popleft()
            if self._samples and now - self._samples[-1][0] < SAMPLE_SECONDS:
                return self._samples[0][1]
        position = written()
        with self._lock:
            self._samples.append((now, position))
            return self._samples[0][1]


class _State:
    """Does the replica answer, and is it of use? A line in the log for each change, however many pages are read."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._away_until = 0.0
        self._cause: Cause | None = None

    def may_try(self) -> bool:
        """True unless it is away. Once the pause is over, one page tries it, and another pause begins for the rest."""
        now = time.monotonic()
        with self._lock:
            if now < self._away_until:
                return False
            if self._cause is Cause.AWAY:
                self._away_until = now + AWAY_SECONDS
            return True

    def note_away(self, error: BaseException) -> None:
        """It did not answer."""
        with self._lock:
            self._away_until = time.monotonic() + AWAY_SECONDS
        self._change(Cause.AWAY, type(error.__cause__ or error).__name__)

    def note_answer(self, cause: Cause | None) -> None:
        """It answered: it is of use, or, for this reason, not."""
        with self._lock:
            self._away_until = 0.0
        self._change(cause, "")

    def _change(self, cause: Cause | None, error: str) -> None:
        with self._lock:
            if cause is self._cause:
                return
            before, self._cause = self._cause, cause
        if cause is Cause.BEHIND or (cause is None and before is Cause.BEHIND):
            return  # a person's own change is enough for that; the metrics count it
        if cause is None:
            logger.info("The replica answers again: pages are read from it.")
        else:
            logger.warning("Pages are read from the primary, the replica is %s. %s", cause.value, error)


@contextmanager
def _as_default(ours: BaseDatabaseWrapper) -> Iterator[None]:
    before = connections[DEFAULT_DB_ALIAS]
    connections[DEFAULT_DB_ALIAS] = ours
    try:
        with reads_at(ours):
            yield
    finally:
        connections[DEFAULT_DB_ALIAS] = before


def _replayed(raw: psycopg.Connection[Any]) -> _Found | None:
    """What a standby tells; None where the server is none. It has ANSWER_SECONDS to tell.

    A server that is frozen takes no request to cancel either: so its socket is watched.
    """
    until = time.monotonic() + ANSWER_SECONDS
    socket = select.poll()
    socket.register(raw.pgconn.socket, select.POLLIN)
    raw.pgconn.send_query(_REPLAYED)
    last = None
    while True:
        while raw.pgconn.is_busy():
            if not socket.poll(max(0.0, until - time.monotonic()) * 1_000):
                raw.close()
                raise psycopg.OperationalError("the replica does not answer")
            raw.pgconn.consume_input()
        result = raw.pgconn.get_result()
        if result is None:
            break
        last = result
    if last is None or last.status != ExecStatus.TUPLES_OK:
        raise error_from_result(last) if last else psycopg.OperationalError("the replica has gone")
    if not last.ntuples:
        return None
    position, database = (last.get_value(0, column) or b"" for column in (0, 1))
    return _Found(int(position or 0), database.decode())

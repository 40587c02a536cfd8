"""Writing rows of the outbox: requests that come at the same time share a statement, and so a commit."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from django.db import DEFAULT_DB_ALIAS, IntegrityError, InterfaceError, OperationalError, connections
from django.utils import timezone

from common.postgresql.base import DatabaseWrapper
from common.postgresql.prepared import numbered
from events.models import OutboxRow, Road

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper

_INSERT = f"""
    INSERT INTO {OutboxRow._meta.db_table}
        (pixel_id, intake, event_count, options, body, road, received_at, counted) VALUES
"""  # noqa: S608  # nosec B608  # the table's name is a constant
_ROW = "(%s, %s, %s, %s, %s, %s, %s, %s)"
#: On PostgreSQL the body goes as it is; bound by Django, it would be sent as hexadecimal text, twice as long.
_FORMATS = (0, 0, 0, 0, 1, 0, 0, 0)


class NewRow(NamedTuple):
    """What a request has brought."""

    pixel_pk: int
    intake: int
    event_count: int
    options: str
    body: bytes
    road: int = Road.SERVER.value


class GroupCommit:
    """Of the threads that have a row to write, one writes for all; those that come meanwhile are the next group.

    Nobody waits for others to come: who finds nobody writing writes at once.
    """

    def __init__(self, insert: Callable[[Sequence[NewRow]], None]) -> None:
        self._insert = insert
        self._lock = threading.Lock()
        self._line: list[_Turn] = []
        self._is_writing = False

    def add(self, row: NewRow) -> None:
        """Write the row, or have it written: after its commit this returns, or raises why there is none."""
        turn = _Turn(row)
        with self._lock:
            self._line.append(turn)
            writes, self._is_writing = not self._is_writing, True
        if not writes:
            turn.comes.acquire()
        if not turn.is_over:  # it is the first in line
            self._write_line()
        if turn.error is None:
            return
        if isinstance(turn.error, IntegrityError) and not turn.was_alone:
            self._insert([row])  # the row that is refused may be another's
        else:
            raise turn.error

    def _write_line(self) -> None:
        with self._lock:
            turns, self._line = self._line, []
        error: BaseException | None = None
        try:
            self._insert([turn.row for turn in turns])
        except BaseException as refusal:  # noqa: BLE001  # whatever it is, each of the threads raises it
            error = refusal
        with self._lock:
            self._is_writing = bool(self._line)
            next_to_write = self._line[:1]
        for turn in turns:
            turn.is_over, turn.was_alone, turn.error = True, len(turns) == 1, error
        for turn in (*turns, *next_to_write):
            turn.comes.release()


class _Turn:
    """A row in line. ``comes`` is held until its turn is over, or it is the first in line and so the next to write."""

    __slots__ = ("comes", "error", "is_over", "row", "was_alone")

    def __init__(self, row: NewRow) -> None:
        self.row = row
        self.comes = threading.Lock()
        self.comes.acquire()
        self.is_over = self.was_alone = False
        self.error: BaseException | None = None


def add_row(row: NewRow) -> None:
    """Add what a request has brought: once this returns, it is committed. IntegrityError where the pixel is gone."""
    _group.add(row)


def _insert(rows: Sequence[NewRow]) -> None:
    """One statement, which outside of a transaction is its own."""
    db = connections[DEFAULT_DB_ALIAS]  # looked up once: ``connection`` does it at every use
    try:
        _execute(db, rows)
    except (InterfaceError, OperationalError):
        # The thread's connection is kept between requests. One that was cut off meanwhile is nobody's reason to wait.
        if db.connection is None or db.in_atomic_block or db.is_usable():
            raise
        db.close()
        _execute(db, rows)


def _execute(db: BaseDatabaseWrapper, rows: Sequence[NewRow]) -> None:
    now = timezone.now()
    if isinstance(db, DatabaseWrapper):
        further = (now.isoformat().encode(), b"false")
        values = [value for row in rows for value in (*map(_as_text, row[:4]), row.body, _as_text(row.road), *further)]
        db.execute_prepared(_prepared(len(rows)), values, _FORMATS * len(rows))
        return
    stored_at = db.ops.adapt_datetimefield_value(now)
    with db.cursor() as cursor:
        cursor.execute(_statement(len(rows)), [value for row in rows for value in (*row, stored_at, False)])


def _as_text(value: object) -> bytes:
    return str(value).encode()


@cache
def _statement(rows: int) -> str:
    return _INSERT + ", ".join([_ROW] * rows)


@cache
def _prepared(rows: int) -> bytes:
    return numbered(_statement(rows))


_group = GroupCommit(_insert)

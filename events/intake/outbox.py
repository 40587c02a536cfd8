"""Writing rows of the outbox, and of gateway sources: requests of a moment share a statement, and so a commit."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Sequence
from functools import cache
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from django.db import DEFAULT_DB_ALIAS, IntegrityError, InterfaceError, OperationalError, connections
from django.db.models import Model
from django.utils import timezone

from common.postgresql import close_if_cut_off
from common.postgresql.base import DatabaseWrapper
from common.postgresql.prepared import numbered
from events.models import OutboxRow, Road, SourceRow

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper


class _Table(NamedTuple):
    """Where requests are stored: the statement up to its rows, a row, and what its last columns say of a new one."""

    insert: str
    row: str
    last: tuple[bool, ...]


def _table(model: type[Model], owner: str, further: str = "", last: tuple[bool, ...] = ()) -> _Table:
    columns = f"{owner}, intake, event_count, options, body, road, received_at{further}"
    insert = f"INSERT INTO {model._meta.db_table} ({columns}) VALUES "  # noqa: S608  # nosec B608  # our names
    return _Table(insert, f"({', '.join(['%s'] * len(columns.split(',')))})", last)


#: By whether it is a gateway source's, and whether changes are told: most requests come without, and pay nothing for
#: the column. What is new is not counted yet; of a source, it has no place.
_TABLES = {
    (False, False): _table(OutboxRow, "pixel_id", ", counted", (False,)),
    (False, True): _table(OutboxRow, "pixel_id", ", counted, changes", (False,)),
    (True, False): _table(SourceRow, "source_id"),
    (True, True): _table(SourceRow, "source_id", ", changes"),
}
#: On PostgreSQL the body goes as it is; bound by Django, it would be sent as hexadecimal text, twice as long.
_FORMATS = (0, 0, 0, 0, 1, 0, 0, 0, 0)


class NewRow(NamedTuple):
    """What a request has brought for a pixel, or a gateway source."""

    owner_pk: int
    intake: int
    event_count: int
    options: str
    body: bytes
    road: int = Road.SERVER.value
    is_source: bool = False
    #: What the intake changed of the events (``events.changes``).
    changes: str | None = None


Result = TypeVar("Result")
#: Work that yields a row to be stored, and goes on once it is committed; why it is not is raised where it yields.
Storing = Generator[NewRow, None, Result]


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


def store(work: Storing[Result]) -> Result:
    """Do the work; other threads' rows of the moment share the commit."""
    close_if_cut_off()
    try:
        row = next(work)
        while True:
            try:
                _groups[row.is_source].add(row)
            except Exception as error:  # noqa: BLE001  # whatever it is, the work is told
                row = work.throw(error)
            else:
                row = next(work)
    except StopIteration as done:
        result: Result = done.value
        return result


def store_together(works: Sequence[Storing[Result]]) -> list[Result]:
    """Do works that came at the same time: of each the part before its row, then one commit a table, then what comes
    after it.

    A work has one row at most.
    """
    close_if_cut_off()
    results: list[Result | None] = [None] * len(works)
    rows: dict[int, NewRow] = {}
    for number, work in enumerate(works):
        try:
            rows[number] = next(work)
        except StopIteration as done:
            results[number] = done.value
    for is_source in (False, True):
        some = {number: row for number, row in rows.items() if row.is_source is is_source}
        for number, error in zip(some, _add_rows(list(some.values())), strict=True):
            results[number] = _finish(works[number], error)
    return results  # type: ignore[return-value]  # each is there now


def _finish(work: Storing[Result], error: Exception | None) -> Result:
    try:
        if error is None:
            next(work)
        else:
            work.throw(error)
    except StopIteration as done:
        result: Result = done.value
        return result
    raise RuntimeError("A request has one row.")


def _add_rows(rows: Sequence[NewRow]) -> list[Exception | None]:
    """Add rows of one table in one commit; for each, why it is not stored."""
    if not rows:
        return []
    try:
        _insert(rows)
    except IntegrityError as error:  # the row that is refused may be any of them
        return [error] if len(rows) == 1 else [_add_rows([row])[0] for row in rows]
    except Exception as error:  # noqa: BLE001  # whatever it is, each of the works is told
        return [error] * len(rows)
    return [None] * len(rows)


def _insert(rows: Sequence[NewRow]) -> None:
    """Insert rows of one table: one statement, which outside of a transaction is its own."""
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
    kind = rows[0].is_source, any([row.changes for row in rows])  # noqa: C419  # faster
    last = _TABLES[kind].last
    if isinstance(db, DatabaseWrapper):
        further = (now.isoformat().encode(), b"false")[: 1 + len(last)]
        values: list[bytes | None] = []
        for row in rows:
            values += (*map(_as_text, row[:4]), row.body, _as_text(row.road), *further)
            if kind[1]:
                values.append(None if row.changes is None else row.changes.encode())
        formats = _FORMATS[: len(values) // len(rows)]
        db.execute_prepared(_prepared(kind, len(rows)), values, formats * len(rows))
        return
    stored_at = db.ops.adapt_datetimefield_value(now)
    with db.cursor() as cursor:
        values_of_all = [
            value for row in rows for value in (*row[:6], stored_at, *last, *([row.changes] if kind[1] else []))
        ]
        cursor.execute(_statement(kind, len(rows)), values_of_all)


def _as_text(value: object) -> bytes:
    return str(value).encode()


@cache
def _statement(kind: tuple[bool, bool], rows: int) -> str:
    table = _TABLES[kind]
    return table.insert + ", ".join([table.row] * rows)


@cache
def _prepared(kind: tuple[bool, bool], rows: int) -> bytes:
    return numbered(_statement(kind, rows))


#: A group for each table: what cannot be stored in one is no reason to store nothing in the other.
_groups = (GroupCommit(_insert), GroupCommit(_insert))

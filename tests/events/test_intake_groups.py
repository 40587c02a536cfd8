"""Requests that come at the same time share a statement: each is answered for itself."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any
from unittest.mock import patch

import pytest
from django.db import IntegrityError, OperationalError, connection

from events.intake import outbox
from events.intake.outbox import GroupCommit, NewRow
from events.models import OutboxRow
from pixels.models import Pixel
from tests.events.sending import purchase, send
from tests.factories import PixelFactory

SECONDS = 10


class Database:
    """Writes rows when it is told to, and keeps what each statement held."""

    def __init__(self, refuse: Callable[[NewRow], Exception | None] = lambda row: None) -> None:
        self.refuse = refuse
        self.statements: list[list[int]] = []
        self.goes = threading.Semaphore(0)

    def insert(self, rows: Sequence[NewRow]) -> None:
        self.statements.append([row.owner_pk for row in rows])
        assert self.goes.acquire(timeout=SECONDS)
        for row in rows:
            if error := self.refuse(row):
                raise error


def row(pixel_pk: int) -> NewRow:
    return NewRow(pixel_pk, 0, 1, "", b"[]")


def send_together(database: Database, count: int) -> list[Exception | None]:
    """The first row is being written while the others come, one after the other. How each was answered."""
    group = GroupCommit(database.insert)
    answers: list[Future[None]] = []
    with ThreadPoolExecutor(count) as threads:
        for number in range(count):
            answers.append(threads.submit(group.add, row(number)))
            _wait_until(lambda number=number: len(group._line) == number and database.statements)  # type: ignore[misc]
        database.goes.release(100)
        return [answer.exception(SECONDS) for answer in answers]  # type: ignore[misc]


def _wait_until(condition: Callable[[], Any]) -> None:
    for _ in range(1_000):
        if condition():
            return
        threading.Event().wait(0.01)
    raise TimeoutError


def test_those_that_come_while_one_writes_are_the_next_group() -> None:
    database = Database()

    assert send_together(database, 5) == [None] * 5
    assert database.statements == [[0], [1, 2, 3, 4]]


def test_nobody_waits_for_others_to_come() -> None:
    database = Database()
    database.goes.release(2)
    group = GroupCommit(database.insert)

    group.add(row(1))
    group.add(row(2))

    assert database.statements == [[1], [2]]


def test_nobody_is_answered_before_the_commit() -> None:
    database = Database()
    group = GroupCommit(database.insert)
    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(group.add, row(1))
        _wait_until(lambda: database.statements)
        second = threads.submit(group.add, row(2))
        _wait_until(lambda: group._line)
        assert not first.done()
        database.goes.release()
        first.result(SECONDS)
        assert not second.done()
        database.goes.release()
        second.result(SECONDS)


def test_a_row_that_is_refused_takes_no_other_with_it() -> None:
    database = Database(lambda row: IntegrityError("pixel") if row.owner_pk == 2 else None)

    errors = send_together(database, 4)

    assert [type(error) for error in errors] == [type(None), type(None), IntegrityError, type(None)]
    assert database.statements[:2] == [[0], [1, 2, 3]]
    assert sorted(database.statements[2:]) == [[1], [2], [3]]


def test_where_the_database_is_away_all_are_told_and_nothing_is_sent_twice() -> None:
    database = Database(lambda row: OperationalError("away") if row.owner_pk else None)

    errors = send_together(database, 4)

    assert [type(error) for error in errors] == [type(None), *[OperationalError] * 3]
    assert database.statements == [[0], [1, 2, 3]]


def test_after_a_failure_others_write_as_before() -> None:
    database = Database(lambda row: SystemExit() if row.owner_pk == 1 else None)  # type: ignore[arg-type,return-value]
    database.goes.release(2)
    group = GroupCommit(database.insert)

    with pytest.raises(SystemExit):
        group.add(row(1))
    group.add(row(2))

    assert database.statements == [[1], [2]]


@pytest.mark.django_db(transaction=True)
def test_rows_of_a_group_are_all_stored() -> None:
    pixel: Pixel = PixelFactory.create()

    outbox._insert(
        [NewRow(pixel.pk, number % 2, number, f'{{"{number}"}}', b"\x00%d" % number) for number in range(1, 9)]
    )

    rows = OutboxRow.objects.order_by("event_count")
    assert [row.event_count for row in rows] == list(range(1, 9))
    assert [(row.intake, row.options, bytes(row.body), row.counted) for row in rows[:2]] == [
        (1, '{"1"}', b"\x001", False),
        (0, '{"2"}', b"\x002", False),
    ]


@pytest.mark.django_db(transaction=True)
def test_a_connection_that_was_cut_off_is_made_anew() -> None:
    """As by a restart of the server, or a firewall between."""
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has no connection that could be cut off.")
    pixel: Pixel = PixelFactory.create()
    assert send(pixel, purchase()).status == 202
    pid = connection.connection.info.backend_pid
    with ThreadPoolExecutor(1) as threads:
        threads.submit(_end_backend, pid).result(SECONDS)

    assert send(pixel, purchase()).status == 202
    assert OutboxRow.objects.count() == 2


def _end_backend(pid: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
    connection.close()


@pytest.mark.django_db
def test_sqlite_has_what_is_committed_on_the_disk() -> None:
    """With less than FULL, a power cut would take events with it that were answered with 202."""
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL waits for the disk unless it is told otherwise.")
    with connection.cursor() as cursor:
        assert cursor.execute("PRAGMA synchronous").fetchone() == (2,)


@pytest.mark.django_db
def test_a_fault_of_the_database_itself_is_not_tried_again() -> None:
    pixel: Pixel = PixelFactory.create()

    with patch("events.intake.outbox._execute", side_effect=OperationalError("disk full")) as execute:
        assert send(pixel, purchase()).status == 503

    assert execute.call_count == 1


# --- Requests whose bodies came together: one thread works for all of them --------------------------------------------


def work(number: int, told: list[str]) -> outbox.Storing[int]:
    """What a request does: number 0 has nothing to store."""
    if number:
        try:
            yield row(number)
        except IntegrityError:
            told.append(f"{number}: the pixel is gone")
        except OperationalError:
            told.append(f"{number}: the database is away")
    return 10 * number


def do_together(database: Database, *numbers: int) -> tuple[list[int], list[str]]:
    database.goes.release(100)
    told: list[str] = []
    with patch("events.intake.outbox._insert", database.insert):
        return outbox.store_together([work(number, told) for number in numbers]), told


def test_works_that_came_together_share_a_statement() -> None:
    database = Database()

    assert do_together(database, 1, 0, 2) == ([10, 0, 20], [])
    assert database.statements == [[1, 2]]


def test_works_without_a_row_ask_the_database_nothing() -> None:
    database = Database()

    assert do_together(database, 0, 0) == ([0, 0], [])
    assert database.statements == []


def test_of_works_that_came_together_only_the_one_whose_pixel_is_gone_is_told() -> None:
    database = Database(lambda row: IntegrityError() if row.owner_pk == 2 else None)

    assert do_together(database, 1, 2, 3) == ([10, 20, 30], ["2: the pixel is gone"])
    assert database.statements == [[1, 2, 3], [1], [2], [3]]


def test_a_database_that_is_away_is_told_to_all_of_them() -> None:
    database = Database(lambda row: OperationalError())

    assert do_together(database, 1, 2)[1] == ["1: the database is away", "2: the database is away"]
    assert database.statements == [[1, 2]]

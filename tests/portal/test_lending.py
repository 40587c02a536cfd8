"""Database connections for threads that come and go: each request has one, and no thread keeps it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any, cast

import pytest
from django.db import connection, connections

from common.lending import Lender
from common.wsgi import with_lent_connections

pytestmark = pytest.mark.django_db(transaction=True)

AT_ONCE = 3


@pytest.fixture
def lender() -> Iterator[Lender]:
    lender = Lender(idle_seconds=0)
    yield lender
    lender.close_idle()


def in_a_thread(work: Callable[[], Any]) -> Any:
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(work).result()


def ask_database() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        return int(cursor.fetchone()[0])


def serve(lender: Lender, application: Callable[[], Any]) -> Any:
    """The answer of an application to a request."""
    return with_lent_connections(lambda environ, start_response: application(), lender)({}, cast(Any, None))


def answer() -> list[bytes]:
    return [b"%d" % ask_database()]


def test_a_request_has_a_connection_and_its_thread_keeps_nothing(lender: Lender) -> None:
    def work() -> tuple[list[bytes], int]:
        return serve(lender, answer), len(connections.all(initialized_only=True))

    assert in_a_thread(work) == ([b"1"], 0)
    assert len(lender) == 1


def test_the_next_request_has_the_same_connection_in_whatever_thread(lender: Lender) -> None:
    def work() -> list[Any]:
        ask_database()
        return [connection.connection]

    assert in_a_thread(lambda: serve(lender, work)) == in_a_thread(lambda: serve(lender, work))
    assert len(lender) == 1


def test_requests_at_once_have_a_connection_each(lender: Lender) -> None:
    all_are_here = Barrier(AT_ONCE)

    def work() -> list[Any]:
        ask_database()
        all_are_here.wait(10)
        return [connection.connection]

    with ThreadPoolExecutor(AT_ONCE) as threads:
        found = [threads.submit(serve, lender, work) for _ in range(AT_ONCE)]
        assert len({id(each.result()[0]) for each in found}) == AT_ONCE
    assert len(lender) == AT_ONCE


def test_a_request_that_fails_gives_its_connection_back(lender: Lender) -> None:
    def fail() -> None:
        ask_database()
        raise KeyError

    with pytest.raises(KeyError):
        in_a_thread(lambda: serve(lender, fail))
    assert len(lender) == 1


def test_an_answer_that_is_still_read_keeps_its_connection_until_it_is_closed(lender: Lender) -> None:
    closed: list[str] = []

    class Parts:
        def __iter__(self) -> Iterator[bytes]:
            yield b"%d" % ask_database()

        def close(self) -> None:
            closed.append("parts")

    def work() -> None:
        answer = serve(lender, Parts)
        assert b"".join(answer) == b"1"
        assert len(lender) == 0
        answer.close()
        assert closed == ["parts"]

    in_a_thread(work)
    assert len(lender) == 1


def test_what_nobody_uses_is_closed_by_another_thread_and_the_pool_is_whole(lender: Lender) -> None:
    in_a_thread(lambda: serve(lender, answer))
    ((_, lent),) = lender._idle
    assert lent.connection is not None

    in_a_thread(lender.close_idle)

    assert lent.connection is None
    assert len(lender) == 0
    if connection.vendor == "postgresql":
        connection.close()
        stats = cast(Any, connection).pool.get_stats()
        assert stats["pool_available"] == stats["pool_size"]


def test_what_was_used_a_moment_ago_stays_open() -> None:
    lender = Lender(idle_seconds=60)
    in_a_thread(lambda: serve(lender, answer))

    lender.close_idle()

    assert len(lender) == 1
    lender.idle_seconds = 0
    lender.close_idle()


def test_the_thread_that_closes_does_so_by_itself() -> None:
    lender = Lender(idle_seconds=0.05)
    lender.close_idle_from_now_on()
    in_a_thread(lambda: serve(lender, answer))

    deadline = time.monotonic() + 10
    while len(lender):
        assert time.monotonic() < deadline
        time.sleep(0.02)

"""Connections to PostgreSQL that the server has ended."""

from __future__ import annotations

import time
from threading import Thread
from typing import Any, cast

import psycopg
import pytest
from django.db import OperationalError, connection, connections

from portal.postgresql import base, close_if_cut_off, keep_connection

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _on_postgresql() -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has no connections that could be cut off")


def ask() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def cut_off() -> None:
    """End all connections to the test's database, as a restart does."""
    ask()
    config = connection.settings_dict
    with psycopg.connect(
        host=config["HOST"], port=config["PORT"], user=config["USER"], password=config["PASSWORD"], dbname="postgres"
    ) as other:
        other.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [config["NAME"]])
    time.sleep(0.1)


def test_the_pool_gives_no_connection_that_was_cut_off() -> None:
    ask()
    connection.close()  # back to the pool
    cut_off()
    connection.close()

    ask()


def test_without_the_look_at_the_socket_it_would(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base, "is_cut_off", lambda raw: False)
    cut_off()
    connection.close()

    with pytest.raises(OperationalError):
        ask()

    connection.close()


def test_who_keeps_a_connection_lets_it_go() -> None:
    cut_off()

    close_if_cut_off()

    ask()


def test_a_connection_that_lives_is_kept() -> None:
    ask()
    before = connection.connection

    close_if_cut_off()

    assert connections["default"].connection is before


def test_threads_that_end_give_their_connections_back() -> None:
    failed: list[Exception] = []

    def ask_and_end() -> None:
        try:
            keep_connection()
            ask()
        except OperationalError as error:
            failed.append(error)

    for _ in range(cast(Any, connection).pool.max_size + 1):
        thread = Thread(target=ask_and_end)
        thread.start()
        thread.join()

    assert not failed


def test_while_no_connection_is_taken_nobody_waits_for_one(monkeypatch: pytest.MonkeyPatch) -> None:
    cut_off()
    connection.close()
    pool = cast(Any, connection).pool
    monkeypatch.setitem(pool.kwargs, "port", 1)  # where nobody listens
    began = time.monotonic()

    with pytest.raises(OperationalError):
        ask()

    assert time.monotonic() - began < pool.timeout
    monkeypatch.undo()
    time.sleep(0.5)  # attempts that were under way have failed by then
    ask()

"""Connections to PostgreSQL that the server has ended."""

from __future__ import annotations

import time
from contextlib import nullcontext
from typing import Any, cast

import psycopg
import pytest
from django.db import DataError, IntegrityError, OperationalError, connection, connections, transaction

from accounts.models import Tenant
from common.postgresql import base, close_if_cut_off
from common.statements import Param, Statement

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
        host=config["HOST"],
        port=config["PORT"],
        user=config["USER"],
        password=config["PASSWORD"],
        dbname="postgres",
        autocommit=True,
    ) as other:
        here = "FROM pg_stat_activity WHERE datname = %s"
        other.execute(f"SELECT pg_terminate_backend(pid) {here}", [config["NAME"]])
        for _ in range(400):
            if other.execute(f"SELECT 1 {here}", [config["NAME"]]).fetchone() is None:
                return
            time.sleep(0.05)
    raise AssertionError("They do not end.")


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


def test_a_statement_runs_on_the_connection_that_came_after() -> None:
    nobody = Statement(Tenant.objects.filter(pk=Param("id")), "name")
    assert nobody.all(id="missing") == []
    cut_off()
    close_if_cut_off()

    assert nobody.all(id="missing") == []


def test_a_statement_on_a_connection_that_was_cut_off_fails_as_any_query_does() -> None:
    nobody = Statement(Tenant.objects.filter(pk=Param("id")), "name")
    assert nobody.all(id="missing") == []
    cut_off()

    with pytest.raises(OperationalError):
        nobody.all(id="missing")

    connection.close()
    assert nobody.all(id="missing") == []


@pytest.fixture
def _anew() -> None:
    """A pool of connections on which nothing is prepared."""
    connection.close()
    cast(Any, connection).close_pool()


def asked(*params: object, sql: bytes = b"SELECT $1::text || $2::text") -> list[str]:
    texts: list[bytes] = cast(Any, connection).fetch_prepared(sql, params)
    return [text.decode() for text in texts]


def write(name: bytes, *, of: str, sql: bytes = b"UPDATE accounts_tenant SET name = $1 WHERE id = $2") -> None:
    cast(Any, connection).execute_prepared(sql, [name, of.encode()], [0, 0])


def prepared() -> list[str]:
    """The statements that the server keeps for this connection, but those of psycopg."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT statement FROM pg_prepared_statements WHERE name LIKE 'portal%'")
        return sorted(statement for (statement,) in cursor.fetchall())


def prepared_at() -> list[str]:
    """When these statements were prepared, and on which of the server's processes."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_backend_pid() || ' ' || prepare_time FROM pg_prepared_statements WHERE name LIKE 'portal%'"
        )
        times = [time for (time,) in cursor.fetchall()]
    assert times
    return times


@pytest.mark.usefixtures("_anew")
def test_a_statement_is_prepared_once_a_connection() -> None:
    assert [asked("a", "ä"), asked("c", "'")] == [["aä"], ["c'"]]

    assert prepared() == ["SELECT $1::text || $2::text"]


@pytest.mark.usefixtures("_anew")
def test_what_gives_no_rows_is_prepared_too() -> None:
    tenant = Tenant.objects.create(name="Shoes")

    write("Käse \\ 'und' Brot".encode(), of=tenant.pk)

    tenant.refresh_from_db()
    assert tenant.name == "Käse \\ 'und' Brot"
    assert any("UPDATE accounts_tenant" in statement for statement in prepared())


def test_in_a_transaction_what_gives_no_rows_is_undone_with_it() -> None:
    tenant = Tenant.objects.create(name="Shoes")

    with transaction.atomic():
        write(b"Books", of=tenant.pk)
        assert Tenant.objects.get().name == "Books"
        transaction.set_rollback(True)

    assert Tenant.objects.get().name == "Shoes"
    assert prepared() == []


@pytest.mark.parametrize("in_transaction", [False, True])
def test_bytes_are_sent_as_they_are(in_transaction: bool) -> None:
    octets = bytes(range(256))
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE octets (octets bytea, place int)")

    with transaction.atomic() if in_transaction else nullcontext():
        cast(Any, connection).execute_prepared(b"INSERT INTO octets VALUES ($1, $2)", [octets, b"7"], [1, 0])

    with connection.cursor() as cursor:
        cursor.execute("SELECT octets, place FROM octets")
        assert [(bytes(found), place) for found, place in cursor.fetchall()] == [(octets, 7)]
        cursor.execute("DROP TABLE octets")


def test_a_constraint_that_is_broken_is_an_integrity_error() -> None:
    tenant = Tenant.objects.create(name="Shoes")

    for _ in range(2):
        with pytest.raises(IntegrityError):
            write(b"", of=tenant.pk)

    assert Tenant.objects.get().name == "Shoes"


def test_values_that_are_no_text_are_left_to_psycopg() -> None:
    assert asked(1, [2], sql=b"SELECT ($1::int = ANY($2::int[]))::text") == ["false"]
    with pytest.raises((DataError, ValueError)):
        asked("a\0", "b")

    assert prepared() == []


def test_errors_are_those_of_psycopg() -> None:
    with pytest.raises(DataError, match="invalid input syntax"):
        asked("x", sql=b"SELECT ($1::text)::int::text")

    assert asked("7", sql=b"SELECT ($1::text)::int::text") == ["7"]


def test_a_statement_that_takes_too_long_is_not_begun_again() -> None:
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY SEQUENCE begun")
        cursor.execute("SET statement_timeout = 300")
        with pytest.raises(OperationalError, match="statement timeout"):
            asked(sql=b"SELECT nextval('begun')::text || pg_sleep(60)::text")
        cursor.execute("RESET statement_timeout")
        cursor.execute("SELECT last_value FROM begun")
        assert cursor.fetchone() == (1,)
        cursor.execute("DROP SEQUENCE begun")


def test_a_backend_that_is_ended_is_named() -> None:
    asked("a", "b")
    cut_off()
    with pytest.raises(OperationalError, match="terminating connection"):
        asked("a", "b")
    connection.close()


@pytest.mark.usefixtures("_anew")
def test_what_was_prepared_may_be_gone() -> None:
    asked("a", "b")
    with connection.cursor() as cursor:
        cursor.execute("DEALLOCATE ALL")  # psycopg does so after a rollback

    assert [asked("a", "b") for _ in range(2)] == [["ab"], ["ab"]]
    assert prepared() == ["SELECT $1::text || $2::text"]


@pytest.mark.usefixtures("_anew")
def test_in_a_transaction_too() -> None:
    asked("a", "b")
    with connection.cursor() as cursor:
        cursor.execute("DEALLOCATE ALL")

    with transaction.atomic():
        assert [asked("a", "b") for _ in range(2)] == [["ab"], ["ab"]]


@pytest.mark.usefixtures("_anew")
def test_a_transaction_that_is_rolled_back_leaves_what_was_prepared() -> None:
    asked("a", "b")
    before = prepared_at()
    with transaction.atomic():
        asked("c", "d")
        asked("e", "f")
        transaction.set_rollback(True)

    assert asked("g", "h") == ["gh"]
    assert prepared_at() == before


@pytest.mark.usefixtures("_anew")
def test_a_connection_that_comes_back_from_the_pool_knows_what_it_has_prepared() -> None:
    asked("a", "b")
    before, raw = prepared_at(), connection.connection
    for _ in range(cast(Any, connection).pool.max_size):  # the pool gives the one that has rested longest
        connection.close()
        connection.ensure_connection()
        if connection.connection is raw:
            break

    assert connection.connection is raw
    assert asked("c", "d") == ["cd"]
    assert prepared_at() == before


def test_without_a_way_to_let_go_of_statements_psycopg_runs_them(monkeypatch: pytest.MonkeyPatch) -> None:
    ask()
    monkeypatch.setattr(connection.connection, "prepared", None)

    assert asked("a", "b") == ["ab"]


def test_in_a_transaction_a_statement_belongs_to_it() -> None:
    with transaction.atomic():
        ids = [asked(sql=b"SELECT txid_current()::text") for _ in range(2)]

    assert ids[0] == ids[1]


@pytest.mark.usefixtures("_anew")
def test_a_connection_keeps_the_statements_used_last(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("common.postgresql.prepared.KEPT", 2)

    for word in (b"a", b"b", b"a", b"c"):
        asked(sql=b"SELECT '%s'" % word)

    assert prepared() == ["SELECT 'a'", "SELECT 'c'"]


@pytest.mark.parametrize(
    ("options", "name", "value"),
    [
        ("", "random_page_cost", "1.1"),
        ("-c random_page_cost=3", "random_page_cost", "3"),
        ("", "jit", "off"),
        ("", "tcp_keepalives_idle", "10"),
        ("-c tcp_keepalives_idle=60", "tcp_keepalives_idle", "60"),
        ("", "tcp_user_timeout", "15000"),
    ],
)
def test_connections_are_set_up_unless_the_operator_says_otherwise(options: str, name: str, value: str) -> None:
    """Look-ups are cheap; and a host that vanishes is noticed (tests/slow/test_vanished_hosts.py)."""
    parameters = cast(Any, connection).get_connection_params() | {"options": options}
    with psycopg.connect(**parameters) as new:
        cast(Any, connection)._configure_connection(new)

        assert new.execute("SELECT setting FROM pg_settings WHERE name = %s", [name]).fetchone() == (value,)


def test_a_connection_that_lives_is_kept() -> None:
    ask()
    before = connection.connection

    close_if_cut_off()

    assert connections["default"].connection is before


def test_while_no_connection_is_taken_nobody_waits_for_one(monkeypatch: pytest.MonkeyPatch) -> None:
    cut_off()
    connection.close()
    pool = cast(Any, connection).pool
    monkeypatch.setitem(pool.kwargs, "port", 1)  # where nobody listens
    monkeypatch.setattr(pool, "timeout", 60)
    began = time.monotonic()

    with pytest.raises(OperationalError):
        ask()

    assert time.monotonic() - began < pool.timeout
    monkeypatch.undo()
    for _ in range(100):  # attempts that were under way fail until then
        try:
            ask()
        except OperationalError:
            time.sleep(0.1)
        else:
            return
    ask()

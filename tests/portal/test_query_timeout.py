"""Reads end after READ_TIMEOUT_SECONDS, in transactions and outside of them; nothing is left for who comes next."""

from __future__ import annotations

import threading
import time
from typing import Any, cast

import pytest
from django.db import DEFAULT_DB_ALIAS, OperationalError, connection, connections, transaction
from django.http import HttpResponse
from django.test import Client, RequestFactory

from accounts.models import Tenant
from accounts.schema import mutations
from common import budget, query_timeout
from common.errors import TimedOut, unavailable
from common.postgresql.base import DatabaseWrapper
from common.query_timeout import limited_reads, refuse_if_over
from portal.middleware import limit_read_time
from tests.base import HUB, client_of, graphql
from tests.factories import ApiAccountFactory, TenantFactory

#: Runs for longer than anybody waits.
FOREVER = (
    "SELECT pg_sleep(60)"
    if connection.vendor == "postgresql"
    else "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
)


@pytest.fixture(autouse=True)
def _short(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.READ_TIMEOUT_SECONDS = 0.2
    monkeypatch.setattr(query_timeout, "LOOK_SECONDS", 0.05)


@pytest.fixture
def robot(transactional_db: None, settings: Any) -> Client:
    """Who asks has the time to sign in, on a busy machine too, before the read that takes too long."""
    settings.READ_TIMEOUT_SECONDS = 1
    return client_of(ApiAccountFactory.create())


def run(sql: str) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall()


def assert_times_out() -> None:
    with pytest.raises(OperationalError) as raised:
        run(FOREVER)
    assert isinstance(unavailable(raised.value), TimedOut)


@pytest.mark.django_db(transaction=True)
def test_a_read_ends_outside_of_a_transaction() -> None:
    with limited_reads():
        assert_times_out()

    assert run("SELECT 1") == [(1,)]


@pytest.mark.django_db(transaction=True)
def test_a_read_ends_in_a_transaction() -> None:
    with limited_reads(), pytest.raises(OperationalError), transaction.atomic():
        run(FOREVER)

    assert run("SELECT 1") == [(1,)]


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor != "postgresql", reason="libpq is PostgreSQL's")
def test_a_statement_that_libpq_runs_ends() -> None:
    database = cast(DatabaseWrapper, connections[DEFAULT_DB_ALIAS])
    with limited_reads(), pytest.raises(OperationalError) as raised:
        database.fetch_prepared(b"SELECT pg_sleep(60)::text", [])

    assert isinstance(unavailable(raised.value), TimedOut)


@pytest.mark.django_db(transaction=True)
def test_all_statements_of_a_request_share_the_time() -> None:
    """Thirty aliases do not have thirty times the time."""
    with limited_reads():
        assert_times_out()
        assert_times_out()
        with pytest.raises(TimedOut):
            refuse_if_over()
        with pytest.raises(TimedOut):
            budget.Budget().load(1, "users")


@pytest.mark.django_db(transaction=True)
def test_what_comes_after_has_no_limit() -> None:
    with limited_reads():
        pass
    time.sleep(0.4)

    assert run("SELECT 1") == [(1,)]
    refuse_if_over()


@pytest.mark.django_db(transaction=True)
def test_other_threads_go_on() -> None:
    """A worker, or a mutation, in the same process."""
    went_on: list[object] = []
    sleep = "SELECT pg_sleep(0.6)" if connection.vendor == "postgresql" else "SELECT 1"

    def other() -> None:
        try:
            went_on.append(run(sleep))
        finally:
            connection.close()

    thread = threading.Thread(target=other)
    with limited_reads():
        thread.start()
        assert_times_out()
    thread.join()

    assert len(went_on) == 1


@pytest.mark.django_db(transaction=True)
def test_without_a_limit_nothing_is_watched(settings: Any) -> None:
    settings.READ_TIMEOUT_SECONDS = 0
    with limited_reads():
        assert not query_timeout._reads


@pytest.mark.django_db(transaction=True)
def test_a_page_that_reads_for_too_long_is_told_so() -> None:
    def view(request: Any) -> HttpResponse:
        run(FOREVER)
        raise AssertionError

    with pytest.raises(OperationalError):
        limit_read_time(view)(RequestFactory().get("/"))


@pytest.mark.django_db(transaction=True)
def test_a_query_that_reads_for_too_long_is_503_and_does_not_run_again(
    robot: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = []

    def read_tenant(*args: Any) -> None:
        runs.append(args)
        run(FOREVER)

    monkeypatch.setattr("accounts.reads.read_tenant", read_tenant)
    document = '{ a: tenant(tenantId: "x") { id } b: tenant(tenantId: "y") { id } }'
    for directive in ("", " @skip(if: false)"):  # compiled, and by graphql-core
        runs.clear()
        answer = graphql(robot, HUB, document.replace("{ id }", f"{{ id{directive} }}"))

        assert answer.refused(503)
        assert "took too long" in answer.message
        assert len(runs) == 1


def test_a_mutations_answer_is_read_for_as_long_as_a_query_and_the_change_is_made(
    robot: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All answers of a document together: under thirty aliases they take no longer."""
    runs = []

    def read_tenant(*args: Any) -> None:
        runs.append(args)
        run(FOREVER)

    monkeypatch.setattr(mutations, "read_tenant", read_tenant)
    shoes, books = TenantFactory.create(name="Shoes"), TenantFactory.create(name="Books")
    changes = (
        f'a{n}: updateTenant(input: {{ tenantId: "{account.pk}", name: "New" }}) {{ tenant {{ id }} }}'
        for n, account in enumerate((shoes, books))
    )

    answer = graphql(robot, HUB, f"mutation {{ tenantMutations {{ {' '.join(changes)} }} }}")

    assert len(runs) == 1
    assert [error["message"].partition(".")[0] for error in answer.errors] == ["The change was made"] * 2
    assert answer.status == 503
    assert set(Tenant.objects.values_list("name", flat=True)) == {"New"}

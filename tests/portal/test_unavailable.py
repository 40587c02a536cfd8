"""While the database is away every door says so, in its own form, and when to come again."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import psycopg
import pytest
from django.db import InterfaceError, OperationalError, connection
from django.test import Client

from common.errors import unavailable
from tests.base import CAPIG, HUB, Cast, bearer, login

WORDS = "the server at db7.internal is away"


@contextmanager
def away() -> Iterator[None]:
    def fail(*args: Any) -> None:
        raise OperationalError(WORDS)

    with connection.execute_wrapper(fail):
        yield


def assert_come_again(answer: Any) -> None:
    assert answer.status_code == 503
    assert int(answer["Retry-After"]) > 0
    assert "db7" not in answer.content.decode()


@pytest.mark.parametrize("path", ["/hub/", "/hub/settings/users/", "/admin/", "/auth/login/"])
def test_pages(cast: Cast, path: str) -> None:
    client = login(cast.hanna)
    client.raise_request_exception = False

    with away():
        answer = client.get(path)

    assert_come_again(answer)
    assert "The portal cannot reach its data" in answer.content.decode()


@pytest.mark.parametrize("endpoint", [HUB, CAPIG])
def test_graphql(cast: Cast, endpoint: str) -> None:
    client = Client(headers={"Authorization": f"Bearer {bearer(cast.robot)}"})

    with away():
        answer = client.post(endpoint, {"query": "{ __typename }"}, content_type="application/json")

    assert_come_again(answer)
    (error,) = answer.json()["errors"]
    assert error["extensions"] == {"code": 503}


def test_usage(cast: Cast) -> None:
    client = Client(headers={"Authorization": f"Bearer {bearer(cast.robot)}"})

    with away():
        answer = client.get("/api/usage?from=2026-01-01&to=2026-01-02")

    assert_come_again(answer)
    assert answer.json()["error"]["code"] == 503


@pytest.mark.django_db
def test_tokens() -> None:
    form = {"grant_type": "client_credentials", "client_id": "Robot", "client_secret": "secret"}

    with away():
        answer = Client().post("/clients/token", form)

    assert_come_again(answer)
    assert answer.json()["error"] == "temporarily_unavailable"


def test_a_mistake_in_a_statement_does_not_pass() -> None:
    """SQLite has one class for that and for a full disk."""
    with pytest.raises(sqlite3.OperationalError) as mistake, closing(sqlite3.connect(":memory:")) as database:
        database.execute("SELECT 1 FROM nowhere")
    error = OperationalError("no such table")
    error.__cause__ = mistake.value

    assert unavailable(error) is None
    assert unavailable(mistake.value) is None
    assert unavailable(ValueError()) is None
    assert unavailable(InterfaceError("closed"))


def test_what_a_driver_says_without_django_around_it_passes() -> None:
    """A cursor of the server's is closed while the server goes away."""
    assert unavailable(psycopg.errors.AdminShutdown("terminating connection"))

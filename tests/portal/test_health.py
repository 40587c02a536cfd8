"""GET /healthz."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.staticfiles.storage import ManifestStaticFilesStorage
from django.db import connection
from django.db.utils import OperationalError
from django.test import Client
from pytest_django import DjangoAssertNumQueries, Settings

from portal import health
from tests.rsgi import ask


def ask_at_the_door(path: str) -> Any:
    answer = ask("GET", path)
    return SimpleNamespace(status_code=answer.status)


@pytest.fixture(autouse=True)
def _forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test starts as a new process does: nothing is known of the migrations."""
    monkeypatch.setattr(health, "_is_ready", False)


PATHS = ["/healthz", "/hub/health/", "/hub/health"]


@pytest.mark.django_db
@pytest.mark.parametrize("path", PATHS)
def test_a_portal_that_can_serve_answers_ok(client: Client, path: str) -> None:
    response = client.get(path)

    assert response.status_code == 200
    assert response.headers["Content-Type"].startswith("application/json")
    assert response.json() == {"status": "ok"}


@pytest.mark.django_db
@pytest.mark.parametrize("path", [*PATHS, "/api/openapi.json", "/nothing/", "/api/nothing"])
def test_head_is_answered_as_get_without_the_body(client: Client, path: str) -> None:
    whole, head = client.get(path), client.head(path)

    assert head.status_code == whole.status_code
    assert head.headers["Content-Type"] == whole.headers["Content-Type"]
    assert (head.content, len(whole.content) > 0) == (b"", True)


@pytest.mark.django_db
@pytest.mark.parametrize("path", PATHS)
def test_head_tells_of_an_unapplied_migration(client: Client, path: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'pixels'")

    assert client.head(path).status_code == 503


@pytest.mark.django_db
def test_once_migrated_a_check_costs_one_query(
    client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    client.get("/healthz")

    with django_assert_num_queries(1):
        client.get("/healthz")


@pytest.mark.django_db
def test_an_unapplied_migration_is_told(client: Client) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'pixels'")

    response = client.get("/healthz")

    assert response.status_code == 503
    assert response.json() == {"status": "unavailable", "reason": "migrations are not applied"}


@pytest.mark.django_db
def test_health_comes_with_the_migration(client: Client) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE django_migrations SET name = 'other' WHERE app = 'filters' AND name = '0001_initial'")
    assert client.get("/healthz").status_code == 503

    with connection.cursor() as cursor:
        cursor.execute("UPDATE django_migrations SET name = '0001_initial' WHERE app = 'filters' AND name = 'other'")
    assert client.get("/healthz").status_code == 200


@pytest.mark.django_db
def test_static_files_that_are_not_collected_are_told(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    storage = ManifestStaticFilesStorage()
    monkeypatch.setattr(health, "staticfiles_storage", storage)

    response = client.get("/healthz")

    assert (response.status_code, response.json()["reason"]) == (503, "static files are not collected")
    storage.manifest_hash = "f2e1"
    assert client.get("/healthz").status_code == 200


@pytest.mark.parametrize("asks", [Client().get, ask_at_the_door])
def test_a_process_is_alive_whatever_the_database_does(asks: Callable[[str], Any]) -> None:
    """No test without a mark may ask the database."""
    assert asks("/livez").status_code == 200


@pytest.mark.django_db
def test_a_silent_database_is_told_and_nothing_more(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: Any) -> None:
        raise OperationalError("connection to 10.1.2.3 failed: password of portal")

    monkeypatch.setattr(connection, "cursor", fail)

    response = client.get("/healthz")

    assert response.status_code == 503
    assert response.json() == {"status": "unavailable", "reason": "database does not answer"}


@pytest.mark.django_db
@pytest.mark.parametrize("path", PATHS)
def test_a_load_balancer_asks_by_address(client: Client, settings: Settings, path: str) -> None:
    settings.ALLOWED_HOSTS = ["gateway.example.com", "localhost"]

    assert client.get(path, headers={"Host": "10.1.2.3:8000"}).status_code == 200
    assert client.get("/admin/login/", headers={"Host": "10.1.2.3:8000"}).status_code == 400


@pytest.mark.django_db
@pytest.mark.parametrize("path", PATHS)
def test_a_load_balancer_asks_without_tls(client: Client, settings: Settings, path: str) -> None:
    settings.SECURE_SSL_REDIRECT = True

    assert client.get(path).status_code == 200
    assert client.get("/admin/login/").status_code == 301


@pytest.mark.django_db
def test_the_api_page_loads_its_scripts_from_here(client: Client) -> None:
    page = client.get("/api/docs").content.decode()

    assert "/static/ninja/swagger-ui-bundle.js" in page
    assert "https://" not in page
    assert "/healthz" in client.get("/api/openapi.json").json()["paths"]

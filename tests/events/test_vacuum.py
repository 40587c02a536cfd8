"""What PostgreSQL is told of the tables whose rows live for a moment (docs/decisions/0043)."""

from __future__ import annotations

from importlib import import_module

import pytest
from django.apps import apps
from django.db import connection

TABLES = ("events_outboxrow", "events_sourcerow")
SPEED = ["autovacuum_vacuum_cost_delay=0", "autovacuum_vacuum_scale_factor=0.01"]

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _on_postgresql() -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has no vacuum of its own")


def options(table: str) -> list[str] | None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT reloptions FROM pg_class WHERE oid = %s::regclass", [table])
        found: list[str] | None = cursor.fetchone()[0]
        return found


def migrate() -> None:
    with connection.schema_editor(atomic=False) as editor:
        import_module("events.migrations.0021_vacuum_at_full_speed").vacuum_at_full_speed(apps, editor)


@pytest.mark.parametrize("table", TABLES)
def test_what_waits_is_vacuumed_at_full_speed(table: str) -> None:
    assert options(table) == SPEED


def test_what_the_operator_has_set_stays() -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE events_outboxrow RESET (autovacuum_vacuum_cost_delay)")
        cursor.execute("ALTER TABLE events_outboxrow SET (autovacuum_vacuum_scale_factor = 0.5)")

    migrate()

    assert options("events_outboxrow") == ["autovacuum_vacuum_scale_factor=0.5"]

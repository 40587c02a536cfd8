"""Rows of what waits live for a moment: vacuum what they leave at full speed (docs/decisions/0043)."""

from __future__ import annotations

from typing import Any

from django.db import migrations

_TABLES = ("events_outboxrow", "events_sourcerow")


def vacuum_at_full_speed(apps: Any, schema_editor: Any) -> None:
    """What the operator has set for a table stays."""
    if schema_editor.connection.vendor != "postgresql":
        return
    for table in _TABLES:
        with schema_editor.connection.cursor() as cursor:
            cursor.execute("SELECT reloptions FROM pg_class WHERE oid = %s::regclass", [table])
            (options,) = cursor.fetchone()
        if not options:
            schema_editor.execute(
                f"ALTER TABLE {table} SET (autovacuum_vacuum_cost_delay = 0, autovacuum_vacuum_scale_factor = 0.01)"
            )


class Migration(migrations.Migration):
    dependencies = [("events", "0020_changes_of_events")]
    operations = [migrations.RunPython(vacuum_at_full_speed, migrations.RunPython.noop)]

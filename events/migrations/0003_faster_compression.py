from __future__ import annotations

from typing import Any

from django.db import migrations


def compress_with_lz4(apps: Any, schema_editor: Any) -> None:
    """PostgreSQL's own compression takes longer than all else of an INSERT of large bodies; lz4 takes a fraction.

    Servers of before version 14 do not know it, nor do those that were built without. SQLite compresses nothing.
    """
    if schema_editor.connection.vendor != "postgresql":
        return
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SELECT 'lz4' = ANY(enumvals) FROM pg_settings WHERE name = 'default_toast_compression'")
        known = cursor.fetchone()
    if known and known[0]:
        schema_editor.execute("ALTER TABLE events_outboxrow ALTER COLUMN body SET COMPRESSION lz4")


class Migration(migrations.Migration):
    dependencies = [("events", "0002_disconnected_usage")]
    operations = [migrations.RunPython(compress_with_lz4, migrations.RunPython.noop)]

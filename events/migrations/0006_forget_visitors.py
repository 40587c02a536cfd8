from typing import Any

from django.db import migrations


def forget(apps: Any, schema_editor: Any) -> None:
    """Forget all visitors: of some, somebody else's data are remembered, and hashes do not tell of which.

    Either statement takes a moment, however many rows there are; nothing refers to them. A process of the previous
    release may write such rows for some minutes more: they are never looked up again (_EPOCH in events/delivery/enrichment.py).
    """
    statement = "TRUNCATE" if schema_editor.connection.vendor == "postgresql" else "DELETE FROM"
    schema_editor.execute(f"{statement} {schema_editor.quote_name('events_identity')}")


class Migration(migrations.Migration):
    dependencies = [
        ("events", "0005_lane_silence"),
    ]

    operations = [
        migrations.RunPython(forget, migrations.RunPython.noop, elidable=True),
    ]

"""The delivery log that remembers: on PostgreSQL in parts by day, those of the next days from the start."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import migrations, models

from common.partitions import CreatePartitionedModel

_TABLES = ("events_deliverybatch", "events_deliverykey")
_COMPRESSED = ("ALTER TABLE events_deliverybatch ALTER COLUMN body SET STORAGE EXTERNAL",)
#: An index holds what is in the row itself.
_IN_ROW = ("ALTER TABLE events_deliverykey ALTER COLUMN digests SET STORAGE PLAIN",)


def store_in_parts(apps: Any, schema_editor: Any) -> None:
    """Bodies are packed already; the days from now on get parts, the scheduled task makes those that follow."""
    if schema_editor.connection.vendor != "postgresql":
        return
    for statement in (*_COMPRESSED, *_IN_ROW):
        schema_editor.execute(statement)
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    for table in _TABLES:
        for day in (today + timedelta(days=number) for number in range(4)):
            first, end = (int(moment.timestamp()) * 1_000_000 << 10 for moment in (day, day + timedelta(days=1)))
            schema_editor.execute(
                f"CREATE TABLE {table}_{day:%Y%m%d} PARTITION OF {table} FOR VALUES FROM ({first}) TO ({end})"
            )


class Migration(migrations.Migration):
    dependencies = [("events", "0012_event_ids")]
    operations = [
        CreatePartitionedModel(
            name="DeliveryBatch",
            by="id",
            fields=[
                ("id", models.BigIntegerField(primary_key=True, serialize=False)),
                ("tenant_id", models.CharField(max_length=8)),
                ("pixel", models.BigIntegerField(db_default=0, default=0)),
                ("source", models.BigIntegerField(db_default=0, default=0)),
                ("destination", models.BigIntegerField(db_default=0, default=0)),
                ("event_count", models.PositiveIntegerField()),
                ("outcomes", models.PositiveSmallIntegerField()),
                ("roads", models.PositiveSmallIntegerField()),
                ("kinds", models.TextField()),
                ("body", models.BinaryField()),
            ],
            options={"verbose_name": "delivery log", "verbose_name_plural": "delivery log"},
        ),
        CreatePartitionedModel(
            name="DeliveryKey",
            by="batch",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "batch", "key", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("batch", models.BigIntegerField()),
                ("tenant_id", models.CharField(max_length=8)),
                ("key", models.BigIntegerField()),
                ("digests", models.BinaryField()),
            ],
        ),
        migrations.AddIndex("deliverybatch", models.Index(fields=["tenant_id", "-id"], name="log_of_tenant")),
        migrations.AddIndex(
            "deliverybatch", models.Index(fields=["pixel", "source", "destination", "-id"], name="log_of_lane")
        ),
        migrations.AddIndex(
            "deliverykey",
            models.Index(fields=["tenant_id", "key"], include=["batch", "digests"], name="log_by_event_id"),
        ),
        migrations.RunPython(store_in_parts, migrations.RunPython.noop),
    ]

"""Tables that PostgreSQL keeps in parts, by ranges of a number; elsewhere they are plain tables.

What fits in no part goes into the default one, so that writing never waits for parts to be made.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db import connection, migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import ProjectState


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a table: the numbers from ``first`` up to, but without, ``end``."""

    name: str
    first: int
    end: int


def are_used() -> bool:
    """Does this database keep such tables in parts?"""
    return connection.vendor == "postgresql"


class CreatePartitionedModel(migrations.CreateModel):
    """Create the table of a model in parts, by ranges of a column of its primary key, with the default part."""

    def __init__(self, *args: Any, by: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.by = by

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        """Create the table."""
        if schema_editor.connection.vendor != "postgresql":
            super().database_forwards(app_label, schema_editor, from_state, to_state)
            return
        model = to_state.apps.get_model(app_label, self.name)
        sql, parameters = schema_editor.table_sql(model)
        table = model._meta.db_table
        schema_editor.execute(f"{sql} PARTITION BY RANGE ({self.by})", parameters or None)
        schema_editor.execute(f"CREATE TABLE {table}_rest PARTITION OF {table} DEFAULT", None)


def parts_of(model: type[models.Model]) -> list[Part]:
    """The parts that there are but for the default one, in their order."""
    with connection.cursor() as cursor:
        cursor.execute(_PARTS, [model._meta.db_table])
        return sorted((Part(*row) for row in cursor.fetchall()), key=lambda part: part.first)


def add_part(model: type[models.Model], part: Part) -> None:
    """Add a part. The default one is locked and looked through: it may hold nothing that belongs into the new one."""
    table = model._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            f"CREATE TABLE {part.name} PARTITION OF {table} FOR VALUES FROM ({part.first:d}) TO ({part.end:d})"
        )


def drop_part(part: Part) -> None:
    """Drop a part, with what is in it."""
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE IF EXISTS {part.name}")


def octets(model: type[models.Model]) -> int:
    """How much room all parts take, with their indexes."""
    with connection.cursor() as cursor:
        cursor.execute(_OCTETS, [model._meta.db_table])
        return int(cursor.fetchone()[0])


_PARTS = r"""
SELECT part.relname, (bounds[1])::bigint, (bounds[2])::bigint
FROM pg_inherits JOIN pg_class part ON part.oid = inhrelid,
    regexp_match(pg_get_expr(part.relpartbound, part.oid), 'FROM \(''?(-?\d+)''?\) TO \(''?(-?\d+)''?\)') AS bounds
WHERE inhparent = %s::regclass AND bounds IS NOT NULL
"""
_OCTETS = """
SELECT COALESCE(SUM(pg_total_relation_size(relid)), 0) FROM pg_partition_tree(%s::regclass) WHERE isleaf
"""

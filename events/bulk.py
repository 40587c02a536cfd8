"""Many rows by one statement, past the ORM, whose objects and parameters would take most of the time.

Inserting with one parameter, a JSON array, takes a quarter of bulk_create's time; reading in PostgreSQL's binary format
half of that of the text that Django asks for.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

import msgspec
from django.db import connection, models

Value = str | int | date | datetime | None


def insert(
    model: type[models.Model], columns: Sequence[str], rows: Sequence[Sequence[Value]], *, on_conflict: str = ""
) -> None:
    """Insert the rows, each with its values in the order of the columns; ``on_conflict`` is the clause of an upsert.

    All columns of the table but the key are to be named: the database knows none of Django's defaults.
    """
    if not rows:
        return
    postgres = connection.vendor == "postgresql"
    selected = ", ".join(
        _from_text(model, column, place) if postgres else f"json_extract(value, '$[{place}]')"
        for place, column in enumerate(columns)
    )
    source = "json_array_elements(%s::json) AS rows (value)" if postgres else "json_each(%s)"
    sql = (  # the names are the model's own; WHERE tells SQLite's parser that no join follows
        f"INSERT INTO {model._meta.db_table} ({', '.join(columns)}) "  # noqa: S608  # nosec B608
        f"SELECT {selected} FROM {source} WHERE true {on_conflict}"
    )
    parameter = msgspec.json.encode([[_storable(value) for value in row] for row in rows]).decode()
    with connection.cursor() as cursor:
        cursor.execute(sql, [parameter])


def _from_text(model: type[models.Model], column: str, place: int) -> str:
    """A value in PostgreSQL. Texts need no cast, which would cut what is too long for the column."""
    field = next(field for field in model._meta.concrete_fields if field.column == column)
    cast = "" if isinstance(field, models.CharField) else f"::{field.cast_db_type(connection)}"
    return f"(value ->> {place}){cast}"


def _storable(value: Value) -> Value:
    return connection.ops.adapt_datetimefield_value(value) if isinstance(value, datetime) else value


def fetch(sql: str, parameters: Sequence[Value]) -> list[tuple[Any, ...]]:
    """The rows that a SELECT finds; times are of UTC, on SQLite without saying so."""
    with connection.cursor() as cursor:
        if connection.vendor != "postgresql":
            cursor.execute(sql, [_storable(value) for value in parameters])
            return list(cursor.fetchall())
        import psycopg  # only where PostgreSQL is used

        with connection.wrap_database_errors, psycopg.Cursor(cursor.connection) as binary:
            return binary.execute(sql, parameters, binary=True).fetchall()


def delete(model: type[models.Model], keys: Sequence[int]) -> None:
    """Delete the rows with these keys, from a table to which no other refers; one parameter, however many they are."""
    if not keys:
        return
    texts = ",".join(map(str, keys))
    # PostgreSQL's own text for an array: psycopg would look at each number's size.
    among = "= ANY(%s::bigint[])" if connection.vendor == "postgresql" else "IN (SELECT value FROM json_each(%s))"
    parameter = f"{{{texts}}}" if connection.vendor == "postgresql" else f"[{texts}]"
    with connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {model._meta.db_table} WHERE id {among}", [parameter])  # noqa: S608  # nosec B608  # our tables

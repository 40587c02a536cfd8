"""Many rows by one statement, past the ORM, whose objects and parameters would take most of the time.

Inserting with one parameter, a JSON array, takes a quarter of bulk_create's time; of numbers and times, with an array
for each column, less still. Reading in PostgreSQL's binary format takes half of that of the text that Django asks for.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from datetime import UTC, date, datetime
from itertools import chain
from types import NoneType
from typing import Any

import msgspec
from django.db import connection, models

Value = str | int | bytes | date | datetime | None


def insert(
    model: type[models.Model], columns: Sequence[str], rows: Sequence[Sequence[Value]], *, on_conflict: str = ""
) -> None:
    """Insert the rows, each with its values in the order of the columns; ``on_conflict`` is the clause of an upsert.

    Name all columns of the table but the key and those with a ``db_default``: the database has no others of Django's.
    """
    if rows:
        with connection.cursor() as cursor:
            sql, parameters = _insert(model, columns, rows)
            cursor.execute(f"{sql} {on_conflict}", parameters)


def insert_new(
    model: type[models.Model], columns: Sequence[str], rows: Sequence[Sequence[Value]], *, returned: str
) -> list[Any]:
    """Insert those of the rows that are not there yet; one column of those that were inserted."""
    if not rows:
        return []
    with connection.cursor() as cursor:
        sql, parameters = _insert(model, columns, rows)
        cursor.execute(f"{sql} ON CONFLICT DO NOTHING RETURNING {returned}", parameters)
        return [value for (value,) in cursor.fetchall()]


def _insert(
    model: type[models.Model], columns: Sequence[str], rows: Sequence[Sequence[Value]]
) -> tuple[str, list[str]]:
    """The statement, and its parameters."""
    if connection.vendor == "postgresql" and _PLAIN.issuperset(map(type, chain.from_iterable(rows))):
        values, source = list(columns), _read_from_arrays(model, columns)
        parameters = list(map(_as_array, zip(*rows, strict=True)))
    else:
        values, source = _read_from_json(model, columns)
        parameters = [_as_json(rows)]
    # The names are the model's own; WHERE tells SQLite's parser that no join follows.
    sql = (
        f"INSERT INTO {model._meta.db_table} ({', '.join(columns)}) "  # noqa: S608  # nosec B608
        f"SELECT {', '.join(values)} FROM {source} WHERE true"
    )
    return sql, parameters


def update(model: type[models.Model], columns: Sequence[str], rows: Sequence[Sequence[Value]]) -> int:
    """Change the rows of which the first value is the key, in the first column; the number of those that are there."""
    if not rows:
        return 0
    (key, *values), source = _read_from_json(model, columns)
    table, changes = model._meta.db_table, ", ".join(map("{} = {}".format, columns[1:], values))
    sql = f"UPDATE {table} SET {changes} FROM {source} WHERE {table}.{columns[0]} = {key}"  # noqa: S608  # nosec B608
    with connection.cursor() as cursor:
        cursor.execute(sql, [_as_json(rows)])
        return int(cursor.rowcount)


def _read_from_json(model: type[models.Model], columns: Sequence[str]) -> tuple[list[str], str]:
    """Expressions for the columns' values, and what they are read from: a parameter, as ``_as_json`` gives it."""
    if connection.vendor != "postgresql":
        return [f"json_extract(value, '$[{place}]')" for place in range(len(columns))], "json_each(%s)"
    values = [_from_text(model, column, place) for place, column in enumerate(columns)]
    return values, "json_array_elements(%s::json) AS rows (value)"


#: What PostgreSQL's text for an array holds as it is, without quotes.
_PLAIN = frozenset((int, datetime, NoneType))


def _read_from_arrays(model: type[models.Model], columns: Sequence[str]) -> str:
    """What the columns' values are read from: a parameter each, as ``_as_array`` gives it."""
    arrays = ", ".join(f"%s::{_type_of(model, column)}[]" for column in columns)
    return f"unnest({arrays}) AS rows ({', '.join(columns)})"


def _as_array(values: Iterable[Value]) -> str:
    return f"{{{','.join(['NULL' if value is None else str(value) for value in values])}}}"


def _from_text(model: type[models.Model], column: str, place: int) -> str:
    """A value in PostgreSQL. Texts need no cast, which would cut what is too long for the column."""
    cast = "" if isinstance(_field(model, column), models.CharField) else f"::{_type_of(model, column)}"
    return f"(value ->> {place}){cast}"


def _type_of(model: type[models.Model], column: str) -> str:
    return str(_field(model, column).cast_db_type(connection))


def _field(model: type[models.Model], column: str) -> models.Field[Any, Any]:
    return next(field for field in model._meta.concrete_fields if field.column == column)


def _as_json(rows: Sequence[Sequence[Value]]) -> str:
    return msgspec.json.encode(_storable(rows)).decode()


def _storable(rows: Sequence[Sequence[Value]]) -> list[list[Value]]:
    adapt = connection.ops.adapt_datetimefield_value  # looked up once: ``connection`` does it at every use
    return [[adapt(value) if isinstance(value, datetime) else value for value in row] for row in rows]


def _aware(value: Any) -> Any:
    return value.replace(tzinfo=UTC) if isinstance(value, datetime) else value


def fetch(sql: str, parameters: Sequence[Value]) -> list[tuple[Any, ...]]:
    """The rows that a SELECT finds; times are of UTC."""
    with connection.cursor() as cursor:
        if connection.vendor != "postgresql":
            cursor.execute(sql, _storable([parameters])[0])
            return [tuple(map(_aware, row)) for row in cursor]
        import psycopg  # only where PostgreSQL is used

        # Where Django counts queries, it counts this one too.
        counted = getattr(cursor, "debug_sql", nullcontext)
        with connection.wrap_database_errors, counted(sql), psycopg.Cursor(cursor.connection) as binary:
            return binary.execute(sql, parameters, binary=True).fetchall()


def delete(model: type[models.Model], keys: Sequence[int]) -> None:
    """Delete the rows with these keys, from a table to which no other refers."""
    if not keys:
        return
    among, parameter = are_among(keys)
    with connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {model._meta.db_table} WHERE id {among}", [parameter])  # noqa: S608  # nosec B608  # our tables


def are_among(keys: Iterable[int]) -> tuple[str, str]:
    """What stands behind a column's name in a condition, and its one parameter, however many the keys are."""
    texts = ",".join(map(str, keys))
    if connection.vendor == "postgresql":  # its own text for an array: psycopg would look at each number's size
        return "= ANY(%s::bigint[])", f"{{{texts}}}"
    return "IN (SELECT value FROM json_each(%s))", f"[{texts}]"

"""Reads written with the ORM, compiled to SQL once and run often (docs/decisions/0010-fast-graphql.md).

A read model is one ``Statement``, with ``One`` and ``Rows`` of other tables nested in it, so that it fetches a tree at
once. The database answers in JSON, alike on PostgreSQL and SQLite: times and UUIDs are text, what is missing is null.

    people = Rows(Membership.objects.filter(tenant=OuterRef("pk")), "user__email", "level")
    account = Statement(Tenant.objects.filter(pk=Param("id")), "name", people)
    account.one(id="hU2koC34")  # ["Shoes", [["ada@example.com", "admin"]]]

With a ``row``, a ``msgspec.Struct`` that is ``array_like``, rows come as such. ``columns_of`` makes the columns from
its fields, and rows nested in it are fields of such a class again. Every value is checked to be of its field's type.

    class AccountView(msgspec.Struct, array_like=True):
        name: str
        people: list[PersonView]

    Statement(accounts, *columns_of(AccountView, people=people), row=AccountView).one()  # AccountView(name="Shoes", …)

What must be made sure of before anything is told, such as that a token is still valid, need not take a statement of its
own: a statement that is given a ``Guard`` finds rows only where it is so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Annotated, Any, Generic, TypeVar, overload
from uuid import UUID

import msgspec
import orjson
from django.core.exceptions import EmptyResultSet
from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import (
    BigIntegerField,
    BooleanField,
    DateTimeField,
    Expression,
    Field,
    Func,
    JSONField,
    Q,
    QuerySet,
    Subquery,
    TextField,
    UUIDField,
    Value,
)
from django.db.models.expressions import Combinable
from django.db.models.functions import Cast
from django.db.models.sql import Query
from msgspec.structs import FieldInfo, fields
from psycopg.sql import Literal

from common.postgresql.base import DatabaseWrapper
from common.postgresql.prepared import numbered

#: The type of a field that holds a moment of the database as whole milliseconds since the epoch; 0.0 for never.
Moment = Annotated[float, "milliseconds"]

#: What makes SQLite write a value of a type as PostgreSQL does.
_IN_SQLITE: dict[type[Field[Any, Any]], str] = {
    BooleanField: "json(CASE %s WHEN 1 THEN 'true' WHEN 0 THEN 'false' END)",
    DateTimeField: "%s || '+00:00'",
    JSONField: "json(%s)",
    UUIDField: " || '-' || ".join(
        f"substr(%s, {start}, {size})" for start, size in ((1, 8), (9, 4), (13, 4), (17, 4), (21, 12))
    ),
}


#: Values that PostgreSQL reads from their text.
_WRITTEN = frozenset({str, int, UUID})


class Param(Expression):
    """A value of a statement that is given when it runs."""

    def __init__(self, name: str, output_field: Field[Any, Any] | None = None) -> None:
        super().__init__(output_field or TextField())
        self.name = name

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, Any]:
        """A placeholder, and this object as the parameter until the value takes its place."""
        return "%s", [self]

    def prepared(self, value: Any, db: BaseDatabaseWrapper) -> Any:
        """The value as the database takes it. PostgreSQL reads times from text, which is quicker to write here."""
        if db.vendor == "postgresql":
            if value.__class__ in _WRITTEN:
                return str(value)
            if value.__class__ is datetime:
                return value.isoformat()
        return self.output_field.get_db_prep_value(value, db)


class _List(TextField):  # type: ignore[type-arg]  # Django has no such class to subscript
    """Whole numbers, texts or UUIDs: a list in PostgreSQL, JSON in SQLite, which keeps a UUID as its digits."""

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        if connection.vendor == "postgresql":
            return list(value)
        return orjson.dumps([one.hex if isinstance(one, UUID) else one for one in value]).decode()


class Among(Func):
    """The condition that a column is one of the values which the statement is given as ``name``."""

    output_field = BooleanField()

    def __init__(self, column: str | Combinable, name: str) -> None:
        super().__init__(column, Param(name, _List()))

    def as_postgresql(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        return self.as_sql(compiler, connection, template="%(expressions)s)", arg_joiner=" = ANY(")

    def as_sqlite(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        joiner = " IN (SELECT value FROM json_each("
        return self.as_sql(compiler, connection, template="%(expressions)s))", arg_joiner=joiner)


#: A column that is not asked for.
NOTHING = Value(None, TextField())


def columns_of(row: type[msgspec.Struct], prefix: str = "", **others: str | Combinable) -> list[str | Combinable]:
    """A column for each field of ``row``, in their order: of the same name behind ``prefix``, or as ``others`` say.

    A field with a default needs no column, if no field after it has one; it has one where ``others`` name it.
    """
    columns: list[str | Combinable] = []
    left_out = ""
    for field in _fields(row):
        if field.name not in others and not field.required:
            left_out = field.name
            continue
        if left_out:
            raise TypeError(f"{row.__name__}.{left_out} needs a column, since {field.name} has one.")
        columns.append(others.pop(field.name) if field.name in others else _column(field, prefix))
    if others:
        raise TypeError(f"{row.__name__} has no field {', '.join(others)}.")
    return columns


#: Looked up once: msgspec reads the annotations at every call.
_fields = cache(fields)


def _column(field: FieldInfo, prefix: str) -> str | Combinable:
    name = f"{prefix}{field.name}"
    return Milliseconds(name) if field.type == Moment else name


class Row(Func):
    """Columns as a JSON array."""

    output_field = JSONField()

    def as_postgresql(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        """As text: ``jsonb`` would be taken apart, only to be put together again."""
        return self.as_sql(compiler, connection, function="json_build_array", **extra)

    def as_sqlite(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        """With the types that SQLite lacks."""
        same = self.copy()
        same.set_source_expressions([_as_in_postgresql(column) for column in self.get_source_expressions()])
        return same.as_sql(compiler, connection, function="json_array", **extra)


def _as_in_postgresql(column: Any) -> Any:
    template = _IN_SQLITE.get(type(column.output_field))
    return _Converted(column, template) if template else column


class _Converted(Func):
    empty_result_set_value = None

    def __init__(self, column: Any, template: str) -> None:
        super().__init__(column, output_field=TextField())
        self.conversion = template

    def as_sqlite(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        sql, params = compiler.compile(self.get_source_expressions()[0])
        uses = self.conversion.count("%s")
        return self.conversion.replace("%s", sql), [*params] * uses


class One(Subquery):
    """The only row of another table, as a JSON array; null where there is none."""

    output_field = JSONField()

    def __init__(self, rows: QuerySet[Any], *columns: str | Combinable) -> None:
        super().__init__(rows.annotate(r=Row(*columns)).values_list("r"))


class Rows(One):
    """The rows of another table in their order, as a JSON array of arrays."""

    def as_postgresql(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        template = "(SELECT coalesce(json_agg(r), '[]') FROM (%(subquery)s) AS t)"
        return self.as_sql(compiler, connection, template=template)

    def as_sqlite(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        template = "(SELECT json_group_array(json(r)) FROM (%(subquery)s))"
        return self.as_sql(compiler, connection, template=template)


class HowMany(Subquery):
    """The number of rows; of a slice no more than that."""

    output_field = BigIntegerField()
    template = "(SELECT COUNT(*) FROM (%(subquery)s) AS t)"

    def __init__(self, rows: QuerySet[Any]) -> None:
        super().__init__(rows.values("pk"))


class Sums(Func):
    """The sums of columns over the rows of several querysets, as a JSON array; null where there are no rows.

    Where a condition had an ``OR`` for them, PostgreSQL would make a bitmap of what it found for either side.
    """

    output_field = JSONField()
    arg_joiner = " UNION ALL "

    def __init__(self, parts: Iterable[QuerySet[Any, Any]], *columns: str) -> None:
        super().__init__(*(_Part(rows.order_by().values(*columns)) for rows in parts))
        self.sums = ", ".join(f"SUM({connection.ops.quote_name(column)})" for column in columns)

    def as_postgresql(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        return self._as_array(compiler, connection, "json_build_array")

    def as_sqlite(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        return self._as_array(compiler, connection, "json_array")

    def _as_array(self, compiler: Any, connection: Any, function: str) -> Any:
        array = f"CASE WHEN COUNT(*) > 0 THEN {function}({self.sums}) END"
        template = f"(SELECT {array} FROM (%(expressions)s) AS t)"  # noqa: S608  # nosec B608  # names of columns
        return self.as_sql(compiler, connection, template=template)


class _Part(Subquery):
    template = "%(subquery)s"  # without brackets, which SQLite takes nowhere in a UNION


class Milliseconds(Func):
    """A moment as whole milliseconds since the epoch; 0 for never."""

    output_field = BigIntegerField()

    def as_postgresql(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        template = "trunc(coalesce(date_part('epoch', %(expressions)s) * 1000, 0))::bigint"
        return self.as_sql(compiler, connection, template=template)

    def as_sqlite(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        """From text such as 2026-05-01 12:30:00.999999; the fraction, which SQLite would round, may be missing."""
        sql, params = compiler.compile(self.get_source_expressions()[0])
        seconds = f"strftime('%%s', substr({sql}, 1, 19)) + CAST(substr({sql}, 20) AS REAL)"
        return f"CAST(coalesce(({seconds}) * 1000, 0) AS INTEGER)", [*params] * 2


#: What a ``Guard`` makes sure of: a function, since it may ask models. There are few: a statement is compiled for each.
Condition = Callable[[], Combinable]


@dataclass(slots=True)
class Guard:
    """A condition with the values of the ``Param`` in it; ``holds`` once a statement has found rows under it.

    Where none has, nothing is known: there may be no rows, and no statement may have run.
    """

    condition: Condition
    values: Mapping[str, Any]
    holds: bool = False


#: What a row is given as.
R = TypeVar("R")


class Statement(Generic[R]):
    """A queryset that is compiled once. Its values are those of now, but for the ``Param`` in it.

    On PostgreSQL it is a prepared statement: each connection plans it once.
    """

    @overload
    def __init__(self: Statement[list[Any]], rows: QuerySet[Any], *columns: str | Combinable) -> None: ...
    @overload
    def __init__(self, rows: QuerySet[Any], *columns: str | Combinable, row: type[R]) -> None: ...
    def __init__(self, rows: QuerySet[Any], *columns: str | Combinable, row: Any = list) -> None:
        self._query = rows.annotate(r=Cast(Row(*columns), TextField())).values_list("r").query
        self._decoder = msgspec.json.Decoder(list[row])
        self._compiled: dict[Condition | None, _Compiled] = {}

    def all(self, guard: Guard | None = None, /, **values: Any) -> list[R]:
        """The rows; msgspec.ValidationError where a value is not of its field's type.

        With a ``guard`` that does not hold yet, rows are found where its condition is true, and then it holds.
        """
        if guard is None or guard.holds:
            return self._all(None, values)
        rows = self._all(guard.condition, {**values, **guard.values})
        guard.holds = bool(rows)
        return rows

    def one(self, guard: Guard | None = None, /, **values: Any) -> R | None:
        """The first row; None where there is none."""
        rows = self.all(guard, **values)
        return rows[0] if rows else None

    def _all(self, condition: Condition | None, values: Mapping[str, Any]) -> list[R]:
        compiled = self._compiled.get(condition)
        if compiled is None:
            compiled = self._compiled[condition] = _compile(self._query, condition)
        return self._decoder.decode(b"[%b]" % b",".join(compiled.fetch(values)))


@dataclass(frozen=True, slots=True)
class _Compiled:
    """A statement's SQL, which is empty where nothing can meet its conditions, and what is to be given with it."""

    sql: str
    #: The same with the placeholders of PostgreSQL.
    numbered: bytes
    params: Sequence[Any]

    def fetch(self, values: Mapping[str, Any]) -> list[bytes]:
        """The rows as they are told by the database, in JSON."""
        if not self.sql:
            return []
        db = connections[DEFAULT_DB_ALIAS]  # looked up once: ``connection`` does it at every use
        params = [
            param.prepared(values[param.name], db) if isinstance(param, Param) else param for param in self.params
        ]
        if isinstance(db, DatabaseWrapper) and not db.queries_logged and not db.execute_wrappers:
            return db.fetch_prepared(self.numbered, params)
        with db.cursor() as cursor:
            cursor.execute(self.sql, params)
            return [text.encode() for (text,) in cursor.fetchall()]


def _compile(query: Query, condition: Condition | None) -> _Compiled:
    if condition:
        if not query.group_by and any(column.contains_aggregate for column in query.annotation_select.values()):
            raise ValueError("Sums of no rows are a row: they say nothing of the condition.")
        query = query.chain()
        query.add_q(Q(condition()))  # and not by the queryset, which has none for its slices
    connection.ensure_connection()
    try:
        sql, params = query.get_compiler(connection=connection).as_sql()
    except EmptyResultSet:
        sql, params = "", ()
    if connection.vendor == "postgresql":
        sql, params = _with_constants(sql, params)
    return _Compiled(sql, numbered(sql), params)


def _with_constants(sql: str, params: Sequence[Any]) -> tuple[str, list[Param]]:
    """The statement with its constants written into it, for the server to plan with, and what remains to be given."""
    texts = [
        "%s" if isinstance(param, Param) else Literal(param).as_string(connection.connection).replace("%", "%%")
        for param in params
    ]
    return sql.replace("%%", "%%%%") % tuple(texts), [param for param in params if isinstance(param, Param)]

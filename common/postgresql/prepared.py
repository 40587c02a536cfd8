"""Statements that libpq itself prepares and runs: for a look-up, a cursor takes longer than the server."""

from __future__ import annotations

import hashlib
import re
from collections import OrderedDict
from collections.abc import Sequence
from contextlib import suppress
from itertools import count
from typing import Any

from psycopg.errors import (
    DuplicatePreparedStatement,
    Error,
    InvalidSqlStatementName,
    OperationalError,
    error_from_result,
)
from psycopg.pq import DiagnosticField, ExecStatus
from psycopg.pq.abc import PGconn, PGresult

#: A connection keeps so many, those used last: who makes up documents makes up statements.
KEPT = 100


def are_texts(params: Sequence[Any]) -> bool:
    """Can libpq be given these? Its texts end with NUL."""
    return all(param.__class__ is str and "\0" not in param for param in params)


def numbered(sql: str) -> bytes:
    """Django's SQL with the placeholders of PostgreSQL: ``$1``, ``$2`` and so on."""
    numbers = count(1)
    return re.sub("%(.)", lambda match: f"${next(numbers)}" if match[1] == "s" else match[1], sql).encode()


class PreparedStatements:
    """What one connection has prepared, by its text.

    For use outside of transactions: psycopg begins one with a cursor alone, and a statement that is found gone would
    abort it. While the server works, the thread waits in C, so that a signal is noticed afterwards.
    """

    def __init__(self, pgconn: PGconn) -> None:
        self._pgconn = pgconn
        self._names: OrderedDict[bytes, bytes] = OrderedDict()

    def fetch(self, query: bytes, params: Sequence[str]) -> list[bytes]:
        """The texts that the query's only column holds, in UTF-8; psycopg's errors where the server refuses, or has
        gone.
        """
        result = self._run(query, [param.encode() for param in params], None, ExecStatus.TUPLES_OK)
        # A statement's text is never null: it is an array's.
        return [result.get_value(row, 0) for row in range(result.ntuples)]  # type: ignore[misc]

    def execute(self, query: bytes, values: Sequence[bytes | None], formats: Sequence[int]) -> None:
        """Run what gives no rows; the values are texts, of format 1 the bytes of a ``bytea``, or null."""
        self._run(query, values, formats, ExecStatus.COMMAND_OK)

    def _run(
        self, query: bytes, values: Sequence[bytes | None], formats: Sequence[int] | None, expected: ExecStatus
    ) -> PGresult:
        try:
            return self._exec(query, values, formats, expected)
        except InvalidSqlStatementName:  # psycopg lets go of all that was prepared when a transaction is rolled back
            self._names.clear()
            return self._exec(query, values, formats, expected)

    def _exec(
        self, query: bytes, values: Sequence[bytes | None], formats: Sequence[int] | None, expected: ExecStatus
    ) -> PGresult:
        result = self._pgconn.exec_prepared(self._name(query), values, formats)  # type: ignore[arg-type]  # takes null
        return self._checked(result, expected)

    def _checked(self, result: PGresult, expected: ExecStatus) -> PGresult:
        if result.status != expected:
            raise self._error(result)
        return result

    def _name(self, query: bytes) -> bytes:
        if query in self._names:
            self._names.move_to_end(query)
            return self._names[query]
        if len(self._names) >= KEPT:
            self._pgconn.close_prepared(self._names.popitem(last=False)[1])
        # By its text: whatever a pooler may mix up, a name never stands for another statement.
        name = b"portal_" + hashlib.sha256(query).hexdigest()[:32].encode()
        with suppress(DuplicatePreparedStatement):
            self._checked(self._pgconn.prepare(name, query), ExecStatus.COMMAND_OK)
        self._names[query] = name
        return name

    def _error(self, result: PGresult) -> Error:
        if result.error_field(DiagnosticField.SQLSTATE) is None:  # not the server says so: it does not answer
            return OperationalError(self._pgconn.get_error_message())
        return error_from_result(result)

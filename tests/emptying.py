"""What a test has committed is deleted after it."""

from __future__ import annotations

from django.db import connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.test import TransactionTestCase

#: What the migrations have written, and no test changes.
KEPT = {"django_content_type", "auth_permission"}


def empty_tables(database: BaseDatabaseWrapper) -> None:
    """Delete all rows; constraints are looked at when all are gone."""
    tables = sorted({*database.introspection.django_table_names(include_views=False)} - KEPT)
    with transaction.atomic(using=database.alias), database.cursor() as cursor:
        statements = [f"DELETE FROM {database.ops.quote_name(table)}" for table in tables]  # noqa: S608
        # PostgreSQL takes them all at once.
        for statement in ["; ".join(statements)] if database.vendor == "postgresql" else statements:
            cursor.execute(statement)


def delete_what_tests_commit() -> None:
    """In the place of Django's ``flush``.

    That makes, on PostgreSQL, a new file of each of hundreds of tables and indexes, empty though they are, and writes
    the names of all models and permissions anew.
    """

    def teardown(self: TransactionTestCase) -> None:
        for name in self._databases_names(include_mirrors=False):  # type: ignore[attr-defined]
            empty_tables(connections[name])

    TransactionTestCase._fixture_teardown = teardown  # type: ignore[attr-defined]

"""Writing a row of the outbox: one statement, which outside of a transaction is its own."""

from __future__ import annotations

from django.db import connection
from django.utils import timezone

from events.models import OutboxRow

# On PostgreSQL the body goes as it is (%b); bound by Django, it would be sent as hexadecimal text, twice as long.
_INSERT = f"""
    INSERT INTO {OutboxRow._meta.db_table} (pixel_id, received_at, intake, counted, event_count, options, body)
    VALUES (%s, %s, %s, %s, %s, %s, {{placeholder}})
"""  # noqa: S608  # the table's name is a constant


def add_row(pixel_pk: int, *, intake: OutboxRow.Intake, event_count: int, options: str, body: bytes) -> None:
    """Add what a request has brought; IntegrityError where the pixel is gone."""
    received_at = connection.ops.adapt_datetimefield_value(timezone.now())
    values = (pixel_pk, received_at, intake.value, False, event_count, options, body)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            import psycopg  # only where PostgreSQL is used

            with connection.wrap_database_errors, psycopg.Cursor(cursor.connection) as binding:
                binding.execute(_INSERT.format(placeholder="%b"), values)
        else:
            cursor.execute(_INSERT.format(placeholder="%s"), values)

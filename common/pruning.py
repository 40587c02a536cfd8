"""Deleting many rows, a bounded number at a time."""

from __future__ import annotations

from typing import Any

from django.db import connection, transaction
from django.db.models import QuerySet

#: What one transaction deletes at most.
ROWS_AT_ONCE = 5_000


def delete_in_parts(rows: QuerySet[Any]) -> None:
    """Delete the rows. Those that somebody else is at work on wait for the next time: nobody waits in a circle."""
    skip = connection.features.has_select_for_update_skip_locked
    found = ROWS_AT_ONCE
    while found == ROWS_AT_ONCE:
        with transaction.atomic():
            some = list(rows.order_by().select_for_update(skip_locked=skip).values_list("pk", flat=True)[:ROWS_AT_ONCE])
            rows.model._base_manager.filter(pk__in=some).delete()
            found = len(some)

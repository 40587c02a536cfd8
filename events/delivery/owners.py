"""Of whom something waits: found by steps in an index, whatever waits."""

from __future__ import annotations

from django.db.models import Model
from django.db.models.expressions import RawSQL

# Each owner is found by one step in the index of (owner, …): the cost follows the number of owners, not of their rows,
# as DISTINCT would have it.
_WITH_ROWS = """
    WITH RECURSIVE waiting (owner) AS (
        SELECT MIN({column}) FROM {table}
        UNION ALL
        SELECT (SELECT MIN({column}) FROM {table} WHERE {column} > waiting.owner)
        FROM waiting WHERE waiting.owner IS NOT NULL
    )
    SELECT owner FROM waiting WHERE owner IS NOT NULL
"""


def owners_with_rows(model: type[Model], column: str) -> RawSQL:
    """The keys in the column, for a condition. An index of the table must begin with it."""
    statement = _WITH_ROWS.format(table=model._meta.db_table, column=column)
    return RawSQL(statement, ())  # noqa: S611  # nosec B611  # names of ours

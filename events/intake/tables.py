"""Objects that are alike, looked at column by column: of many at once, it takes a fraction of the time."""

from __future__ import annotations

from typing import Any

Object = dict[str, Any]


class Table:
    """Objects of one kind: a row for each, a column for each field."""

    def __init__(self, rows: list[Object]) -> None:
        self.rows = rows
        #: Of the fields that any of them has.
        self.names: set[str] = set().union(*rows)

    def column(self, field: str) -> list[Any]:
        """The values of a field, of the objects that have it: mostly of all."""
        if field not in self.names:
            return []
        try:
            return [row[field] for row in self.rows]
        except KeyError:
            return [row[field] for row in self.rows if field in row]

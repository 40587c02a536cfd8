"""What an upgrade must keep, by row: counters, dead letters and waiting events, as ``scripts/rows.py`` wrote them.

The migration changes no value. When workers have then done what waits, each event has one fate: as many were
published, failed, dropped or expired as wait no more; the sandbox got what was counted; nothing counted was lost.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

COUNTERS, LETTERS, WAITING = "events_counter", "events_deadletter", "events_outboxrow"
FATES = (
    "published",
    "failed",
    "expired",
    "dropped_by_event_filter",
    "dropped_by_domain_filter",
    "dropped_receiving_off",
    "dropped_publishing_off",
)
SPANS = {0: "minute", 1: "hour", 2: "day"}
_KEY = ("pixel_id", "span", "dimension", "start", "label")

Row = dict[str, Any]
Tables = dict[str, list[Row]]


def changed_by_migration(before: Tables, after: Tables) -> Iterator[str]:
    """Rows that are not the same in every column that both versions have, a sentence for each table."""
    for table, rows in before.items():
        kept = Counter(_values(rows, rows, after[table]))
        kept.subtract(_values(after[table], rows, after[table]))
        if lost := sum(map(abs, kept.values())):
            yield f"{table}: {lost} rows differ after the migration."


def lost_by_draining(before: Tables, after: Tables, published: int) -> Iterator[str]:
    """What does not come out even between the migrated rows and those after draining; ``published``: at the sandbox."""
    yield from _lost_figures(before[COUNTERS], after[COUNTERS])
    there = {row["id"]: row for row in after[LETTERS]}
    if lost := sum(there.get(row["id"]) != row for row in before[LETTERS]):
        yield f"{lost} dead letters are not as they were."
    settled = _events(before[WAITING]) - _events(after[WAITING])
    counted = _events(before[WAITING], new=True) - _events(after[WAITING], new=True)
    refused = len(after[LETTERS]) - len(before[LETTERS])
    for span, name in SPANS.items():
        was, now = _totals(before[COUNTERS], span), _totals(after[COUNTERS], span)
        more = {column: now[column] - was[column] for column in ("received", *FATES)}
        for what, figure, rows in (
            ("events were received", more["received"], counted),
            ("events met a fate", sum(more[fate] for fate in FATES), settled),
            ("events were published", more["published"], published),
            ("events failed", more["failed"], refused),
        ):
            if figure != rows:
                yield f"By {name}, {figure} {what}; the rows tell of {rows}."


def told(before: Tables, after: Tables, published: int) -> str:
    """What was compared, in a line."""
    of = ", ".join(
        f"{len(before[table])} {name}" for table, name in ((COUNTERS, "counters"), (LETTERS, "dead letters"))
    )
    waited, waits = _events(before[WAITING]), _events(after[WAITING])
    return f"Kept: {of}. Of {waited} waiting events {published} were published, {waits} wait."


def _lost_figures(before: Iterable[Row], after: Iterable[Row]) -> Iterator[str]:
    now = {tuple(row[name] for name in _KEY): row for row in after}
    for row in before:
        there = now.get(tuple(row[name] for name in _KEY), {})
        less = [name for name, value in row.items() if isinstance(value, int) and there.get(name, -1) < value]
        if less:
            yield f"The counter {row['id']} has lost {', '.join(less)}."


def _values(rows: Iterable[Row], *versions: list[Row]) -> Iterator[tuple[Any, ...]]:
    """The rows' values in the columns that all versions have."""
    names = sorted(set.intersection(*(set(some[0]) for some in versions if some)) if all(versions) else [])
    return (tuple(row[name] for name in names) for row in rows)


def _events(rows: Iterable[Row], *, new: bool = False) -> int:
    """How many events the rows hold; with ``new``, of those that are not counted as received."""
    return sum(row["event_count"] for row in rows if not (new and row["counted"]))


def _totals(rows: Iterable[Row], span: int) -> Counter[str]:
    total: Counter[str] = Counter()
    for row in rows:
        if row["span"] == span and row["dimension"] == 0:
            total.update({name: value for name, value in row.items() if isinstance(value, int)})
    return total

"""What an upgrade must keep, by row: counters, dead letters, waiting events and findings, from ``scripts/rows.py``.

The migration changes no value. When workers have then done what waits, each event has one fate, of a gateway source at
each destination: as many were published, failed, dropped or expired as wait no more; the sandbox got what was counted;
nothing counted was lost.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

COUNTERS, LETTERS, WAITING = "events_counter", "events_deadletter", "events_outboxrow"
OF_SOURCES, AT_DESTINATIONS = "events_sourcecounter", "events_destinationcounter"
REQUESTS, PLACED, CURSORS = "events_sourcerow", "events_sourcelane", "events_destinationcursor"
APART, REFUSED = "events_destinationrow", "events_destinationletter"
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
#: Tables of counters, and the column that tells whose they are.
_OWNERS = {COUNTERS: "pixel_id", OF_SOURCES: "source_id", AT_DESTINATIONS: "destination_id"}
_KEY = ("span", "dimension", "start", "label")
#: Rows that workers add to, and leave as they are.
_KEPT = {
    LETTERS: "dead letters",
    REFUSED: "dead letters of destinations",
    "events_finding": "findings",
    "events_sourcefinding": "findings of sources",
}
#: Rows whose number only rises: the table, what tells them apart, the column.
_RISING = ((PLACED, ("source_id",), "placed"), (CURSORS, ("destination_id", "source_id"), "place"))
#: What was switched off when it came is sent nowhere.
_RECEIVING_OFF = 1

Row = dict[str, Any]
Tables = dict[str, list[Row]]


class _Figures(NamedTuple):
    """What counters tell of a kind of owner more than before, and how much of it rows tell."""

    counters: str
    what: str
    columns: tuple[str, ...]
    rows: int


def changed_by_migration(before: Tables, after: Tables) -> Iterator[str]:
    """Rows that are not the same in every column that both versions have, a sentence for each table."""
    for table, rows in before.items():
        kept = Counter(_values(rows, rows, after[table]))
        kept.subtract(_values(after[table], rows, after[table]))
        if lost := sum(map(abs, kept.values())):
            yield f"{table}: {lost} rows differ after the migration."


def lost_by_draining(before: Tables, after: Tables, published: int) -> Iterator[str]:
    """What does not come out even between the migrated rows and those after draining; ``published``: at the sandbox."""
    for table in _OWNERS:
        yield from _lost_figures(table, before[table], after[table])
    for table, name in _KEPT.items():
        there = {row["id"]: row for row in after[table]}
        if lost := sum(there.get(row["id"]) != row for row in before[table]):
            yield f"{lost} {name} are not as they were."
    for table, key, column in _RISING:
        places = {tuple(row[name] for name in key): row[column] for row in after[table]}
        if lost := sum(places.get(tuple(row[name] for name in key), -1) < row[column] for row in before[table]):
            yield f"{table}: {lost} rows went back."
    for span, name in SPANS.items():
        more = {table: _more(before[table], after[table], span) for table in _OWNERS}
        for told in _figures(before, after):
            figure = sum(more[told.counters][column] for column in told.columns)
            if figure != told.rows:
                yield f"By {name}, {figure} {told.what}; the rows tell of {told.rows}."
        sent = sum(of_table["published"] for of_table in more.values())
        if sent != published:
            yield f"By {name}, {sent} events were published; the sandbox got {published}."


def _figures(before: Tables, after: Tables) -> Iterator[_Figures]:
    """What must come out even."""
    settled = _events(before[WAITING]) - _events(after[WAITING])
    counted = _events(before[WAITING], new=True) - _events(after[WAITING], new=True)
    yield _Figures(COUNTERS, "events were received", ("received",), counted)
    yield _Figures(COUNTERS, "events met a fate", FATES, settled)
    yield _Figures(COUNTERS, "events failed", ("failed",), len(after[LETTERS]) - len(before[LETTERS]))
    taken_in = _unplaced(before) - _unplaced(after)
    yield _Figures(OF_SOURCES, "events were received of sources", ("received",), taken_in)
    passed = _behind(before) - _behind(after)
    yield _Figures(AT_DESTINATIONS, "events came to destinations", ("received",), passed)
    settled = passed + _events(before[APART]) - _events(after[APART])
    yield _Figures(AT_DESTINATIONS, "events met a fate at destinations", FATES, settled)
    refused = len(after[REFUSED]) - len(before[REFUSED])
    yield _Figures(AT_DESTINATIONS, "events failed at destinations", ("failed",), refused)


def told(before: Tables, after: Tables, published: int) -> str:
    """What was compared, in a line."""
    counters, letters = sum(len(before[table]) for table in _OWNERS), len(before[LETTERS]) + len(before[REFUSED])
    waited, waits = (_events(tables[WAITING]) + _behind(tables) + _events(tables[APART]) for tables in (before, after))
    return (
        f"Kept: {counters} counters, {letters} dead letters. Of {waited} waiting events {published} were published, "
        f"{waits} wait."
    )


def _lost_figures(table: str, before: Iterable[Row], after: Iterable[Row]) -> Iterator[str]:
    key = (_OWNERS[table], *_KEY)
    now = {tuple(row[name] for name in key): row for row in after}
    for row in before:
        there = now.get(tuple(row[name] for name in key), {})
        less = [name for name, value in row.items() if isinstance(value, int) and there.get(name, -1) < value]
        if less:
            yield f"{table}: the counter {row['id']} has lost {', '.join(less)}."


def _values(rows: Iterable[Row], *versions: list[Row]) -> Iterator[tuple[Any, ...]]:
    """The rows' values in the columns that all versions have."""
    names = sorted(set.intersection(*(set(some[0]) for some in versions if some)) if all(versions) else [])
    return (tuple(row[name] for name in names) for row in rows)


def _events(rows: Iterable[Row], *, new: bool = False) -> int:
    """How many events the rows hold; with ``new``, of those that are not counted as received."""
    return sum(row["event_count"] for row in rows if not (new and row["counted"]))


def _unplaced(tables: Tables) -> int:
    """Events of sources that are not counted yet."""
    return _events(row for row in tables[REQUESTS] if row["place"] is None)


def _behind(tables: Tables) -> int:
    """Events of sources that destinations have not come to yet, once for each destination."""
    places: dict[int, list[int]] = {}
    for cursor in tables[CURSORS]:
        places.setdefault(cursor["source_id"], []).append(cursor["place"])
    return sum(
        row["event_count"]
        for row in tables[REQUESTS]
        if row["intake"] != _RECEIVING_OFF
        for place in places.get(row["source_id"], ())
        if row["place"] is None or row["place"] > place
    )


def _more(before: Iterable[Row], after: Iterable[Row], span: int) -> Counter[str]:
    """What was counted meanwhile, by column."""
    more = _totals(after, span)
    more.subtract(_totals(before, span))
    return more


def _totals(rows: Iterable[Row], span: int) -> Counter[str]:
    total: Counter[str] = Counter()
    for row in rows:
        if row["span"] == span and row["dimension"] == 0:
            total.update({name: value for name, value in row.items() if isinstance(value, int)})
    return total

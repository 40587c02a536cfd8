"""What an upgrade is held to can fail: each loss that ``scripts/kept.py`` is there for is told."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy

import pytest

from scripts.kept import (
    APART,
    AT_DESTINATIONS,
    COUNTERS,
    CURSORS,
    LETTERS,
    OF_SOURCES,
    PLACED,
    REFUSED,
    REQUESTS,
    SPANS,
    WAITING,
    Row,
    Tables,
    changed_by_migration,
    lost_by_draining,
    told,
)
from scripts.rows import TABLES

Change = Callable[[Tables], object]

#: Before: of 10 events received 6 were published, 1 failed and 3 wait; 2 more are not counted yet. Of a source as many
#: were received, and came to its destination; one of these was refused, 3 wait apart. 4 have a place, which the
#: destination has still to come to; and 2 have none.
_COUNTED = {"received": 10, "published": 6, "failed": 1, "expired": 0, "dropped_receiving_off": 0}
_FILTERS = {"dropped_by_event_filter": 0, "dropped_by_domain_filter": 0, "dropped_publishing_off": 0}
_OF = {"dimension": 0, "start": "2026-01-01 00:00:00", "label": ""}
_FATELESS = {"received": 14, "dropped_receiving_off": 0}


def counters(owner: str, counted: Row) -> list[Row]:
    return [{"id": span + 1, owner: 7, "span": span, **_OF, **counted} for span in SPANS]


@pytest.fixture
def before() -> Tables:
    of_source = {"source_id": 7, "intake": 0}
    return {table: [] for table in TABLES} | {
        COUNTERS: counters("pixel_id", _COUNTED | _FILTERS),
        LETTERS: [{"id": 1, "event_id": "refused", "event": "a hash"}],
        WAITING: [{"id": 1, "counted": 1, "event_count": 3}, {"id": 2, "counted": 0, "event_count": 2}],
        OF_SOURCES: counters("source_id", _FATELESS),
        REQUESTS: [
            {"id": 1, **of_source, "place": 8, "event_count": 4},
            {"id": 2, **of_source, "place": None, "event_count": 2},
        ],
        PLACED: [{"source_id": 7, "placed": 8}],
        AT_DESTINATIONS: counters("destination_id", _COUNTED | _FILTERS),
        CURSORS: [{"id": 1, "source_id": 7, "destination_id": 7, "place": 7}],
        APART: [{"id": 1, "source_id": 7, "destination_id": 7, "event_count": 3}],
        REFUSED: [{"id": 1, "event_id": "refused", "event": "a hash"}],
    }


@pytest.fixture
def drained(before: Tables) -> Tables:
    """All five that waited were published, and all nine that waited for the destination."""
    after = deepcopy(before)
    after[WAITING], after[REQUESTS], after[APART] = [], [], []
    after[PLACED][0]["placed"] = after[CURSORS][0]["place"] = 9
    for row in after[COUNTERS]:
        row.update(received=12, published=11)
    for row in after[OF_SOURCES]:
        row.update(received=16)
    for row in after[AT_DESTINATIONS]:
        row.update(received=16, published=15)
    return after


def first(table: str, **values: int | str) -> Change:
    return lambda tables: tables[table][0].update(values)


def loses(table: str) -> Change:
    return lambda tables: tables[table].pop()


def test_nothing_is_said_of_an_upgrade_that_keeps_everything(before: Tables, drained: Tables) -> None:
    migrated = deepcopy(before)
    for rows in migrated.values():
        for row in reversed(rows):
            row["new_column"] = 0
        rows.reverse()
    assert list(changed_by_migration(before, migrated)) == []
    assert list(lost_by_draining(before, drained, 14)) == []
    assert told(before, drained, 14) == (
        "Kept: 9 counters, 2 dead letters. Of 14 waiting events 14 were published, 0 wait."
    )


@pytest.mark.parametrize(
    ("table", "change", "rows"),
    [
        pytest.param(COUNTERS, loses(COUNTERS), 1, id="a counter is lost"),
        pytest.param(LETTERS, loses(LETTERS), 1, id="the only dead letter is lost"),
        pytest.param(WAITING, loses(WAITING), 1, id="a waiting request is lost"),
        pytest.param(COUNTERS, first(COUNTERS, published=5), 2, id="a counter is changed"),
        pytest.param(LETTERS, first(LETTERS, event="another hash"), 2, id="a refused event is changed"),
        pytest.param(WAITING, first(WAITING, event_count=4), 2, id="a waiting request is changed"),
        pytest.param(WAITING, lambda tables: tables[WAITING].append(tables[WAITING][0]), 1, id="a request comes twice"),
        pytest.param(REQUESTS, loses(REQUESTS), 1, id="a source's request is lost"),
        pytest.param(REQUESTS, first(REQUESTS, place=9), 2, id="a request has another place"),
        pytest.param(CURSORS, first(CURSORS, place=8), 2, id="a cursor is moved"),
    ],
)
def test_a_migration_that_changes_a_row_is_found(before: Tables, table: str, change: Change, rows: int) -> None:
    after = deepcopy(before)
    change(after)
    assert list(changed_by_migration(before, after)) == [f"{table}: {rows} rows differ after the migration."]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        pytest.param(loses(COUNTERS), "events_counter: the counter 3 has lost id, ", id="a counter is gone"),
        pytest.param(
            first(COUNTERS, failed=0), "events_counter: the counter 1 has lost failed.", id="a counter is less"
        ),
        pytest.param(loses(LETTERS), "1 dead letters are not as they were.", id="a dead letter is gone"),
        pytest.param(first(LETTERS, event="b"), "1 dead letters are not as they were.", id="a dead letter is changed"),
        pytest.param(
            first(COUNTERS, published=10), "By minute, 4 events met a fate; the rows tell of 5.", id="an event is lost"
        ),
        pytest.param(
            first(COUNTERS, published=12), "By minute, 6 events met a fate; the rows tell of 5.", id="one counts twice"
        ),
        pytest.param(
            first(COUNTERS, received=10), "By minute, 0 events were received; the rows tell of 2.", id="not received"
        ),
        pytest.param(
            first(COUNTERS, failed=2, published=10),
            "By minute, 1 events failed; the rows tell of 0.",
            id="one failed without a dead letter",
        ),
        pytest.param(
            first(OF_SOURCES, received=15),
            "By minute, 1 events were received of sources; the rows tell of 2.",
            id="one of a source is lost",
        ),
        pytest.param(
            first(AT_DESTINATIONS, received=15),
            "By minute, 5 events came to destinations; the rows tell of 6.",
            id="one did not come to its destination",
        ),
        pytest.param(
            first(AT_DESTINATIONS, published=14),
            "By minute, 8 events met a fate at destinations; the rows tell of 9.",
            id="one at a destination is lost",
        ),
        pytest.param(
            first(AT_DESTINATIONS, failed=2, published=14),
            "By minute, 1 events failed at destinations; the rows tell of 0.",
            id="one failed at a destination without a dead letter",
        ),
        pytest.param(loses(REFUSED), "1 dead letters of destinations are not as they were.", id="theirs is gone"),
        pytest.param(first(CURSORS, place=6), "events_destinationcursor: 1 rows went back.", id="a cursor goes back"),
        pytest.param(first(PLACED, placed=7), "events_sourcelane: 1 rows went back.", id="places are given twice"),
    ],
)
def test_draining_that_loses_something_is_found(before: Tables, drained: Tables, change: Change, said: str) -> None:
    change(drained)
    assert any(sentence.startswith(said) for sentence in lost_by_draining(before, drained, 14))


def test_what_the_sandbox_did_not_get_is_found(before: Tables, drained: Tables) -> None:
    assert list(lost_by_draining(before, drained, 13)) == [
        f"By {name}, 14 events were published; the sandbox got 13." for name in SPANS.values()
    ]


def test_what_still_waits_has_no_fate_yet(before: Tables, drained: Tables) -> None:
    drained[WAITING] = before[WAITING][:1]
    for row in drained[COUNTERS]:
        row["published"] = 8
    drained[APART] = before[APART]
    for row in drained[AT_DESTINATIONS]:
        row["published"] = 12
    assert list(lost_by_draining(before, drained, 8)) == []

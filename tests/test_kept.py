"""What an upgrade is held to can fail: each loss that ``scripts/kept.py`` is there for is told."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy

import pytest

from scripts.kept import COUNTERS, LETTERS, SPANS, WAITING, Row, Tables, changed_by_migration, lost_by_draining, told

Change = Callable[[Tables], object]

#: Before: of 10 events received 6 were published, 1 failed and 3 wait; 2 more are not counted yet.
_COUNTED = {"received": 10, "published": 6, "failed": 1, "expired": 0, "dropped_receiving_off": 0}
_FILTERS = {"dropped_by_event_filter": 0, "dropped_by_domain_filter": 0, "dropped_publishing_off": 0}
_OF = {"pixel_id": 7, "dimension": 0, "start": "2026-01-01 00:00:00", "label": ""}


def counter(span: int) -> Row:
    return {"id": span + 1, "span": span, **_OF, **_COUNTED, **_FILTERS}


@pytest.fixture
def before() -> Tables:
    return {
        COUNTERS: [counter(span) for span in SPANS],
        LETTERS: [{"id": 1, "event_id": "refused", "event": "a hash"}],
        WAITING: [{"id": 1, "counted": 1, "event_count": 3}, {"id": 2, "counted": 0, "event_count": 2}],
    }


@pytest.fixture
def drained(before: Tables) -> Tables:
    """All five that waited were published."""
    after = deepcopy(before)
    after[WAITING] = []
    for row in after[COUNTERS]:
        row.update(received=12, published=11)
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
    assert list(lost_by_draining(before, drained, 5)) == []
    assert told(before, drained, 5) == (
        "Kept: 3 counters, 1 dead letters. Of 5 waiting events 5 were published, 0 wait."
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
    ],
)
def test_a_migration_that_changes_a_row_is_found(before: Tables, table: str, change: Change, rows: int) -> None:
    after = deepcopy(before)
    change(after)
    assert list(changed_by_migration(before, after)) == [f"{table}: {rows} rows differ after the migration."]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        pytest.param(loses(COUNTERS), "The counter 3 has lost id, ", id="a counter is gone"),
        pytest.param(first(COUNTERS, failed=0), "The counter 1 has lost failed.", id="a counter is less"),
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
    ],
)
def test_draining_that_loses_something_is_found(before: Tables, drained: Tables, change: Change, said: str) -> None:
    change(drained)
    assert any(sentence.startswith(said) for sentence in lost_by_draining(before, drained, 5))


def test_what_the_sandbox_did_not_get_is_found(before: Tables, drained: Tables) -> None:
    assert list(lost_by_draining(before, drained, 4)) == [
        f"By {name}, 5 events were published; the rows tell of 4." for name in SPANS.values()
    ]


def test_what_still_waits_has_no_fate_yet(before: Tables, drained: Tables) -> None:
    drained[WAITING] = before[WAITING][:1]
    for row in drained[COUNTERS]:
        row["published"] = 8
    assert list(lost_by_draining(before, drained, 2)) == []

"""Which counter rows answer for a time: together exactly that time, and as few as can be."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.figures.windows import LENGTHS, Stretch, cover, last_minutes
from events.models import Counter

Span = Counter.Span
NOW = datetime(2026, 11, 21, 12, 30, 40, tzinfo=UTC)


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-{text}+00:00")


def test_a_time_is_minutes_hours_days_hours_and_minutes() -> None:
    assert cover(at("11-18 22:45"), at("11-21 01:10")) == [
        Stretch(Span.MINUTE, at("11-18 22:45"), at("11-18 23:00")),
        Stretch(Span.HOUR, at("11-18 23:00"), at("11-19 00:00")),
        Stretch(Span.DAY, at("11-19 00:00"), at("11-21 00:00")),
        Stretch(Span.HOUR, at("11-21 00:00"), at("11-21 01:00")),
        Stretch(Span.MINUTE, at("11-21 01:00"), at("11-21 01:10")),
    ]


def test_a_short_time_is_minutes() -> None:
    assert cover(at("11-21 12:50"), at("11-21 13:20")) == [Stretch(Span.MINUTE, at("11-21 12:50"), at("11-21 13:20"))]


@given(begins=st.integers(0, 500_000), minutes=st.integers(0, 50_000))
def test_what_covers_a_time_begins_and_ends_with_it_and_has_no_gap(begins: int, minutes: int) -> None:
    start = at("01-01 00:00") + timedelta(minutes=begins)
    end = start + timedelta(minutes=minutes)
    stretches = cover(start, end)

    edges = [start, *(stretch.end for stretch in stretches)]
    assert [stretch.start for stretch in stretches] == edges[:-1]
    assert edges[-1] == end
    rows = sum((stretch.end - stretch.start) // LENGTHS[stretch.span] for stretch in stretches)
    assert rows <= 2 * 59 + 2 * 23 + minutes // 1_440
    for span, first, last in stretches:
        assert not (first - at("01-01 00:00")) % LENGTHS[span]
        assert not (last - at("01-01 00:00")) % LENGTHS[span]


@pytest.mark.parametrize(
    ("minutes", "begins"),
    [(1, "11-21 12:29"), (60, "11-21 11:30"), (1_440, "11-20 12:30"), (2_879, "11-19 12:31")],
)
def test_the_last_minutes_begin_with_a_minute(minutes: int, begins: str) -> None:
    first = last_minutes(minutes, NOW)[0]

    assert (first.span, first.start) == (Span.MINUTE, at(begins))


def test_where_minutes_are_no_longer_kept_the_window_begins_with_an_hour() -> None:
    first = last_minutes(2 * 24 * 60, NOW)[0]

    assert (first.span, first.start) == (Span.HOUR, at("11-19 12:00"))


def test_the_running_hour_and_day_are_taken_whole() -> None:
    assert last_minutes(36 * 60, NOW)[-1] == Stretch(Span.DAY, at("11-21 00:00"), at("11-22 00:00"))


def test_rows_that_are_too_coarse_can_be_left_out() -> None:
    assert last_minutes(1_440, NOW, coarsest=Span.HOUR) == [
        Stretch(Span.MINUTE, at("11-20 12:30"), at("11-20 13:00")),
        Stretch(Span.HOUR, at("11-20 13:00"), at("11-21 13:00")),
    ]
    assert last_minutes(1, NOW, coarsest=Span.MINUTE) == [Stretch(Span.MINUTE, at("11-21 12:29"), at("11-21 12:31"))]


def test_the_newest_can_be_told_apart() -> None:
    assert last_minutes(72 * 60, NOW, newest_apart=True)[-2:] == [
        Stretch(Span.HOUR, at("11-21 00:00"), at("11-21 12:00")),
        Stretch(Span.MINUTE, at("11-21 12:00"), at("11-21 12:31")),
    ]

"""Rate limits: what is counted, for whom, and how long it lasts."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
import time_machine
from limits import parse

from common.rate_limits import RateLimit, limiter

NOON = "2026-03-02T12:00:00Z"


@pytest.fixture
def two_a_minute() -> RateLimit:
    return RateLimit("test", parse("2/minute"))


def test_hits_are_refused_beyond_the_rate(two_a_minute: RateLimit) -> None:
    assert [two_a_minute.hit("robot") for _ in range(3)] == [True, True, False]


def test_a_limit_is_exhausted_once_its_rate_is_reached(two_a_minute: RateLimit) -> None:
    two_a_minute.hit("robot")
    assert not two_a_minute.is_exhausted("robot")
    two_a_minute.hit("robot")
    assert two_a_minute.is_exhausted("robot")


def test_asking_counts_nothing(two_a_minute: RateLimit) -> None:
    for _ in range(5):
        two_a_minute.is_exhausted("robot")
        two_a_minute.retry_after("robot")
    assert two_a_minute.hit("robot")


def test_everybody_is_counted_alone(two_a_minute: RateLimit) -> None:
    two_a_minute.hit("robot", "192.0.2.1")
    two_a_minute.hit("robot", "192.0.2.1")
    assert two_a_minute.is_exhausted("robot", "192.0.2.1")
    assert not two_a_minute.is_exhausted("robot", "192.0.2.2")
    assert not two_a_minute.is_exhausted("other", "192.0.2.1")


@pytest.mark.parametrize("alike", [("a", "bc"), ("abc",), ("ab", "c", ""), ('ab", "c',), ("ab/c",)])
def test_parts_are_not_run_together(two_a_minute: RateLimit, alike: tuple[str, ...]) -> None:
    two_a_minute.hit("ab", "c")
    two_a_minute.hit("ab", "c")
    assert not two_a_minute.is_exhausted(*alike)


def test_limits_of_different_names_do_not_share_counts(two_a_minute: RateLimit) -> None:
    two_a_minute.hit("robot")
    two_a_minute.hit("robot")
    assert RateLimit("another", two_a_minute.rate).hit("robot")


def test_retry_after_tells_when_the_oldest_hit_is_forgotten(two_a_minute: RateLimit) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        two_a_minute.hit("robot")
        clock.shift(20)
        two_a_minute.hit("robot")
        assert two_a_minute.retry_after("robot") == 40
        clock.shift(39)
        assert two_a_minute.is_exhausted("robot")
        clock.shift(2)
        assert two_a_minute.hit("robot")


def test_retry_after_is_never_less_than_a_second(two_a_minute: RateLimit) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        two_a_minute.hit("robot")
        two_a_minute.hit("robot")
        clock.shift(59.9)
        assert two_a_minute.is_exhausted("robot")
        assert two_a_minute.retry_after("robot") == 1


@pytest.mark.parametrize("who", ["x" * 100_000, "\0", "\ud800", "", "🤖"])
def test_any_text_can_be_counted_under_a_key_of_one_length(two_a_minute: RateLimit, who: str) -> None:
    assert two_a_minute.hit(who)
    assert two_a_minute.hit(who)
    assert not two_a_minute.hit(who)
    keys = limiter().storage.keys()  # type: ignore[attr-defined]  # of the storage in memory
    assert {len(key) for key in keys} == {len("LIMITER/") + 64 + len("/2/1/minute")}


def test_what_came_in_the_minute_before_counts_by_the_share_that_is_left(two_a_minute: RateLimit) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        two_a_minute.hit("robot")
        two_a_minute.hit("robot")
        clock.shift(60 + 29)  # half of the minute before is left, and so one of two
        assert two_a_minute.hit("robot")
        assert not two_a_minute.hit("robot")
        clock.shift(61)
        assert two_a_minute.hit("robot")


def test_what_is_over_takes_no_room(two_a_minute: RateLimit) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        for number in range(100):
            two_a_minute.hit(str(number))
        clock.shift(121)
        two_a_minute.hit("robot")
    assert len(limiter().storage.keys()) == 1  # type: ignore[attr-defined]


def test_many_callers_cannot_fill_the_memory(two_a_minute: RateLimit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("common.rate_storage.MAX_KEYS", 10)
    with time_machine.travel(NOON, tick=False):
        for number in range(100):
            two_a_minute.hit(str(number))
    assert len(limiter().storage.keys()) <= 11  # type: ignore[attr-defined]


def test_threads_together_get_what_one_would() -> None:
    limit = RateLimit("test", parse("500/minute"))
    with time_machine.travel(NOON, tick=False), ThreadPoolExecutor(8) as threads:
        allowed = sum(threads.map(lambda _: limit.hit("robot"), range(1_000)))
    assert allowed == 500

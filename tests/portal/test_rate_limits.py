"""Rate limits: what is counted, for whom, and how long it lasts."""

from __future__ import annotations

import pytest
import time_machine
from limits import parse

from portal.rate_limits import RateLimit, limiter

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
    keys = limiter().storage.events  # type: ignore[attr-defined]  # of the storage in memory
    assert {len(key) for key in keys} == {len("LIMITER/") + 64 + len("/2/1/minute")}

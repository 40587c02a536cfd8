"""Measures things in turn: in one order and then in the other, so that a busy moment of the machine hits all alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from statistics import median
from typing import NamedTuple, TypeVar


class Effort(NamedTuple):
    """How long to measure: seconds for each thing in each round, and events for drain and memory."""

    seconds: float
    rounds: int
    events: int


#: The figures of each thing, a round each.
Rounds = dict[str, list[float]]
Figure = TypeVar("Figure")


class Ratio(NamedTuple):
    """How many times as much: the median over the rounds, and the least and the greatest."""

    median: float
    least: float
    greatest: float


def measure(things: Mapping[str, Callable[[], Figure]], rounds: int) -> dict[str, list[Figure]]:
    """Measure all things in every round; every other one goes backwards."""
    found: dict[str, list[Figure]] = {name: [] for name in things}
    for number in range(rounds):
        for name in list(things)[:: -1 if number % 2 else 1]:
            found[name].append(things[name]())
    return found


def ratio(ours: list[float], theirs: list[float]) -> Ratio:
    """Ours over theirs, round by round."""
    ratios = [mine / other for mine, other in zip(ours, theirs, strict=True)]
    return Ratio(median(ratios), min(ratios), max(ratios))

"""Lanes: the threads behind an event loop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from types import SimpleNamespace

import pytest

from common import loop_threads
from common.loop_threads import Bounds, LoopThreads


def answers(threads: LoopThreads[int, int], questions: Sequence[int], size: int = 1) -> list[int]:
    async def ask() -> list[int]:
        return await asyncio.gather(*(threads.ask(question, size) for question in questions))

    return threads._loop.run_until_complete(ask())


@pytest.fixture
def loop() -> asyncio.AbstractEventLoop:
    return asyncio.new_event_loop()


class Work:
    """Doubles numbers; the first time it waits until the rest has come."""

    def __init__(self) -> None:
        self.together: list[int] = []
        self.all_are_here = threading.Event()

    def __call__(self, questions: Sequence[int]) -> list[int]:
        self.all_are_here.wait(10)
        self.together.append(len(questions))
        return [2 * question for question in questions]


def ask_ten(loop: asyncio.AbstractEventLoop, bounds: Bounds, size: int = 1) -> list[int]:
    """How many of ten questions were answered together each time, the first of them in a hurry."""
    work = Work()
    threads = LoopThreads("test", work, loop=loop, threads=1, bounds=bounds)
    loop.call_later(0.1, work.all_are_here.set)

    assert answers(threads, range(10), size) == [2 * number for number in range(10)]
    return work.together


def test_what_waits_is_answered_together(loop: asyncio.AbstractEventLoop) -> None:
    together = ask_ten(loop, Bounds(questions=64, size=1_000))

    assert sum(together) == 10
    assert len(together) <= 2


def test_a_thread_waits_a_moment_for_others_to_come(
    loop: asyncio.AbstractEventLoop, monkeypatch: pytest.MonkeyPatch
) -> None:
    together, moments, the_other_is_here = list[int](), list[float](), threading.Event()

    def sleep(seconds: float) -> None:
        moments.append(seconds)
        the_other_is_here.wait(20)

    monkeypatch.setattr(loop_threads, "time", SimpleNamespace(sleep=sleep))

    def work(questions: Sequence[int]) -> Sequence[int]:
        together.append(len(questions))
        return questions

    threads = LoopThreads("test", work, loop=loop, threads=1, bounds=Bounds(questions=64, size=1_000, wait=0.5))

    async def ask() -> None:
        asked = [threads.ask(question, 1) for question in (1, 2)]
        the_other_is_here.set()
        await asyncio.gather(*asked)

    loop.run_until_complete(ask())
    assert (together, moments) == ([2], [0.5])


def test_a_thread_takes_so_many_and_no_more_once_they_are_large(loop: asyncio.AbstractEventLoop) -> None:
    assert max(ask_ten(loop, Bounds(questions=4, size=1_000))) == 4
    assert max(ask_ten(loop, Bounds(questions=64, size=1_000), size=400)) == 3
    assert ask_ten(loop, Bounds()) == [1] * 10


def test_whoever_asks_is_told_of_a_fault_and_the_thread_goes_on(loop: asyncio.AbstractEventLoop) -> None:
    def work(questions: Sequence[int]) -> list[int]:
        return [1 // question for question in questions]

    threads = LoopThreads("test", work, loop=loop, threads=1)

    with pytest.raises(ZeroDivisionError):
        answers(threads, [0])
    assert answers(threads, [1]) == [1]


@pytest.mark.parametrize("fault", [SystemExit, StopIteration])
def test_a_thread_survives_what_no_future_can_tell(loop: asyncio.AbstractEventLoop, fault: type[BaseException]) -> None:
    def work(questions: Sequence[int]) -> list[int]:
        if questions[0] == 0:
            raise fault
        return list(questions)

    threads = LoopThreads("test", work, loop=loop, threads=1)

    with pytest.raises(RuntimeError, match=fault.__name__):
        answers(threads, [0])
    assert answers(threads, [1]) == [1]

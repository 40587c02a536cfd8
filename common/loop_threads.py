"""Threads that work for an event loop: what comes at the same time can be done together."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue
from typing import Generic, NamedTuple, TypeVar

Question = TypeVar("Question")
Answer = TypeVar("Answer")


class Bounds(NamedTuple):
    """What a thread takes at a time: so many questions at most, and no more once they are so large."""

    questions: int = 1
    size: int = 0
    #: Seconds in which others may come to the first, and be answered with it.
    wait: float = 0.0


class _Asked(NamedTuple, Generic[Question, Answer]):
    question: Question
    size: int
    answer: asyncio.Future[Answer]


class LoopThreads(Generic[Question, Answer]):
    """Some threads that answer a loop's questions. Nothing of a thread's outlives the work.

    ``work`` answers the questions that wait at the moment, one after the other in the list that it returns.
    """

    def __init__(
        self,
        name: str,
        work: Callable[[Sequence[Question]], Sequence[Answer]],
        *,
        loop: asyncio.AbstractEventLoop,
        threads: int,
        bounds: Bounds = Bounds(),  # noqa: B008  # cannot be changed
    ) -> None:
        self._work = work
        self._loop = loop
        self._bounds = bounds
        self._queue: SimpleQueue[_Asked[Question, Answer]] = SimpleQueue()
        for number in range(threads):
            threading.Thread(target=self._run, name=f"{name} {number}", daemon=True).start()

    def ask(self, question: Question, size: int = 0) -> asyncio.Future[Answer]:
        """The answer, soon; to be called in the loop."""
        answer: asyncio.Future[Answer] = self._loop.create_future()
        self._queue.put(_Asked(question, size, answer))
        return answer

    def _run(self) -> None:
        while True:
            self._answer(self._take())

    def _take(self) -> list[_Asked[Question, Answer]]:
        asked = [self._queue.get()]
        if self._bounds.wait:
            time.sleep(self._bounds.wait)
        room = self._bounds.size - asked[0].size
        while room > 0 and len(asked) < self._bounds.questions:
            try:
                asked.append(self._queue.get_nowait())
            except Empty:
                break
            room -= asked[-1].size
        return asked

    def _answer(self, asked: list[_Asked[Question, Answer]]) -> None:
        try:
            answers = self._work([question for question, _, _ in asked])
        except BaseException as error:  # noqa: BLE001  # whoever asked is told, and the thread goes on
            self._loop.call_soon_threadsafe(_fail, asked, _as_exception(error))
        else:
            self._loop.call_soon_threadsafe(_deliver, asked, answers)


def _as_exception(error: BaseException) -> Exception:
    """The error where it may be a future's; the loop would end with what is none of Exception's."""
    if isinstance(error, Exception) and not isinstance(error, StopIteration):
        return error
    told = RuntimeError(f"The work ended with {type(error).__name__}.")
    told.__cause__ = error
    return told


def _deliver(asked: Sequence[_Asked[Question, Answer]], answers: Sequence[Answer]) -> None:
    for (_, _, future), answer in zip(asked, answers, strict=True):
        if not future.done():
            future.set_result(answer)


def _fail(asked: Sequence[_Asked[Question, Answer]], error: Exception) -> None:
    for _, _, future in asked:
        if not future.done():
            future.set_exception(error)

"""News that a thread of its own hands on."""

from __future__ import annotations

import threading

from common.collector import Collector


class Slow(Collector[list[int]]):
    """Hands on when it may."""

    def __init__(self) -> None:
        super().__init__("slow", interval=0, pause_after_failure=0)
        self.begun, self.may_end, self.handed_on = threading.Event(), threading.Event(), list[int]()

    def nothing(self) -> list[int]:
        return []

    def hand_on(self, held: list[int]) -> bool:
        self.begun.set()
        self.may_end.wait(10)
        self.handed_on += held
        return True


def test_a_process_that_ends_waits_for_what_its_thread_hands_on() -> None:
    news = Slow()
    news.add(lambda held: held.append(1))
    assert news.begun.wait(10)
    threading.Timer(0.2, news.may_end.set).start()

    news.flush()  # as at the end of the process, whose threads go with it

    assert news.handed_on == [1]


def test_what_nobody_foresaw_does_not_end_the_thread_for_good() -> None:
    taken = threading.Event()

    class Broken(Slow):
        def hand_on(self, held: list[int]) -> bool:
            if 1 in held:
                raise ValueError("nobody foresaw this")
            taken.set()
            return True

    news = Broken()
    news.add(lambda held: held.append(1))
    while news._held:  # until the thread has it
        threading.Event().wait(0.01)
    news.add(lambda held: held.append(2))

    assert taken.wait(10)

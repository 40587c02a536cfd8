"""Wake-ups: together, in the background, and never in anybody's way."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from unittest.mock import patch

import pytest

from events.intake.wakeups import Wakeups
from tests.events.sending import purchase, send
from tests.factories import PixelFactory


class Broker:
    """Takes messages, or fails to."""

    def __init__(self) -> None:
        self.messages: list[list[int]] = []
        self.fails = False
        self.asked = 0

    def send(self, pixel_pks: list[int]) -> None:
        self.asked += 1
        if self.fails:
            raise ConnectionError("redis://:secret@host")
        self.messages.append(pixel_pks)


def wait_until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.005)


def test_a_pixel_with_news_is_passed_on() -> None:
    broker = Broker()
    Wakeups(broker.send, interval=0.01).wake(7)

    wait_until(lambda: broker.messages == [[7]])


def test_pixels_of_a_moment_are_passed_on_together() -> None:
    broker, goes_on = Broker(), threading.Event()

    def send(pixels: list[int]) -> None:
        broker.send(pixels)
        goes_on.wait(20)

    wakeups = Wakeups(send, interval=0.01)
    wakeups.wake(1)
    wait_until(lambda: bool(broker.messages))

    for pixel in (3, 2, 3, 2, 3):
        wakeups.wake(pixel)
    goes_on.set()

    wait_until(lambda: len(broker.messages) == 2)
    assert broker.messages == [[1], [2, 3]]


def test_whoever_wakes_does_not_wait_for_the_broker() -> None:
    goes_on, answers = threading.Event(), list[bool]()
    wakeups = Wakeups(lambda pixels: answers.append(goes_on.wait(20)), interval=0.01)

    for pixel in range(1000):
        wakeups.wake(pixel)

    assert answers == []
    goes_on.set()
    wait_until(lambda: bool(answers))


def test_a_broker_that_fails_is_left_alone_for_a_while() -> None:
    broker = Broker()
    broker.fails = True
    wakeups = Wakeups(broker.send, interval=0.01, pause_after_failure=60)
    wakeups.wake(1)
    wait_until(lambda: broker.asked == 1)

    for pixel in range(20):
        wakeups.wake(pixel)
        time.sleep(0.005)

    assert broker.asked == 1
    broker.fails = False  # when the process ends, the rest is passed on


def test_a_broker_that_has_failed_is_told_of_later_news_together(caplog: pytest.LogCaptureFixture) -> None:
    broker = Broker()

    def fail_while_more_comes(pixels: list[int]) -> None:
        if not broker.asked:
            for pixel in range(20):
                wakeups.wake(pixel)
        broker.fails = not broker.asked
        broker.send(pixels)

    wakeups = Wakeups(fail_while_more_comes, interval=0.01, pause_after_failure=0.01)
    wakeups.wake(99)

    wait_until(lambda: bool(broker.messages))
    assert broker.messages == [list(range(20))]
    assert "ConnectionError" in caplog.text
    assert "secret" not in caplog.text


def test_without_a_thread_a_request_goes_on() -> None:
    wakeups = Wakeups(Broker().send)

    with patch("threading.Thread.start", side_effect=RuntimeError("can't start new thread")):
        wakeups.wake(1)


SCRIPT = """
import multiprocessing, sys, threading
from events.intake.wakeups import Wakeups

def work():
    told = threading.Event()
    wakeups = Wakeups(lambda pixels: (print(pixels, flush=True), told.set()), interval=60)
    wakeups.wake(1)
    told.wait(20)
    wakeups.wake(2)

if sys.argv[1] == "child":
    child = multiprocessing.get_context("fork").Process(target=work)
    child.start()
    child.join()
else:
    work()
"""


@pytest.mark.parametrize("kind", ["main", "child"])
def test_a_process_that_ends_passes_on_the_rest(kind: str) -> None:
    """The server's worker processes are children of multiprocessing's, in which atexit is not called."""
    done = subprocess.run([sys.executable, "-c", SCRIPT, kind], capture_output=True, text=True, check=True, timeout=60)

    assert done.stdout == "[1]\n[2]\n"


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_forked_process_has_a_thread_of_its_own() -> None:
    reading, writing = os.pipe()
    told = [threading.Event() for _ in range(3)]

    def send(pixels: list[int]) -> None:
        os.write(writing, b"%d;" % pixels[0])
        told[pixels[0]].set()

    wakeups = Wakeups(send, interval=60)
    os.register_at_fork(after_in_child=wakeups.reset)
    wakeups.wake(1)
    assert told[1].wait(20)

    child = os.fork()
    if child == 0:
        wakeups.wake(2)
        os._exit(not told[2].wait(20))

    assert os.waitpid(child, 0)[1] == 0
    assert os.read(reading, 10) == b"1;2;"


@pytest.mark.django_db
def test_the_intake_wakes_for_what_is_stored_and_for_nothing_else() -> None:
    pixel = PixelFactory.create()

    with patch("events.intake.wakeups.wake") as wake:
        send(pixel, purchase(event_name=""))
        wake.assert_not_called()
        send(pixel, purchase())

    wake.assert_called_once_with(pixel.pk)


def test_the_message_is_the_workers_task() -> None:
    from events.intake import wakeups
    from events.tasks import drain_many

    with patch("celery.current_app.send_task") as send_task:
        wakeups._send(wakeups.DRAIN_MANY, [1, 2])

    send_task.assert_called_once_with(drain_many.name, [[1, 2]], expires=drain_many.expires)

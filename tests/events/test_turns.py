"""Turns: who waits for the Graph API lets others work, and slow pixels leave room for others."""

from __future__ import annotations

from collections.abc import Iterator
from threading import BoundedSemaphore, Event, Thread
from typing import Any

import pytest
from django.db import connection

from events.delivery import batches, publishing, turns
from events.delivery.graph_api import GraphAnswer, post_events
from events.models import OutboxRow
from events.sandbox import Sandbox
from pixels.models import Pixel
from tests.events.outbox import purchase, put
from tests.factories import PixelFactory


@pytest.fixture(autouse=True)
def _no_pixel_is_known() -> Iterator[None]:
    for known in (turns._slow, turns._quick):
        known.clear()
    yield
    for known in (turns._slow, turns._quick):
        known.clear()


@pytest.fixture
def pixel(sandbox: Sandbox, db: None) -> Pixel:
    return PixelFactory.create()


def test_a_thread_that_waits_lets_another_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "_working", BoundedSemaphore(1))
    waits, answered, worked = Event(), Event(), Event()

    def wait() -> None:
        with turns.at_work(), turns.waiting(1):
            waits.set()
            answered.wait(10)

    def work() -> None:
        with turns.at_work():
            worked.set()

    with turns.at_work():
        threads = [Thread(target=wait), Thread(target=work)]
        for thread in threads:
            thread.start()
        assert not waits.wait(0.1), "nobody gave way"
        assert not worked.is_set()
    assert waits.wait(10)
    assert worked.wait(10), "who waits gives way"
    answered.set()
    for thread in threads:
        thread.join(10)


def test_a_turn_is_given_back_whatever_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "_working", BoundedSemaphore(1))

    for _ in range(2):
        with pytest.raises(ZeroDivisionError), turns.at_work(), turns.waiting(1):
            raise ZeroDivisionError

    assert turns._working.acquire(blocking=False)


def test_slow_pixels_leave_room_for_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "MOST_SLOW", 2)
    monkeypatch.setattr(turns, "MOST_NOT_QUICK", 3)
    turns._slow.update({1, 2, 3})
    turns._quick.update({7, 8, 9})

    assert turns.may_begin(3, in_hand={1, 7, 8, 9})
    assert not turns.may_begin(3, in_hand={1, 2})
    assert turns.may_begin(4, in_hand={1, 2}), "which nobody knows"
    assert not turns.may_begin(5, in_hand={1, 2, 4})
    assert turns.may_begin(9, in_hand={1, 2, 4}), "which is quick"


def test_a_pixel_is_as_slow_as_its_last_answer(pixel: Pixel, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    sandbox.fail(delay_seconds=0.1, times=1)

    monkeypatch.setattr(turns, "SLOW_SECONDS", 0.09)
    put(pixel, purchase())
    publishing.drain(pixel.pk)
    assert turns.is_slow(pixel.pk)

    monkeypatch.setattr(turns, "SLOW_SECONDS", 60)
    put(pixel, purchase())
    publishing.drain(pixel.pk)
    assert not turns.is_slow(pixel.pk)
    assert not OutboxRow.objects.exists()


def test_a_slow_pixel_that_finds_no_room_is_left_as_it_is(pixel: Pixel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "MOST_SLOW", 0)
    turns._slow.add(pixel.pk)
    put(pixel, purchase())

    assert publishing.drain(pixel.pk) is False
    assert OutboxRow.objects.count() == 1


def test_a_slow_pixel_is_read_in_smaller_batches(
    pixel: Pixel, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "MAX_EVENTS", 10)
    monkeypatch.setattr(turns, "SLOW_SECONDS", 0.0)  # so that it stays slow
    turns._slow.add(pixel.pk)
    for _ in range(7):
        put(pixel, purchase())

    publishing.drain(pixel.pk)

    assert [request.event_count for request in sandbox.requests] == [2, 2, 2, 1]


@pytest.mark.django_db(transaction=True)
def test_who_waits_holds_no_connection_of_the_pool(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has no pool")
    pixel = PixelFactory.create()
    put(pixel, purchase())
    held: list[bool] = []

    def look_and_send(**request: Any) -> GraphAnswer:
        held.append(connection.connection is not None)
        return post_events(**request)

    monkeypatch.setattr(publishing, "post_events", look_and_send)

    publishing.drain(pixel.pk)

    assert held == [False]
    assert not OutboxRow.objects.exists()

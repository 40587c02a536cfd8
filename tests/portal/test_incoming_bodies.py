"""Bodies on their way: read without a thread, in time, and within bounds."""

from __future__ import annotations

import asyncio
import gc
import tracemalloc
import weakref
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

import pytest

from common import incoming_bodies
from common.incoming_bodies import BodyLimits, BodyRefused, IncomingBodies

LIMITS = BodyLimits(seconds=30, bytes_per_second=1_024, per_caller=3, total_bytes=10_000)
LIMIT = 5_000


class Clock:
    """The time of the process, which the test moves."""

    now = 1_000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(incoming_bodies, "time", clock)
    return clock


class Sender:
    """Sends a body in its own time."""

    def __init__(self) -> None:
        self._next: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    def __anext__(self) -> asyncio.Future[bytes]:
        return self._next

    async def send(self, part: bytes) -> None:
        waiting, self._next = self._next, asyncio.get_running_loop().create_future()
        waiting.set_result(part)
        await asyncio.sleep(0)


def in_a_loop(story: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(story())


async def begin(
    bodies: IncomingBodies, caller: str = "192.0.2.1", length: int | None = 2_000
) -> tuple[Sender, asyncio.Task[bytes]]:
    sender = Sender()
    reading = asyncio.create_task(bodies.read(sender, caller, length=length, limit=LIMIT))
    await asyncio.sleep(0)
    return sender, reading


async def status_of(reading: asyncio.Task[bytes]) -> int:
    with pytest.raises(BodyRefused) as refused:
        await reading
    return refused.value.status


def test_a_body_ends_where_its_length_says() -> None:
    async def story() -> None:
        bodies = IncomingBodies(LIMITS)
        sender, reading = await begin(bodies, length=6)
        await sender.send(b"abc")
        assert not reading.done()
        await sender.send(b"def")
        assert await reading == b"abcdef"
        assert bodies.held == 6
        bodies.let_go(6)
        assert bodies.held == 0

    in_a_loop(story)


def test_a_body_without_a_length_ends_where_the_sender_ends() -> None:
    async def story() -> None:
        sender, reading = await begin(IncomingBodies(LIMITS), length=None)
        await sender.send(b"abc")
        await sender.send(b"")
        assert await reading == b"abc"

    in_a_loop(story)


def test_a_body_that_was_cut_off_is_shorter_than_its_length() -> None:
    async def story() -> None:
        sender, reading = await begin(IncomingBodies(LIMITS), length=6)
        await sender.send(b"abc")
        await sender.send(b"")
        assert await reading == b"abc"

    in_a_loop(story)


def test_of_a_body_beyond_the_limit_no_more_is_kept_than_tells_so() -> None:
    async def story() -> None:
        bodies = IncomingBodies(LIMITS)
        sender, reading = await begin(bodies, length=None)
        for _ in range(5):
            await sender.send(bytes(LIMIT - 1))
        assert not reading.done(), "its sender looks for no answer before it has sent all"
        await sender.send(b"")
        assert len(await reading) == bodies.held == 2 * (LIMIT - 1)

    in_a_loop(story)


def test_of_a_body_whose_length_is_too_long_nothing_is_kept() -> None:
    async def story() -> None:
        bodies = IncomingBodies(LIMITS)
        sender, reading = await begin(bodies, length=3 * LIMIT)
        for _ in range(3):
            assert not reading.done()
            await sender.send(bytes(LIMIT))
        assert (await reading, bodies.held) == (b"", 0)

    in_a_loop(story)


def test_a_body_without_end_is_not_read_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(incoming_bodies, "READ_TO_THE_END", 3 * LIMIT)

    async def story() -> None:
        sender, reading = await begin(IncomingBodies(LIMITS), length=None)
        for _ in range(3):
            await sender.send(bytes(LIMIT))
        assert len(await reading) == 2 * LIMIT
        _, reading = await begin(IncomingBodies(LIMITS), length=3 * LIMIT + 1)
        assert await reading == b""

    in_a_loop(story)


def test_who_stops_halfway_is_waited_for_so_long(clock: Clock) -> None:
    async def story() -> None:
        bodies = IncomingBodies(LIMITS)
        sender, reading = await begin(bodies)
        await sender.send(b"a")
        clock.now += 29
        bodies.look()
        assert not reading.done()
        clock.now += 2
        bodies.look()
        assert await status_of(reading) == 408
        assert bodies.held == 0

    in_a_loop(story)


def test_a_body_that_comes_at_the_least_rate_may_take_longer(clock: Clock) -> None:
    async def story() -> None:
        bodies = IncomingBodies(LIMITS._replace(total_bytes=10**6))
        sender = Sender()
        reading = asyncio.create_task(bodies.read(sender, "192.0.2.1", length=80_000, limit=10**6))
        await asyncio.sleep(0)
        for _ in range(60):
            clock.now += 1
            await sender.send(bytes(1_100))
            bodies.look()
        assert not reading.done()
        clock.now += 10
        bodies.look()
        assert await status_of(reading) == 408

    in_a_loop(story)


def test_of_one_caller_only_so_many_are_late(clock: Clock) -> None:
    async def story() -> None:
        bodies = IncomingBodies(LIMITS)
        of_one = [await begin(bodies) for _ in range(5)]
        of_another = [await begin(bodies, "192.0.2.2") for _ in range(3)]
        bodies.look()
        assert not any(reading.done() for _, reading in (*of_one, *of_another)), "a burst is not late yet"
        clock.now += 2
        bodies.look()
        assert [await status_of(reading) for _, reading in of_one[3:]] == [503, 503]
        assert not any(reading.done() for _, reading in (*of_one[:3], *of_another)), "the oldest stay"

    in_a_loop(story)


def test_proxies_bring_what_many_send(clock: Clock) -> None:
    async def story() -> None:
        bodies = IncomingBodies(LIMITS, is_excepted=lambda caller: caller == "10.0.0.1")
        begun = [await begin(bodies, "10.0.0.1") for _ in range(9)]
        clock.now += 2
        bodies.look()
        await asyncio.sleep(0)
        assert not any(reading.done() for _, reading in begun)

    in_a_loop(story)


def test_bodies_hold_so_much_together_until_they_are_answered() -> None:
    async def story() -> None:
        bodies = IncomingBodies(LIMITS)
        for _ in range(2):
            sender, reading = await begin(bodies, length=4_500)
            await sender.send(bytes(4_500))
            await reading
        sender, one_too_many = await begin(bodies, length=4_500)
        await sender.send(bytes(4_500))
        assert await status_of(one_too_many) == 503
        assert bodies.held == 9_000
        bodies.let_go(4_500)
        sender, reading = await begin(bodies, length=4_500)
        await sender.send(bytes(4_500))
        assert len(await reading) == 4_500

    in_a_loop(story)


def test_who_stops_halfway_through_a_long_body_makes_room_for_others(clock: Clock) -> None:
    async def story() -> None:
        bodies = IncomingBodies(LIMITS)
        begun = [await begin(bodies, f"192.0.2.{number}", 5_000) for number in range(3)]
        for (sender, _), size in zip(begun, (3_000, 4_000, 2_000), strict=True):
            await sender.send(bytes(size))
        clock.now += 2
        sender, honest = await begin(bodies, "198.51.100.1")

        await sender.send(bytes(2_000))

        assert len(await honest) == 2_000
        assert await status_of(begun[1][1]) == 503
        assert not begun[0][1].done()
        assert bodies.held == 3_000 + 2_000 + 2_000

    in_a_loop(story)


def test_a_long_body_takes_no_room_from_shorter_ones(clock: Clock) -> None:
    async def story() -> None:
        bodies = IncomingBodies(LIMITS._replace(total_bytes=3_000))
        sender, slow = await begin(bodies)
        await sender.send(bytes(500))
        clock.now += 2
        sender, long = await begin(bodies, "198.51.100.1", 5_000)

        await sender.send(bytes(2_600))

        assert await status_of(long) == 503
        assert not slow.done()

    in_a_loop(story)


def test_a_body_in_small_parts_holds_no_more_than_it_counts() -> None:
    parts, size = 20_000, 2

    async def story() -> None:
        bodies = IncomingBodies(LIMITS._replace(total_bytes=10**6))
        sender = Sender()
        reading = asyncio.create_task(bodies.read(sender, "192.0.2.1", length=None, limit=10**6))
        await asyncio.sleep(0)
        tracemalloc.start()
        for _ in range(parts):
            await sender.send(bytes(size))
        held, _ = tracemalloc.get_traced_memory()
        assert held < 2 * parts * size
        await sender.send(b"")
        assert await reading == bytes(parts * size)

    try:
        in_a_loop(story)
    finally:
        tracemalloc.stop()


def test_a_body_that_cannot_be_read_holds_nothing() -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield b"abc"
        raise ConnectionError

    async def story() -> None:
        bodies = IncomingBodies(LIMITS)
        with pytest.raises(ConnectionError):
            await bodies.read(broken(), "192.0.2.1", length=None, limit=LIMIT)
        assert bodies.held == 0

    in_a_loop(story)


def test_a_process_that_is_asked_to_end_waits_a_moment_for_a_body(clock: Clock) -> None:
    async def story() -> None:
        bodies = IncomingBodies(LIMITS)
        sender, honest = await begin(bodies, length=2)
        _, stalled = await begin(bodies, "192.0.2.2")
        bodies.stop()
        await sender.send(b"{}")
        assert await honest == b"{}"
        clock.now += incoming_bodies.LAST_SECONDS + 0.1
        bodies.look()
        assert await status_of(stalled) == 503

    in_a_loop(story)


def test_it_looks_every_second(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(incoming_bodies, "LOOK_SECONDS", 0.01)

    async def story() -> None:
        bodies = IncomingBodies(LIMITS._replace(seconds=0.05))
        bodies.look_from_now_on(asyncio.get_running_loop())
        _, reading = await begin(bodies)
        assert await status_of(reading) == 408

    in_a_loop(story)


def test_a_refused_body_is_let_go_of_at_once(clock: Clock) -> None:
    """Its connection closes when nobody has it any more: it must not wait for the garbage collector."""

    async def story() -> None:
        bodies = IncomingBodies(LIMITS)
        sender = Sender()
        gone = weakref.ref(sender)

        async def read(sender: Sender) -> int:
            try:
                await bodies.read(sender, "192.0.2.1", length=2_000, limit=LIMIT)
            except BodyRefused as refused:
                return refused.status
            return 0

        reading = asyncio.create_task(read(sender))
        del sender
        await asyncio.sleep(0)
        clock.now += 60
        bodies.look()
        assert await reading == 408
        await asyncio.sleep(0)
        assert gone() is None

    gc.disable()
    try:
        in_a_loop(story)
    finally:
        gc.enable()

"""Requests whose bodies arrive: without a thread, in time, and within bounds.

A body that comes with its head is read at once. One that does not is looked at every second: it must be whole after
so many seconds, or come at a least rate; of one caller only so many may be under way.

Many clients look for an answer only once they have sent all, and find a broken pipe if nobody reads it. So a body that
is too long is read to its end, unless it is much too long; what is beyond the limit is thrown away.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import NamedTuple, Protocol

#: Between two looks at what has not arrived.
LOOK_SECONDS = 1.0
#: A process that is asked to stop waits so long for a body. Most are whole a moment after their head.
LAST_SECONDS = 3.0
#: A body that is longer than this is not read on.
READ_TO_THE_END = 33_554_432


class BodyLimits(NamedTuple):
    """What bodies on their way may take."""

    #: A body is whole after so many seconds, or comes at this rate.
    seconds: float
    bytes_per_second: int
    #: So many of one caller may be late at the same time; 0 for any number.
    per_caller: int
    #: Bodies that have not been answered yet hold so much, all together.
    total_bytes: int


class BodyRefused(Exception):
    """The body is not read on; ``status`` says why."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class Waiter(Protocol):
    """The next part of a body, which may be waited for no longer."""

    def __await__(self) -> object: ...
    def cancel(self) -> bool: ...


class IncomingBody:
    """One request's body."""

    __slots__ = ("caller", "held", "received", "refused", "since", "waiter")

    def __init__(self, caller: str) -> None:
        self.caller = caller
        self.since = time.monotonic()
        self.received = 0
        #: What of it is kept.
        self.held = 0
        self.waiter: Awaitable[bytes] | None = None
        # Not the error itself: it would hold its own traceback, and by it the connection, which would stay open.
        self.refused = 0

    def refuse(self, status: int) -> None:
        """Whoever reads it is told."""
        self.refused = status
        self.waiter.cancel()  # type: ignore[union-attr]  # a future, wherever it is one's turn to wait


class IncomingBodies:
    """All bodies that arrive in this process. To be used in the loop alone."""

    def __init__(self, limits: BodyLimits, is_excepted: Callable[[str], bool] = lambda caller: False) -> None:
        self._limits = limits
        #: Those whose number nobody counts: proxies, who bring what many send.
        self._is_excepted = is_excepted
        self._on_their_way: dict[IncomingBody, None] = {}  # oldest first
        self._stopping = False
        self.held = 0

    async def read(self, parts: AsyncIterator[bytes], caller: str, *, length: int | None, limit: int) -> bytes:
        """The body, of ``length`` bytes if that is known; of one beyond the limit no more than tells so.

        What it holds counts until ``let_go``. One that was cut off ends earlier than its length says.
        Raises BodyRefused.
        """
        if length is not None and length > max(READ_TO_THE_END, limit):
            return b""
        body = IncomingBody(caller)
        self._on_their_way[body] = None
        try:
            return await self._collect(body, parts, length, limit)
        except BaseException as error:
            self.let_go(body.held)
            if body.refused and isinstance(error, asyncio.CancelledError):
                raise BodyRefused(body.refused) from None
            raise
        finally:
            del self._on_their_way[body]

    async def _collect(self, body: IncomingBody, parts: AsyncIterator[bytes], length: int | None, limit: int) -> bytes:
        found: bytes | bytearray = b""
        is_told = length is not None and length > limit
        end = max(READ_TO_THE_END, limit + 1) if length is None else length
        while body.received < end:
            # Not ``async for``: what is waited for must be known to who refuses it.
            body.waiter = anext(parts)
            try:
                part = await body.waiter
            except StopAsyncIteration:
                break
            if body.refused:
                raise BodyRefused(body.refused)
            if not part:
                break
            body.received += len(part)
            if is_told:
                continue
            if not found:
                found = part
            else:
                # Not a list of parts: one of two bytes would hold fifty.
                found = found if isinstance(found, bytearray) else bytearray(found)
                found += part
            body.held += len(part)
            self.held += len(part)
            if self.held > self._limits.total_bytes:
                self._make_room(body)
            is_told = body.held > limit
        return bytes(found)

    def _make_room(self, latest: IncomingBody) -> None:
        """Refuse the latest body, or one that is late and holds more.

        Else a few who stop halfway through long bodies would have everybody else refused.
        """
        until = time.monotonic() - LOOK_SECONDS
        late = (body for body in self._on_their_way if body.since <= until)
        largest = max((latest, *late), key=lambda body: body.held)
        if largest is latest:
            raise BodyRefused(503)
        largest.refuse(503)
        self.let_go(largest.held)
        largest.held = 0

    def let_go(self, size: int) -> None:
        """A body of this size is needed no longer."""
        self.held -= size

    def look(self) -> None:
        """Refuse what is too late, and the latest of those who have too many under way."""
        now = time.monotonic()
        late: Counter[str] = Counter()
        for body in list(self._on_their_way):
            age = now - body.since
            if age < LOOK_SECONDS:
                break
            late[body.caller] += 1
            if self._is_one_too_many(body.caller, late) or (self._stopping and age > LAST_SECONDS):
                body.refuse(503)
            elif age > self._limits.seconds and body.received < age * self._limits.bytes_per_second:
                body.refuse(408)

    def _is_one_too_many(self, caller: str, late: Counter[str]) -> bool:
        return 0 < self._limits.per_caller < late[caller] and not self._is_excepted(caller)

    def look_from_now_on(self, loop: asyncio.AbstractEventLoop) -> None:
        """Look every second."""
        loop.call_later(LOOK_SECONDS, self.look_from_now_on, loop)
        self.look()

    def stop(self) -> None:
        """Wait for no body longer than LAST_SECONDS: the process is asked to end."""
        self._stopping = True
        self.look()

"""Counting what the intake refuses, and keeping the last of it: in the process, and written by a thread of its own.

What is accepted passes nothing of this. A killed process loses what it has not written yet: what came within about
a second, or since the database is away.

Strangers can send anything for any pixel. So what comes without the key of a pixel that asks for one is *not let in*:
it is counted, and nothing of it is shown. And of one network only so much is taken (docs/decisions/0037).
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from functools import partial
from typing import NamedTuple

from cachetools import FIFOCache
from django.db import DatabaseError, InterfaceError, connection
from django.utils import timezone
from django.utils.crypto import salted_hmac

from common.collector import Collector
from common.errors import PortalError
from events.figures.windows import floor
from events.findings import ROADS
from events.intake.pixel_settings import PixelSettings
from events.intake.rules import Rule, field_of, rule_of
from events.models import Counter, Finding, Road
from events.refused.writing import Cell, Count, Last, write

logger = logging.getLogger(__name__)

#: In seconds: between two writes, and before the next attempt where the database did not take one.
INTERVAL = 1.0
PAUSE_AFTER_FAILURE = 10.0

#: Requests of a network that count against a pixel within an hour, in each process. A shop's servers may be one
#: network, and visitors' browsers many; of who is not let in, it is enough to know that there is somebody.
COUNTED_OF_SERVERS, COUNTED_OF_BROWSERS, COUNTED_NOT_LET_IN = 10_000, 100, 100
#: Networks whose numbers a process remembers.
MAX_NETWORKS = 10_000
#: What a process holds between two writes: kinds of refusals; and requests that are shown, of a network and pixel, of a
#: pixel, and in all.
MAX_HELD = 10_000
LAST_OF_NETWORK, LAST_OF_PIXEL, MAX_LAST = 5, 20, 1_000
#: Of so many parts of the internet rows tell. Nobody finds an address by that, who has the key of it.
ORIGINS = 1_024

_Owner = tuple[bool, int]


class Refusal(NamedTuple):
    """A request of which nothing was stored."""

    pixel: PixelSettings
    error: PortalError
    network: str
    road: Road = Road.SERVER
    #: May whoever sent it send at all?
    is_let_in: bool = True
    #: Has it shown the pixel's access key? Then it is no stranger.
    is_known: bool = False
    event_count: int = 1
    #: Makes what is shown of it; asked only if that is wanted.
    sample: Callable[[], str] = str


class Held:
    """What is to be written."""

    def __init__(self) -> None:
        self.counts: dict[Cell, Count] = {}
        self.last: dict[_Owner, list[Last]] = {}
        self._last_number = 0

    def __bool__(self) -> bool:
        return bool(self.counts)

    def wants(self, owner: _Owner, origin: int) -> bool:
        """Would one more request of this origin be shown?"""
        last = self.last.get(owner, [])
        if self._last_number >= MAX_LAST or len(last) >= LAST_OF_PIXEL:
            return False
        return sum(one.origin == origin for one in last) < LAST_OF_NETWORK

    def add(self, counts: Mapping[Cell, Count], last: Iterable[Last] = ()) -> None:
        """Add these, as far as there is room."""
        for cell, (requests, events) in counts.items():
            if cell in self.counts or len(self.counts) < MAX_HELD:
                before = self.counts.get(cell, Count(0, 0))
                self.counts[cell] = Count(before.requests + requests, before.events + events)
        for one in last:
            owner = one.is_source, one.owner_pk
            if self.wants(owner, one.origin):
                self.last.setdefault(owner, []).append(one)
                self._last_number += 1


class Refused(Collector[Held]):
    """What was refused."""

    def __init__(self, write: Callable[[Mapping[Cell, Count], Iterable[Last]], None] = write) -> None:
        self._write = write
        super().__init__("refused", interval=INTERVAL, pause_after_failure=PAUSE_AFTER_FAILURE)

    def nothing(self) -> Held:
        return Held()

    def reset(self) -> None:
        super().reset()
        #: The hour in which a network has sent so much.
        self._networks: FIFOCache[tuple[object, ...], tuple[datetime, int]] = FIFOCache(MAX_NETWORKS)

    def count(self, refusal: Refusal) -> None:
        """Count it, and keep it to be shown where there is room."""
        pixel, now = refusal.pixel, timezone.now()
        rule = rule_of(refusal.error)
        field = field_of(refusal.error, rule)
        kind = Finding.Kind.REFUSED if refusal.is_let_in else Finding.Kind.NOT_LET_IN
        hour = floor(now, Counter.Span.HOUR)
        cell = Cell(pixel.is_source, pixel.pk, hour, kind.value, ROADS[refusal.road], field, rule.value)
        last: list[Last] = []
        # Of what is over the limit there is nothing to show: it would push out what a sender got wrong.
        if refusal.is_let_in and rule is not Rule.RATE_LIMIT:
            origin = origin_of(refusal.network)
            if self._held.wants((pixel.is_source, pixel.pk), origin):  # before what takes time
                told = (field, rule.value, refusal.event_count, origin, refusal.sample())
                last.append(Last(pixel.is_source, pixel.pk, now, refusal.road.value, *told))
        self.add(partial(self._hold, refusal, cell, last))

    def _hold(self, refusal: Refusal, cell: Cell, last: list[Last], held: Held) -> None:
        if self._may_count(refusal, cell):
            held.add({cell: Count(1, refusal.event_count)}, last)

    def _may_count(self, refusal: Refusal, cell: Cell) -> bool:
        """Has the network sent fewer than it may in this hour?"""
        if refusal.is_known:
            return True
        key = (refusal.network, cell.is_source, cell.owner_pk, cell.kind, cell.road)
        hour, n = self._networks.get(key, (cell.hour, 0))
        n = n if hour == cell.hour else 0
        if n >= _most(refusal):
            return False
        self._networks[key] = cell.hour, n + 1
        return True

    def hand_on(self, held: Held) -> bool:
        """Write it down; while the database is away, it waits with what comes meanwhile."""
        last = [one for of_owner in held.last.values() for one in of_owner]
        try:
            self._write(held.counts, last)
        except (DatabaseError, InterfaceError) as error:
            logger.warning("What was refused is not counted yet: %s.", type(error).__name__)
            self.add(lambda news: news.add(held.counts, last))
            return False
        return True

    def leave(self) -> None:
        connection.close()  # given back: the pool is for requests


def _most(refusal: Refusal) -> int:
    if not refusal.is_let_in:
        return COUNTED_NOT_LET_IN
    return COUNTED_OF_BROWSERS if refusal.road is Road.BROWSER else COUNTED_OF_SERVERS


def origin_of(network: str) -> int:
    """The part of the internet that the network is in, by this instance's key."""
    return int.from_bytes(salted_hmac("events.refused.origin", network).digest()[:2]) % ORIGINS


_refused = Refused()


def count_refused(refusal: Refusal) -> None:
    """Count a refused request, soon; returns at once."""
    _refused.count(refusal)


os.register_at_fork(after_in_child=_refused.reset)

"""Counting what the intake leaves out of events, in the background: no request waits for it.

The counts are for people who look for a sender's mistakes. They are collected in memory. A thread adds them to the
table once a second, and a process that ends in good order adds the rest. A killed process loses what it holds. While
the database is away, counts wait, within bounds.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from multiprocessing.util import Finalize
from typing import NamedTuple

from django.db import DatabaseError, IntegrityError, InterfaceError, connection
from django.db.models import Sum
from django.utils import timezone

from common.bulk import insert
from events.figures.windows import floor
from events.intake.left_out import LeftOut, Reason
from events.models import Counter as EventCounter
from events.models import Finding, Road

logger = logging.getLogger(__name__)

#: In seconds: between two writes, and before the next attempt where the database did not take one.
INTERVAL = 1.0
PAUSE_AFTER_FAILURE = 10.0
#: Kinds of findings that a process holds; of further ones nothing is counted until these are written.
MAX_HELD = 10_000
#: Kinds that a page shows, the most frequent first.
MAX_SHOWN = 50


#: How rows name the roads: what the previous release wrote is the server's.
_ROADS = {Road.SERVER: "", Road.BROWSER: "browser"}


class Cell(NamedTuple):
    """The key of a row; in the order in which rows are written, so that no two writers wait for each other."""

    pixel_pk: int
    hour: datetime
    road: str
    field: str
    reason: str


class Findings:
    """What was found, and a thread that writes it down."""

    def __init__(self, write: Callable[[Mapping[Cell, int]], None]) -> None:
        self._write = write
        self._reset()

    def _reset(self) -> None:
        """As new. A forked process needs this: it has its parent's lock and event, but not its thread."""
        self._lock = threading.Lock()
        self._news = threading.Event()
        self._held: Counter[Cell] = Counter()
        self._thread: threading.Thread | None = None

    def add(self, pixel_pk: int, left_out: Mapping[LeftOut, int], road: Road = Road.SERVER) -> None:
        """Count what was left out of a pixel's events; returns at once."""
        hour = floor(timezone.now(), EventCounter.Span.HOUR)
        found = {Cell(pixel_pk, hour, _ROADS[road], what.field, what.reason.value): n for what, n in left_out.items()}
        with self._lock:
            self._hold(found)
            if self._thread is None:
                self._start()
        self._news.set()

    def _hold(self, found: Mapping[Cell, int]) -> None:
        for cell, n in found.items():
            if cell in self._held or len(self._held) < MAX_HELD:
                self._held[cell] += n

    def _start(self) -> None:
        thread = threading.Thread(target=self._run, name="findings", daemon=True)
        try:
            thread.start()
        except RuntimeError:  # the process is ending, or may have no more threads: the next one tries again
            return
        self._thread = thread
        # As in events/intake/wakeups.py: the server's worker processes call this, too, when they end in good order.
        Finalize(None, self._flush_and_leave, exitpriority=0)

    def _flush_and_leave(self) -> bool:
        try:
            return self.flush()
        finally:
            connection.close()  # given back: the pool is for requests

    def flush(self) -> bool:
        """Write down what there is; did the database take it?"""
        with self._lock:
            held, self._held = self._held, Counter()
        if not held:
            return True
        try:
            self._write(held)
        except (DatabaseError, InterfaceError) as error:
            logger.warning("What was left out of events is not counted yet: %s.", type(error).__name__)
            with self._lock:
                self._hold(held)
            return False
        return True

    def _run(self) -> None:
        while True:
            self._news.wait()
            self._news.clear()
            time.sleep(INTERVAL)  # what comes meanwhile goes with it
            if not self._flush_and_leave():
                time.sleep(PAUSE_AFTER_FAILURE)
                self._news.set()


def write(found: Mapping[Cell, int]) -> None:
    """Add the counts to the table; those of pixels that have gone meanwhile are dropped."""
    try:
        _upsert(found)
    except IntegrityError:
        for pixel_pk in {cell.pixel_pk for cell in found}:
            try:
                _upsert({cell: n for cell, n in found.items() if cell.pixel_pk == pixel_pk})
            except IntegrityError:
                continue


def _upsert(found: Mapping[Cell, int]) -> None:
    insert(
        Finding,
        ("pixel_id", "hour", "kind", "road", "field", "reason", "count"),
        [
            (c.pixel_pk, c.hour, Finding.Kind.LEFT_OUT.value, c.road, c.field, c.reason, n)
            for c, n in sorted(found.items())
        ],
        on_conflict="ON CONFLICT (pixel_id, hour, kind, road, field, reason)"
        " DO UPDATE SET count = events_finding.count + excluded.count",
    )


class Shown(NamedTuple):
    """What a page says of one kind of finding."""

    field: str
    explanation: str
    times: int


def read_left_out(pixel_pk: int, now: datetime | None = None) -> list[Shown]:
    """What was left out of the pixel's events in the last 24 hours."""
    since = (now or timezone.now()) - timedelta(hours=24)
    rows = Finding.objects.filter(pixel=pixel_pk, kind=Finding.Kind.LEFT_OUT, hour__gt=since)
    sums = rows.values_list("field", "reason").annotate(n=Sum("count")).order_by("-n", "field", "reason")
    return [Shown(field, explain(reason), n) for field, reason, n in sums[:MAX_SHOWN]]


def explain(reason: str) -> str:
    """The reason in words; a code that this version does not know is shown as it is."""
    return str(Reason(reason).label) if reason in Reason.values else reason


_findings = Findings(write)


def count_left_out(pixel_pk: int, left_out: Mapping[LeftOut, int], road: Road = Road.SERVER) -> None:
    """Count what was left out of a pixel's events, soon; returns at once."""
    _findings.add(pixel_pk, left_out, road)


os.register_at_fork(after_in_child=_findings._reset)

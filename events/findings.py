"""Counting what the intake leaves out of events, in the background: no request waits for it.

The counts are for people who look for a sender's mistakes. A thread adds them to the table at most once a second
(``common.collector``). While the database is away, counts wait, within bounds.
"""

from __future__ import annotations

import logging
import os
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import NamedTuple

from django.db import DatabaseError, InterfaceError, connection, transaction
from django.db.models import Q, Sum
from django.utils import timezone

from common.bulk import insert
from common.collector import Collector
from events.figures.windows import floor
from events.intake.left_out import LeftOut, Reason
from events.intake.pixel_settings import PixelSettings
from events.models import Counter as EventCounter
from events.models import Finding, Road
from events.owners import KINDS, Owner, Tables, tables_of

logger = logging.getLogger(__name__)

#: In seconds: between two writes, and before the next attempt where the database did not take one.
INTERVAL = 1.0
PAUSE_AFTER_FAILURE = 10.0
#: Kinds of findings that a process holds; of further ones nothing is counted until these are written.
MAX_HELD = 10_000
#: Kinds that a page shows, the most frequent first.
MAX_SHOWN = 50


#: How rows name the roads: what the previous release wrote is the server's.
ROADS = {Road.SERVER: "", Road.BROWSER: "browser"}


class Cell(NamedTuple):
    """The key of a row; in the order in which rows are written, so that no two writers wait for each other."""

    is_source: bool
    owner_pk: int
    hour: datetime
    road: str
    field: str
    reason: str


class Findings(Collector[Counter[Cell]]):
    """What was found."""

    def __init__(self, write: Callable[[Mapping[Cell, int]], None]) -> None:
        self._write = write
        super().__init__("findings", interval=INTERVAL, pause_after_failure=PAUSE_AFTER_FAILURE)

    def nothing(self) -> Counter[Cell]:
        return Counter()

    def count(self, owner: PixelSettings, left_out: Mapping[LeftOut, int], road: Road = Road.SERVER) -> None:
        """Count what was left out of a pixel's or source's events."""
        key = owner.is_source, owner.pk, floor(timezone.now(), EventCounter.Span.HOUR), ROADS[road]
        found = {Cell(*key, what.field, what.reason.value): n for what, n in left_out.items()}
        self.add(partial(_hold, found))

    def hand_on(self, held: Counter[Cell]) -> bool:
        """Write it down; while the database is away, it waits with what comes meanwhile."""
        try:
            self._write(held)
        except (DatabaseError, InterfaceError) as error:
            logger.warning("What was left out of events is not counted yet: %s.", type(error).__name__)
            self.add(partial(_hold, held))
            return False
        return True

    def leave(self) -> None:
        connection.close()  # given back: the pool is for requests


def _hold(found: Mapping[Cell, int], held: Counter[Cell]) -> None:
    for cell, n in found.items():
        if cell in held or len(held) < MAX_HELD:
            held[cell] += n


@transaction.atomic
def write(found: Mapping[Cell, int]) -> None:
    """Add the counts to the tables; those of owners that have gone meanwhile are dropped."""
    for is_source, tables in enumerate(KINDS):
        of_kind = {cell: n for cell, n in found.items() if cell.is_source == is_source}
        there = tables.those_there({cell.owner_pk for cell in of_kind})
        _upsert(tables, {cell: n for cell, n in of_kind.items() if cell.owner_pk in there})


def _upsert(tables: Tables, found: Mapping[Cell, int]) -> None:
    table, kind = tables.findings._meta.db_table, Finding.Kind.LEFT_OUT.value
    insert(
        tables.findings,
        (tables.column, "hour", "kind", "road", "field", "reason", "count"),
        [(c.owner_pk, c.hour, kind, c.road, c.field, c.reason, n) for c, n in sorted(found.items())],
        on_conflict=f"ON CONFLICT ({tables.column}, hour, kind, road, field, reason) DO UPDATE"  # nosec B608  # our names
        f" SET count = {table}.count + excluded.count",
    )


class Shown(NamedTuple):
    """What a page says of one kind of finding."""

    field: str
    explanation: str
    times: int
    #: How many of these were events of browsers.
    browser: int


def read_left_out(owner: Owner, now: datetime | None = None) -> list[Shown]:
    """What was left out of the events of a pixel or source in the last 24 hours."""
    since = (now or timezone.now()) - timedelta(hours=24)
    rows = tables_of(owner).findings_of(owner.pk).filter(kind=Finding.Kind.LEFT_OUT, hour__gt=since)
    by_browser = Sum("count", filter=Q(road=ROADS[Road.BROWSER]), default=0)
    sums = rows.values_list("field", "reason").annotate(n=Sum("count"), browser=by_browser)
    shown = sums.order_by("-n", "field", "reason")[:MAX_SHOWN]
    return [Shown(field, explain(reason), n, browser) for field, reason, n, browser in shown]


def explain(reason: str) -> str:
    """The reason in words; a code that this version does not know is shown as it is."""
    return str(Reason(reason).label) if reason in Reason.values else reason


_findings = Findings(write)


def count_left_out(owner: PixelSettings, left_out: Mapping[LeftOut, int], road: Road = Road.SERVER) -> None:
    """Count what was left out of the events of a pixel or source, soon; returns at once."""
    _findings.count(owner, left_out, road)


os.register_at_fork(after_in_child=_findings.reset)

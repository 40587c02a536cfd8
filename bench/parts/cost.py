"""What an event costs: processor time and bytes of the write-ahead log, as it is taken in and as it is published.

Of processes, not of a stop-watch: a busy machine makes this longer, not dearer. docs/scale.md reckons with it.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from django.db import connection

from bench import load, place, servers, stage
from bench.parts.browser import browser_body
from bench.parts.drain import DONE_FIRST, fill_up, waiting
from bench.report import Result
from bench.rounds import Effort
from tests.instance import Instance

TICKS = os.sysconf("SC_CLK_TCK")
NOTE = "Each kind alone, over 16 connections. PostgreSQL: all its processes. Published to an edge that takes all."


@dataclass
class Spent:
    """So far, or in between: processor seconds of our processes and of PostgreSQL's, bytes of its log."""

    ours: float
    postgres: float
    log: float

    def __sub__(self, other: Spent) -> Spent:
        return Spent(self.ours - other.ours, self.postgres - other.postgres, self.log - other.log)


def measure(effort: Effort) -> list[Result]:
    """By road and by events a request."""
    stage.make_pixel()
    path = f"/capi/{stage.PIXEL_ID}/events"
    kinds = (
        ("1 event a request", path, [stage.body_of(1)], 1),
        ("a browser's event", "/events?cee=no", [browser_body(number) for number in range(20_000)], 1),
        ("100 events a request", path, [stage.body_of(100)], 100),
    )
    processor: dict[str, list[float]] = {}
    log: dict[str, list[float]] = {}
    with stage.sink() as graph_api, servers.portal(place.address(), graph_api) as portal:
        for _ in range(effort.rounds):
            for name, road, bodies, size in kinds:
                for stage_name, events, spent in _both(portal, f"{portal.url}{road}", bodies, size, effort):
                    for who, seconds in ((stage_name, spent.ours), (f"{stage_name}, PostgreSQL", spent.postgres)):
                        processor.setdefault(f"{name}, {who}", []).append(seconds / events * 1e6)
                    log.setdefault(f"{name}, {stage_name}", []).append(spent.log / events)
    return [
        Result(f"Cost: {title}", [], unit, {name: median(values) for name, values in found.items()}, NOTE)
        for title, unit, found in (
            ("processor", "microseconds an event", processor),
            ("write-ahead log", "bytes an event", log),
        )
    ]


def _both(portal: Instance, url: str, bodies: list[bytes], size: int, effort: Effort) -> list[tuple[str, int, Spent]]:
    """Take in for a while, then publish: the name of each, the events, what was spent."""
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE events_outboxrow")
    load.post_well(url, *bodies, seconds=1)
    before = _so_far(portal.pid("web"))
    events = load.post_well(url, *bodies, seconds=effort.seconds).requests * size
    taken_in = _so_far(portal.pid("web")) - before
    fill_up(effort.events // 10)
    return [("taken in", events, taken_in), ("published", *_publish(portal))]


def _publish(portal: Instance) -> tuple[int, Spent]:
    """From when a tenth is done, so that the worker's start does not count, until nothing waits."""
    everything = waiting()
    portal.start_worker()
    while (left := waiting()) > DONE_FIRST * everything:
        time.sleep(0.01)
    before = _so_far(portal.pid("worker"))
    stage.wait_until_drained(portal)
    spent = _so_far(portal.pid("worker")) - before
    portal.stop("worker")
    return left, spent


def _so_far(group: int) -> Spent:
    ours, postgres = 0.0, 0.0
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                name, _, rest = (folder / "stat").read_text().rpartition(")")
                seconds = sum(map(int, rest.split()[11:13])) / TICKS
                ours += seconds * (os.getpgid(int(folder.name)) == group)
                postgres += seconds * name.endswith("(postgres")
            except (ProcessLookupError, FileNotFoundError):
                continue
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')")
        return Spent(ours, postgres, float(cursor.fetchone()[0]))

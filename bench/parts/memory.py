"""What web server and worker hold after a million events and after a hundred thousand: of servers, then of browsers."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from bench import load, place, servers, stage
from bench.parts.browser import browser_body
from bench.report import Result, Row
from bench.rounds import Effort, ratio
from tests.instance import Instance

AT_MOST = 1.1
MIB = 2**20
NOTE = "Of all processes, shared pages shared out among them (PSS)."


class Road(NamedTuple):
    """How events come in."""

    name: str
    path: str
    #: The bodies of a step, by the number of events before it; in turn.
    bodies: Callable[[int], list[bytes]]
    events_a_request: int
    step_seconds: float


#: Each browser's event is another visitor's, as long as a step has no more than so many.
VISITORS = 20_000
ROADS = (
    Road("server", f"/capi/{stage.PIXEL_ID}/events", lambda _: [stage.body_of(100)], 100, 1),
    Road(
        "browser",
        "/events?cee=no",
        lambda sent: [browser_body(number) for number in range(sent, sent + VISITORS)],
        1,
        5,
    ),
)


class Held(NamedTuple):
    """What is held after so many events, in bytes."""

    events: int
    web: int
    worker: int


def measure(effort: Effort) -> list[Result]:
    """An instance for each road, looked at before anything came, early and late."""
    stage.make_pixel()
    return [_measure(road, effort) for road in ROADS]


def _measure(road: Road, effort: Effort) -> Result:
    with stage.sink() as graph_api, servers.portal(place.address(), graph_api) as instance:
        instance.start_worker()
        time.sleep(5)
        looks = [_look(instance, 0)]
        for until in (effort.events // 10, effort.events):
            looks.append(_look(instance, _send(instance, road, looks[-1].events, until)))
    start, early, late = looks
    rows = [
        Row(
            f"memory of the {process}, {late.events:,} {road.name} events",
            f"{early.events:,} events",
            AT_MOST,
            ratio([getattr(late, process)], [getattr(early, process)]),
            at_most=True,
        )
        for process in ("web", "worker")
    ]
    figures = {
        f"{process}, {look.events:,} events": getattr(look, process) / MIB
        for process in ("web", "worker")
        for look in (start, early, late)
    }
    return Result(f"Memory, events of {road.name}s", rows, "MiB", figures, NOTE)


def _send(instance: Instance, road: Road, sent: int, until: int) -> int:
    """Send until so many events have been; how many it were in the end."""
    while sent < until:
        bodies = road.bodies(sent)
        done = load.post(f"{instance.url}{road.path}", *bodies, seconds=road.step_seconds, connections=8)
        if done.errors or not done.requests:
            raise RuntimeError(f"{done.errors} of {done.requests} requests were refused")
        sent += done.requests * road.events_a_request
        stage.wait_until_drained(instance)
    return sent


def _look(instance: Instance, events: int) -> Held:
    time.sleep(2)
    return Held(events, *(memory_of_group(instance.pid(process)) for process in ("web", "worker")))


def memory_of_group(group: int) -> int:
    """The bytes that the processes of a group hold (Linux)."""
    total = 0
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                if os.getpgid(int(folder.name)) == group:
                    total += _proportional_size(folder)
            except (ProcessLookupError, FileNotFoundError):
                continue
    return total


def _proportional_size(folder: Path) -> int:
    for line in (folder / "smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1_024
    return 0

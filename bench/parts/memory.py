"""What web server and worker hold after a million events, and after a hundred thousand."""

from __future__ import annotations

import os
import time
from pathlib import Path

from bench import load, place, servers, stage
from bench.report import Result, Row
from bench.rounds import Effort, ratio
from tests.instance import Instance

AT_MOST = 1.1
SIZE = 100
STEP_SECONDS = 1.0
MIB = 2**20


def measure(effort: Effort) -> list[Result]:
    """One instance, looked at early and late."""
    stage.make_pixel()
    with stage.sink() as graph_api, servers.portal(place.address(), graph_api) as instance:
        instance.start_worker()
        early = _measure_held(instance, 0, effort.events // 10)
        late = _measure_held(instance, early[0], effort.events)
    processes = list(zip(("web", "worker"), early[1:], late[1:], strict=True))
    rows = [
        Row(
            f"memory of the {name}, {late[0]:,} events",
            f"{early[0]:,} events",
            AT_MOST,
            ratio([after], [before]),
            at_most=True,
        )
        for name, before, after in processes
    ]
    figures = {
        f"{name}, {events:,} events": held / MIB
        for name, *both in processes
        for events, held in zip((early[0], late[0]), both, strict=True)
    }
    return [Result("Memory", rows, "MiB", figures, "Of all processes, shared pages shared out among them (PSS).")]


def _measure_held(instance: Instance, sent: int, until: int) -> tuple[int, int, int]:
    """Send until so many events have been, and see what is held then."""
    url, body = f"{instance.url}/capi/{stage.PIXEL_ID}/events", stage.body_of(SIZE)
    while sent < until:
        done = load.post(url, body, seconds=STEP_SECONDS, connections=8)
        if done.errors or not done.requests:
            raise RuntimeError(f"{done.errors} of {done.requests} requests were refused")
        sent += done.requests * SIZE
        stage.wait_until_drained(instance)
    time.sleep(2)
    return sent, memory_of_group(instance.pid("web")), memory_of_group(instance.pid("worker"))


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

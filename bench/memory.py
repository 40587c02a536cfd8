"""What web and worker hold after 100,000 events, and after a million: ``python -m bench.memory``.

Resident memory of all their processes, shared pages shared out among them (PSS), after everything was published.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

from bench import load, stage
from tests.instance import Instance

EVENTS = int(os.environ.get("BENCH_EVENTS") or 1_000_000)
SIZE = 100
STEP_SECONDS = 1.0


def main() -> None:
    """Measure and print."""
    stage.make_pixel()
    with stage.sink() as graph_api, stage.portal(graph_api) as instance:
        early = measure_held(instance, 0, EVENTS // 10)
        late = measure_held(instance, early[0], EVENTS)
    stage.print_table(
        "Memory, MiB",
        ("", f"{early[0]:,} events", f"{late[0]:,} events", "ratio"),
        [
            (name, before / 2**20, after / 2**20, after / before)
            for name, before, after in zip(("web", "worker"), early[1:], late[1:], strict=True)
        ],
    )


def measure_held(instance: Instance, sent: int, until: int) -> tuple[int, int, int]:
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


if __name__ == "__main__":
    main()

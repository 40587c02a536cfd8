"""What web server and worker hold after a million events, and after a hundred thousand."""

from __future__ import annotations

from bench import place, servers, stage
from bench.memory import measure_held
from bench.report import Result, Row
from bench.rounds import Effort, ratio

AT_MOST = 1.1
MIB = 2**20


def measure(effort: Effort) -> list[Result]:
    """One instance, looked at early and late."""
    stage.make_pixel()
    with stage.sink() as graph_api, servers.portal(place.address(), graph_api) as instance:
        instance.start_worker()
        early = measure_held(instance, 0, effort.events // 10)
        late = measure_held(instance, early[0], effort.events)
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

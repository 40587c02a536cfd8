"""Clients that send slowly or say nothing: what honest senders lose by them, and what the web server holds for them."""

from __future__ import annotations

import resource
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from bench import load, place, servers, stage
from bench.parts.intake import empty_tables
from bench.parts.memory import MIB, memory_of_group
from bench.report import Result, Row
from bench.rounds import Effort, Ratio, ratio
from tests.instance import Instance

MANY, FEW = 1_000, 16
RATE, MEDIAN = 0.9, 1.5
#: At most so much for many open connections, beside a few.
MORE_BYTES = 30 * MIB
WARM_SECONDS = 2
NOTE = (
    f"{load.CONNECTIONS} connections of honest senders, one event a request. Those who stall have sent the head of a "
    "request and half of its body; limits of time and number are off. Memory is that of all processes, shared pages "
    "shared out among them (PSS)."
)


def measure(effort: Effort) -> list[Result]:
    """Memory; then honest senders with stalled ones and without, in turn."""
    url = place.address()
    servers.run_sql(url, "intake.sql")
    stage.make_pixel()
    _allow_files(2 * MANY)
    patient = {"BODY_TIMEOUT_SECONDS": 3_600, "HEADER_TIMEOUT_SECONDS": 300, "LATE_REQUESTS_PER_ADDRESS": 0}
    with stage.sink() as graph_api, servers.portal(url, graph_api, **patient) as portal:
        _honest(portal, WARM_SECONDS)
        few, many = (_memory_with(portal, count) for count in (FEW, MANY))
        alone, beside = _in_turn(portal, effort)
        empty_tables()
    more = (many - few) / MORE_BYTES
    stalled = f"honest senders, {MANY:,} stalled"
    rows = [
        Row(f"{stalled}: rate", "none stalled", RATE, _ratio(beside, alone, lambda of: of.rate)),
        Row(f"{stalled}: median time", "none stalled", MEDIAN, _ratio(beside, alone, lambda of: of.median), True),
        Row(f"what {MANY:,} connections hold, and {FEW} do not", "30 MiB", 1, Ratio(more, more, more), True),
    ]
    figures = {
        "events a second, none stalled": _middle(alone).rate,
        f"events a second, {MANY:,} stalled": _middle(beside).rate,
        "ms, none stalled": _middle(alone).median,
        f"ms, {MANY:,} stalled": _middle(beside).median,
        f"MiB, {FEW} connections": few / MIB,
        f"MiB, {MANY:,} connections": many / MIB,
    }
    return [Result("Slow clients", rows, "", figures, NOTE)]


def _in_turn(portal: Instance, effort: Effort) -> tuple[list[load.Load], list[load.Load]]:
    alone: list[load.Load] = []
    beside: list[load.Load] = []
    for number in range(effort.rounds):
        for found in (beside, alone) if number % 2 else (alone, beside):
            with _stalled(portal, MANY if found is beside else 0):
                found.append(_honest(portal, effort.seconds))
    return alone, beside


def _honest(portal: Instance, seconds: float) -> load.Load:
    return load.post_well(f"{portal.url}/capi/{stage.PIXEL_ID}/events", stage.body_of(1), seconds=seconds)


@contextmanager
def _stalled(portal: Instance, count: int) -> Iterator[None]:
    body = stage.body_of(1)
    head = f"POST /capi/{stage.PIXEL_ID}/events HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n"
    with ExitStack() as stack:
        for _ in range(count):
            stack.enter_context(_connection(portal)).sendall(head.encode() + body[: len(body) // 2])
        time.sleep(1)
        yield


def _memory_with(portal: Instance, connections: int) -> int:
    """What is held while so many connections are open that have been answered once."""
    with ExitStack() as stack:
        for _ in range(connections):
            opened = stack.enter_context(_connection(portal))
            opened.sendall(b"GET /internal/nothing HTTP/1.1\r\nHost: localhost\r\n\r\n")
            opened.recv(4_096)
        time.sleep(2)
        return memory_of_group(portal.pid("web"))


def _connection(portal: Instance) -> socket.socket:
    return socket.create_connection(("127.0.0.1", portal.port), timeout=30)


def _allow_files(wanted: int) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(wanted, hard)), hard))


def _ratio(ours: list[load.Load], theirs: list[load.Load], figure: Callable[[load.Load], float]) -> Ratio:
    return ratio([figure(of) for of in ours], [figure(of) for of in theirs])


def _middle(loads: list[load.Load]) -> load.Load:
    return sorted(loads, key=lambda of: of.rate)[len(loads) // 2]

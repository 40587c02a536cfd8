"""Taking in events: portal, django-ninja with a row for each event, and fastify with a raw row for each request.

Fastify is measured with PostgreSQL's default compression, and with lz4, which the portal uses; a single event is too
short for either.
An event counts when it was acknowledged, which portal and peers do after their commit. Everybody stores and nobody
works on what was stored meanwhile; what the portal takes in with a worker beside it is told in the figures.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from statistics import median
from typing import NamedTuple

from django.db import connection

from bench import load, place, servers, stage
from bench.report import Result, Row
from bench.rounds import Effort, Rounds, ratio
from bench.rounds import measure as measure_rounds
from tests.instance import Instance

WARM_SECONDS = 1
BESIDE_WORKER = "portal, a worker draining"


class Work(NamedTuple):
    """Requests of so many events, over so many connections: at least so many times as fast as each peer."""

    events: int
    connections: int
    targets: Mapping[str, float]

    def __str__(self) -> str:
        connections = "" if self.connections == load.CONNECTIONS else f", {self.connections} connections"
        return f"{self.events} event{'s' if self.events > 1 else ''} a request{connections}"


WORKS = (
    Work(1, load.CONNECTIONS, {"django-ninja": 3.5, "fastify": 1.1}),
    Work(1, 256, {"fastify": 1.7}),
    Work(100, load.CONNECTIONS, {"django-ninja": 15.0, "fastify": 0.9, "fastify, lz4": 0.55}),
)


def measure(effort: Effort) -> list[Result]:
    """Portal and peers on one database."""
    url = place.address()
    servers.run_sql(url, "intake.sql")
    stage.make_pixel()
    found: dict[str, Rounds] = {}
    with (
        stage.sink() as graph_api,
        servers.portal(url, graph_api) as portal,
        servers.python_peer("ninja_rows", url) as ninja,
        servers.node_peer("fastify_raw", url, TABLE="peer_requests") as fastify,
        servers.node_peer("fastify_raw", url, TABLE="peer_requests_lz4") as fastify_lz4,
    ):
        addresses = {"portal": portal.url, "django-ninja": ninja, "fastify": fastify, "fastify, lz4": fastify_lz4}
        for work in WORKS:
            things: dict[str, Callable[[], float]] = {
                name: partial(_rate, addresses[name], work, effort.seconds) for name in ("portal", *work.targets)
            }
            for name in things:
                _rate(addresses[name], work, WARM_SECONDS)
            found[str(work)] = measure_rounds(things, effort.rounds)
            empty_tables()
        for work in WORKS:
            found[str(work)][BESIDE_WORKER] = [_rate_beside_worker(portal, work, effort.seconds)]
    rows = [
        Row(f"intake, {work}", peer, target, ratio(found[str(work)]["portal"], found[str(work)][peer]))
        for work in WORKS
        for peer, target in work.targets.items()
    ]
    figures = {f"{work}, {name}": median(rates) for work, rounds in found.items() for name, rates in rounds.items()}
    note = f"{load.CONNECTIONS} connections where no other number is told, one pixel."
    return [Result("Intake", rows, "events a second", figures, note)]


def empty_tables() -> None:
    """Forget what was stored, of portal and peers."""
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE events_outboxrow, peer_events, peer_requests, peer_requests_lz4, peer_counts")


def _rate(address: str, work: Work, seconds: float) -> float:
    url, body = f"{address}/capi/{stage.PIXEL_ID}/events", stage.body_of(work.events)
    return load.post_well(url, body, seconds=seconds, connections=work.connections).rate * work.events


def _rate_beside_worker(portal: Instance, work: Work, seconds: float) -> float:
    portal.start_worker()
    rate = _rate(portal.url, work, seconds)
    stage.wait_until_drained(portal)
    portal.stop("worker")
    return rate

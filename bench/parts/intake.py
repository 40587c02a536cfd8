"""Taking in events: portal, django-ninja with a row for each event, and fastify with a raw row for each request.

Fastify is measured with PostgreSQL's default compression, and with lz4, which the portal uses; a single event is too
short for either.
An event counts when it was acknowledged, which portal and peers do after their commit. Everybody stores and nobody
works on what was stored meanwhile; what the portal takes in with a worker beside it is told in the figures.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from statistics import median

from django.db import connection

from bench import load, place, servers, stage
from bench.report import Result, Row
from bench.rounds import Effort, Rounds, ratio
from bench.rounds import measure as measure_rounds
from tests.instance import Instance

WARM_SECONDS = 1
#: At least so many times each peer, by events a request.
TARGETS = {
    1: {"django-ninja": 3.5, "fastify": 0.5},
    100: {"django-ninja": 15.0, "fastify": 0.9, "fastify, lz4": 0.9},
}
BESIDE_WORKER = "portal, a worker draining"


def measure(effort: Effort) -> list[Result]:
    """Portal and peers on one database."""
    url = place.address()
    servers.run_sql(url, "intake.sql")
    stage.make_pixel()
    found: dict[int, Rounds] = {}
    with (
        stage.sink() as graph_api,
        servers.portal(url, graph_api) as portal,
        servers.python_peer("ninja_rows", url) as ninja,
        servers.node_peer("fastify_raw", url, TABLE="peer_requests") as fastify,
        servers.node_peer("fastify_raw", url, TABLE="peer_requests_lz4") as fastify_lz4,
    ):
        addresses = {"portal": portal.url, "django-ninja": ninja, "fastify": fastify, "fastify, lz4": fastify_lz4}
        for size, targets in TARGETS.items():
            measured = {name: addresses[name] for name in ("portal", *targets)}
            for address in measured.values():
                _rate(address, size, WARM_SECONDS)
            things: dict[str, Callable[[], float]] = {
                name: partial(_rate, address, size, effort.seconds) for name, address in measured.items()
            }
            found[size] = measure_rounds(things, effort.rounds)
            empty_tables()
        for size in TARGETS:
            found[size][BESIDE_WORKER] = [_rate_beside_worker(portal, size, effort.seconds)]
    rows = [
        Row(f"intake, {_a_request(size)}", peer, target, ratio(found[size]["portal"], found[size][peer]))
        for size, targets in TARGETS.items()
        for peer, target in targets.items()
    ]
    figures = {
        f"{_a_request(size)}, {name}": median(rates) for size, rounds in found.items() for name, rates in rounds.items()
    }
    return [Result("Intake", rows, "events a second", figures, f"{load.CONNECTIONS} connections, one pixel.")]


def empty_tables() -> None:
    """Forget what was stored, of portal and peers."""
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE events_outboxrow, peer_events, peer_requests, peer_requests_lz4, peer_counts")


def _rate(address: str, size: int, seconds: float) -> float:
    url = f"{address}/capi/{stage.PIXEL_ID}/events"
    return load.post_well(url, stage.body_of(size), seconds=seconds).rate * size


def _rate_beside_worker(portal: Instance, size: int, seconds: float) -> float:
    portal.start_worker()
    rate = _rate(portal.url, size, seconds)
    stage.wait_until_drained(portal)
    portal.stop("worker")
    return rate


def _a_request(size: int) -> str:
    return "1 event a request" if size == 1 else f"{size} events a request"

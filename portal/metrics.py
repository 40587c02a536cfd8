"""GET /metrics: what the processes of this machine have measured, and how much waits in the database.

A web server answers there; on a machine without one, a worker does at a port of its own (portal/metrics_port.py). To
anybody but those who have METRICS_TOKEN, or ask from METRICS_ALLOWED_NETWORKS, it is not there.
"""

from __future__ import annotations

import fcntl
import logging
import os
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from hmac import compare_digest
from ipaddress import ip_network
from pathlib import Path

from django.conf import settings
from django.db import Error, connection
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.mmap_dict import MmapedDict
from prometheus_client.multiprocess import MultiProcessCollector

from common import refusals
from common.client_address import Network, is_within, parse_address
from common.http import Request, Response
from common.metrics import POOL
from common.postgresql import close_if_cut_off
from common.query_timeout import limited_reads
from events.delivery import standing

logger = logging.getLogger(__name__)

PATH = "/metrics"
#: What the database was asked serves all who ask within this time.
KEPT_SECONDS = 10.0
#: How often a process tells how its pool stands.
POOL_SECONDS = 10.0


def answer(request: Request) -> Response:
    """The metrics, in Prometheus's form; 404 for all who may not see them."""
    return _answer(request, [Standing()])


def answer_of_machine(request: Request) -> Response:
    """Without what waits in the database: it is the same wherever it is asked for, and web servers tell it."""
    return _answer(request, [])


def _answer(request: Request, further: Sequence[Standing]) -> Response:
    if request.path != PATH or not _may_see(request):
        return _refusal(404, "There is nothing at this address.")
    if request.method not in ("GET", "HEAD"):
        status, headers, body = _refusal(405, "This address takes GET, HEAD.")
        return Response(status, [*headers, ("Allow", "GET, HEAD")], body)
    if further:
        close_if_cut_off()
    return Response(200, [("Content-Type", CONTENT_TYPE_LATEST), ("Cache-Control", "no-store")], _measured(further))


def tell_of_pool_from_now_on() -> None:
    """Start the thread that tells how this process's pool of connections stands, where there is one."""
    if settings.METRICS_FOLDER and connection.vendor == "postgresql":
        threading.Thread(target=_tell_of_pool, name="metrics", daemon=True).start()


def _may_see(request: Request) -> bool:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if settings.METRICS_TOKEN and scheme.lower() == "bearer":
        return compare_digest(token.strip().encode(), settings.METRICS_TOKEN.encode())
    return is_within(parse_address(request.address), _networks(tuple(settings.METRICS_ALLOWED_NETWORKS)))


@cache
def _networks(networks: tuple[str, ...]) -> list[Network]:
    return [ip_network(network) for network in networks]


def _refusal(status: int, sentence: str) -> Response:
    return Response(status, [("Content-Type", "application/json")], refusals.as_rest(status, sentence))


def _measured(further: Sequence[Standing]) -> bytes:
    registry = CollectorRegistry()
    for each in further:
        registry.register(each)
    if not settings.METRICS_FOLDER:
        return generate_latest(REGISTRY) + generate_latest(registry)
    with _alone(settings.METRICS_FOLDER):
        _fold_dead(settings.METRICS_FOLDER)
        MultiProcessCollector(registry, path=str(settings.METRICS_FOLDER))  # type: ignore[no-untyped-call]
        return generate_latest(registry)


# --- What the database tells -----------------------------------------------------------------------------------------
class Standing:
    """Asked at most once in KEPT_SECONDS; a database that does not answer takes nothing else away."""

    kept: tuple[float, list[Metric]] = (float("-inf"), [])

    def collect(self) -> Iterator[Metric]:
        """What Prometheus is told."""
        at, metrics = Standing.kept
        if time.monotonic() - at > KEPT_SECONDS:
            try:
                with limited_reads():
                    metrics = list(_standing())
            except Error:
                logger.warning("What waits could not be read for the metrics.", exc_info=True)
                metrics = []
            Standing.kept = time.monotonic(), metrics
        yield from metrics


def _standing() -> Iterator[Metric]:
    events = GaugeMetricFamily(
        "portal_waiting_events", f"Events that wait, of {standing.MOST} requests at most.", labels=["road", "state"]
    )
    age = GaugeMetricFamily(
        "portal_waiting_oldest_seconds", "Since when the oldest of them waits.", labels=["road", "state"]
    )
    for each in standing.waiting():
        events.add_metric([each.road, each.state], each.events)
        age.add_metric([each.road, each.state], each.age)
    lanes = GaugeMetricFamily("portal_lanes", "Lanes of pixels and destinations.", labels=["road", "state"])
    for lane in standing.lanes():
        for state in ("working", "retrying", "held"):
            lanes.add_metric([lane.road, state], getattr(lane, state))
    letters = GaugeMetricFamily(
        "portal_dead_letters",
        f"Events that were refused and wait for a person, {standing.MOST} at most.",
        labels=["road"],
    )
    for road, count in standing.dead_letters():
        letters.add_metric([road], count)
    return iter((events, age, lanes, letters))


# --- The files of the processes --------------------------------------------------------------------------------------
@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _fold_dead(folder: Path) -> None:
    """Add what processes that are gone have counted to one file: else each that ever ran would leave its own."""
    for file in folder.glob("*_*.db"):
        kind, _, number = file.stem.rpartition("_")
        if not number.isdigit() or _is_there(int(number)):
            continue
        if not kind.startswith("gauge"):
            total = MmapedDict(str(folder / f"{kind}_gone.db"))  # type: ignore[no-untyped-call]
            for key, value, _at, _position in MmapedDict.read_all_values_from_file(str(file)):  # type: ignore[no-untyped-call]
                total.write_value(key, total.read_value(key)[0] + value, 0.0)  # type: ignore[no-untyped-call]
            total.close()  # type: ignore[no-untyped-call]
        file.unlink()


def _is_there(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _tell_of_pool() -> None:
    while True:
        with suppress(Exception):  # the pool is made with the first connection, and made anew after a fork
            stats = connection.pool.get_stats()  # type: ignore[attr-defined]  # of PostgreSQL alone
            idle = stats.get("pool_available", 0)
            POOL.labels("idle").set(idle)
            POOL.labels("used").set(stats.get("pool_size", 0) - idle)
            POOL.labels("awaited").set(stats.get("requests_waiting", 0))
        time.sleep(POOL_SECONDS)

"""Several hosts, of which one is cut off, slow, or comes back: nothing that was accepted is lost, or counted twice.

Two web servers, two workers with a scheduler each, the database with the broker, and a Graph API are machines of their
own in a network (tests/slow/network.py). Senders go on with the other web server where one does not answer.
"""

from __future__ import annotations

import random
import threading
import time
from collections import Counter as Tally
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from django.db import connection

from events.sandbox import Sandbox
from events.sandbox.app import SandboxResponse
from events.sandbox.server import serve
from tests.base import tenant
from tests.factories import PixelFactory
from tests.instance import Instance
from tests.slow.network import Host, Network
from tests.slow.servers import PrivateRedis, private_postgres

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

PIXELS = 6
SENDERS = 4
#: A sender asks the other web server when one has not answered for so long.
PATIENCE_SECONDS = 2
#: So long the Graph API thinks: at any moment a worker waits for an answer.
ANSWER_SECONDS = 0.3
#: A host is away for longer than anybody keeps a connection to one that says nothing.
AWAY_SECONDS = 25
SLOW_SECONDS = 8
TIMES = {"PUBLISH_TIMEOUT_SECONDS": 1, "LANE_LEASE_SECONDS": 4}


class Edge(Sandbox):
    """A Graph API that knows each request to the gateway by the marks of its events, however often these are sent."""

    def __init__(self) -> None:
        super().__init__()
        self.came: Tally[str] = Tally()
        self.asked = threading.Event()

    def post_events(self, version: str, pixel_id: str, payload: Mapping[str, Any]) -> SandboxResponse:
        answer = super().post_events(version, pixel_id, payload)
        with self._lock:
            self.came.update(event["custom_data"]["mark"] for event in payload["data"])
        self.asked.set()
        time.sleep(ANSWER_SECONDS)
        return answer


@dataclass
class Attempt:
    """A request to a web server: the mark of its only event; status 0 where no answer came."""

    mark: str
    event_id: str
    url: str
    began: float
    status: int = 0


class Sender(threading.Thread):
    """Sends event after event, each again until it is answered 202, by turns to the one web server and the other."""

    def __init__(self, number: int, host: Host, urls: list[str], pixel_ids: list[str]) -> None:
        super().__init__(daemon=True)
        self.number, self.host, self.pixel_ids = number, host, pixel_ids
        self.urls = urls[number % len(urls) :] + urls[: number % len(urls)]
        self.attempts: list[Attempt] = []
        self.enough = threading.Event()

    def run(self) -> None:
        chance = random.Random(self.number)
        with self.host.entered(), httpx.Client(timeout=PATIENCE_SECONDS) as client:
            for event in count():
                if self.enough.wait(0.05):
                    return
                self._send(client, chance.choice(self.pixel_ids), f"{self.number}-{event}")

    def _send(self, client: httpx.Client, pixel_id: str, event_id: str) -> None:
        while True:
            attempt = Attempt(f"{event_id}-{len(self.attempts)}", event_id, self.urls[0], time.monotonic())
            self.attempts.append(attempt)
            body = {"data": [purchase(event_id, attempt.mark)]}
            try:
                attempt.status = client.post(f"{attempt.url}/capi/{pixel_id}/events", json=body).status_code
            except httpx.HTTPError:
                self.urls.reverse()
            if attempt.status == 202:
                return
            time.sleep(0.05)


def purchase(event_id: str, mark: str) -> dict[str, Any]:
    return {
        "event_name": "Purchase",
        "event_id": event_id,
        "event_time": int(time.time()),
        "action_source": "email",
        "user_data": {"external_id": "v-17"},
        "custom_data": {"currency": "EUR", "value": 9.5, "mark": mark},
    }


class OnHost(Instance):
    """The processes of one host."""

    def __init__(self, host: Host, folder: Path, graph_api_url: str, **environment: Any) -> None:
        folder.mkdir()
        super().__init__(folder, graph_api_url, **environment, BIND_ADDRESS="0.0.0.0", ALLOWED_HOSTS=host.address)  # noqa: S104
        self.host = host
        self.url = f"http://{host.address}:{self.port}"

    def start_web(self, *args: Any, **kwargs: Any) -> None:
        with self.host.entered():
            super().start_web(*args, **kwargs)

    def start_worker(self, *args: Any, **kwargs: Any) -> None:
        with self.host.entered():
            super().start_worker(*args, **kwargs)


@dataclass
class Site:
    """All of it. Each worker has a way of its own to Meta, so that it is known who has sent what."""

    network: Network
    database: psycopg.Connection[Any]
    store: Host
    webs: list[OnHost]
    workers: list[OnHost]
    edges: list[Edge]
    senders: list[Sender] = field(default_factory=list)

    @property
    def attempts(self) -> list[Attempt]:
        """All that the senders have tried."""
        return [attempt for sender in self.senders for attempt in list(sender.attempts)]

    def came(self) -> Tally[str]:
        """How often each request's event came to Meta."""
        return sum((Tally(edge.came) for edge in self.edges), Tally())

    def accepted(self, web: OnHost | None = None, since: float = 0.0) -> set[str]:
        """The marks of the requests that were answered 202 by that web server, or by either."""
        return {
            each.mark
            for each in self.attempts
            if each.status == 202 and each.began >= since and (web is None or each.url == web.url)
        }

    def log(self) -> str:
        """What the processes said last."""
        return "\n".join(each.log("worker") for each in self.workers) + "\n".join(each.log("web") for each in self.webs)

    def wait_until(self, condition: Callable[[], object], seconds: float, what: str) -> None:
        """Wait, at most for so long."""
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, f"{what}\n{self.log()}"
            time.sleep(0.1)

    @contextmanager
    def load(self, shops: Host, pixel_ids: list[str]) -> Iterator[None]:
        """Senders at work while the block runs; at its end they have a 202 for all that they began."""
        urls = [web.url for web in self.webs]
        self.senders = [Sender(number, shops, urls, pixel_ids) for number in range(SENDERS)]
        for sender in self.senders:
            sender.start()
        try:
            yield
        finally:
            for sender in self.senders:
                sender.enough.set()
            for sender in self.senders:
                sender.join(30)
        assert not any(sender.is_alive() for sender in self.senders), self.log()


@contextmanager
def site(folder: Path) -> Iterator[tuple[Site, Host]]:
    """A running site, and a host for the senders."""
    if connection.vendor != "postgresql":
        pytest.skip("shown where the tests run on PostgreSQL")
    with Network() as network, ExitStack() as stack:
        store, meta, shops = (network.add(name) for name in ("store", "meta", "shops"))
        postgres = stack.enter_context(private_postgres(store))
        redis = PrivateRedis(store.address, **{"bind": store.address, "protected-mode": "no", "tcp-keepalive": "5"})
        with store.entered():
            redis.start()
        stack.callback(redis.stop)
        edges = [Edge(), Edge()]
        with meta.entered():
            graph_apis = [stack.enter_context(serve(edge, address=meta.address)) for edge in edges]
        shared = {"DATABASE_URL": postgres.url, "CELERY_BROKER_URL": redis.url, "RATE_LIMIT_STORAGE_URL": redis.url}
        settings = {**shared, **TIMES, "BASE_URL": "http://portal.example.com", "ADDRESS_RATE_LIMIT": 0}
        hosts = [
            OnHost(network.add(name), folder / name, graph_apis[int(name[-1]) - 1], **settings)
            for name in ("web1", "web2", "worker1", "worker2")
        ]
        for host in hosts:
            stack.enter_context(host)
        database = stack.enter_context(psycopg.connect(postgres.socket_url, autocommit=True))
        running = Site(network, database, store, hosts[:2], hosts[2:], edges)
        for worker in running.workers:
            worker.start_worker()
        for web in running.webs:
            web.start_web()
        yield running, shops


def test_nothing_is_lost_whichever_host_is_cut_off_or_slow(tmp_path: Path) -> None:
    pixel_ids = [PixelFactory.create(tenant=tenant(f"Shop {number}")).pixel_id for number in range(PIXELS)]
    with site(tmp_path) as (running, shops):
        with running.load(shops, pixel_ids):
            running.wait_until(lambda: all(edge.came for edge in running.edges), 60, "a worker has nothing to do")
            cut_off_the_first(running)
            come_back_alone(running)
            with running.network.slowed(running.store, "1mbit"):
                begun = time.monotonic()
                time.sleep(SLOW_SECONDS)
                assert running.accepted(since=begun)
        running.wait_until(lambda: waiting(running) == 0, 60, "events wait")

        assert {each.status for each in running.attempts} <= {0, 202, 503}
        assert_nothing_lost_and_all_counted_once(running)


def cut_off_the_first(running: Site) -> None:
    """The worker waits for an answer of Meta's, so it has leases; the other one takes over when these have run out.

    The web server's senders go on with the other one.
    """
    (web, other), (worker, _), (edge, _) = running.webs, running.workers, running.edges
    edge.asked.clear()
    assert edge.asked.wait(30), running.log()
    running.network.pull(worker.host)
    running.network.pull(web.host)
    gone, held = time.monotonic(), running.accepted()
    time.sleep(AWAY_SECONDS)
    assert held <= running.came().keys(), "what the worker had in hand is not taken over"
    assert not running.accepted(web, since=gone)
    assert running.accepted(other, since=gone)


def come_back_alone(running: Site) -> None:
    """Those that were cut off go on by themselves, when the others are cut off."""
    (web, other_web), (worker, other_worker), (edge, _) = running.webs, running.workers, running.edges
    for one, other in ((web, other_web), (worker, other_worker)):
        running.network.plug_in(one.host)
        running.network.pull(other.host)
    back, before = time.monotonic(), Tally(edge.came)
    running.wait_until(lambda: running.accepted(web, since=back), 60, "the web server has not come back")
    running.wait_until(lambda: Tally(edge.came) - before, 60, "the worker has not come back")
    for other in (other_web, other_worker):
        running.network.plug_in(other.host)


def waiting(running: Site) -> int:
    row = running.database.execute("SELECT count(*) FROM events_outboxrow").fetchone()
    return int(row[0]) if row else 0


def assert_nothing_lost_and_all_counted_once(running: Site) -> None:
    """A request that was stored came to Meta. What was stored without an answer has been sent, and stored, again."""
    came, accepted = running.came(), running.accepted()
    assert accepted <= came.keys()
    sums = running.database.execute(
        "SELECT span, sum(received), sum(published) FROM events_counter WHERE dimension = 0 GROUP BY span"
    ).fetchall()
    assert [each[1:] for each in sums] == [(len(came), len(came))] * 3
    again = sum(came.values()) - len(came)
    assert again, "no worker was cut off while it waited for an answer"
    print(  # noqa: T201  # pytest shows it with -rP
        f"{len(accepted)} events accepted, {len(running.attempts) - len(accepted)} attempts without a 202, of which"
        f" {len(came) - len(accepted)} had been stored; {again} were published again"
    )

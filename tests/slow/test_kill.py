"""Whatever is killed whenever: every event that got 202 reaches Meta, and each is counted exactly once."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter as Tally
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.db.models import Sum

from events.models import Counter, OutboxRow
from events.sandbox import Sandbox
from events.sandbox.app import SandboxResponse
from events.sandbox.server import serve
from pixels.models import Pixel
from tests.base import tenant
from tests.factories import DomainFilterFactory, EventFilterFactory, PixelFactory
from tests.instance import Instance

ROUNDS = 20
SENDERS = 2
REQUESTS_A_NAME = 250
DRAIN_SECONDS = 60
TOTALS = ("received", "published", "dropped_by_event_filter", "dropped_by_domain_filter", "failed", "expired")
FIELDS = (*TOTALS, "browser_received", "browser_published", "ids_seen", "browser_ids_seen")


@dataclass
class Request:
    """A request that was sent; without an answer nobody knows whether it was stored."""

    pixel_id: str
    events: list[dict[str, Any]]
    acknowledged: bool = False
    by_browser: bool = False


class Sender(threading.Thread):
    """Posts requests of a few events until it is told to stop. The first event of each is one that Meta will see.

    A third of the requests come by the browser's road, an event each. No id is left to a sample, however long the test
    takes: of a name up to 4,000 ids are all compared, and after some requests another name comes.
    """

    def __init__(self, url: str, pixel_ids: list[str], seed: int) -> None:
        super().__init__(daemon=True)
        self.url, self.pixel_ids, self.seed = url, pixel_ids, seed
        self.sent: list[Request] = []
        self.enough = threading.Event()

    def run(self) -> None:
        chance = random.Random(self.seed)
        with httpx.Client(base_url=self.url, timeout=10) as client:
            while not self.enough.wait(0.02):
                request = Request(chance.choice(self.pixel_ids), self._events(chance), by_browser=chance.random() < 0.3)
                self.sent.append(request)
                try:
                    request.acknowledged = self._post(client, request)
                except httpx.HTTPError:
                    time.sleep(0.1)

    def _post(self, client: httpx.Client, request: Request) -> bool:
        if not request.by_browser:
            answer = client.post(f"/capi/{request.pixel_id}/events", json={"data": request.events})
            return answer.status_code == 202
        (event,) = request.events = request.events[:1]
        body = {
            "event_name": event["event_name"],
            "event_id": event["event_id"],
            "fb.pixel_id": request.pixel_id,
            "fb.advanced_matching": {"em": event["user_data"]["em"]},
            "custom_data": event["custom_data"],
            "website_context": {"location": event["event_source_url"]},
        }
        return client.post("/events?cee=no", json=body).status_code == 200

    def _events(self, chance: random.Random) -> list[dict[str, Any]]:
        ordered = f"Order{len(self.sent) // REQUESTS_A_NAME}"
        events = [self._event(len(self.sent), 0, ordered, "shop.example.com")]
        for number in range(1, chance.randint(1, 20)):
            name = "Blocked" if chance.random() < 0.1 else ordered
            website = chance.choice(["shop.example.com", "blog.example.com", "staging.example.com"])
            events.append(self._event(len(self.sent), number, name, website))
        return events

    def _event(self, request: int, number: int, name: str, website: str) -> dict[str, Any]:
        return {
            "event_name": name,
            "event_id": f"{self.seed}-{request}-{number}",
            "event_time": int(time.time()),
            "action_source": "website",
            "event_source_url": f"https://{website}/",
            "user_data": {"client_user_agent": "Test", "em": "ada@example.com"},
            "custom_data": {"currency": "EUR", "value": 9.5},
        }


class WatchedSandbox(Sandbox):
    """Tells when it has answered: what the worker does next is to settle."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed=seed)
        self.answered = threading.Event()

    def post_events(self, version: str, pixel_id: str, payload: Mapping[str, Any]) -> SandboxResponse:
        answer = super().post_events(version, pixel_id, payload)
        self.answered.set()
        return answer


def fate(event: dict[str, Any]) -> str:
    """The counter in which the event must end."""
    if event["event_name"] == "Blocked":
        return "dropped_by_event_filter"
    return "dropped_by_domain_filter" if "staging" in event["event_source_url"] else "published"


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_nothing_is_lost_and_nothing_counted_twice(tmp_path: Path) -> None:
    account = tenant("Shoes")
    pixel_ids = [PixelFactory.create(tenant=account).pixel_id for _ in range(3)]
    EventFilterFactory.create(tenant=account, event_name="Blocked")
    DomainFilterFactory.create(tenant=account, domain="staging.example.com")
    sandbox = WatchedSandbox(seed=20)
    sandbox.fail(code=2, probability=0.04)
    sandbox.fail(code=4, probability=0.03)
    sandbox.fail(close=True, accept=True, probability=0.04)  # taken, but the answer is lost
    sandbox.fail(delay_seconds=0.1, probability=0.5)

    with (
        serve(sandbox) as graph_api,
        Instance(tmp_path, graph_api, PUBLISH_TIMEOUT_SECONDS=1, LANE_LEASE_SECONDS=4) as instance,
    ):
        instance.start_worker()
        instance.start_web()
        senders = [Sender(instance.url, pixel_ids, seed) for seed in range(SENDERS)]
        for sender in senders:
            sender.start()
        kill_at_random(instance, sandbox)
        for sender in senders:
            sender.enough.set()
            sender.join(20)
        sandbox.recover()
        wait_until_drained(instance)

    requests = [request for sender in senders for request in sender.sent]
    assert_all_arrived(sandbox, requests)
    assert_counted_once(sandbox, requests)
    # The faults and kills had events sent again, or this test shows nothing.
    assert sandbox.duplicates
    print(  # noqa: T201  # pytest shows it with -rP
        f"{sandbox.received_count} events published, {sandbox.duplicates} of them again,"
        f" {sum(not request.acknowledged for request in requests)} of {len(requests)} requests without an answer"
    )


def kill_at_random(instance: Instance, sandbox: WatchedSandbox) -> None:
    """Kill and start again, when events have begun to flow: at any moment, or at one when much is at stake."""
    chance = random.Random(7)
    for number in range(ROUNDS):
        before, deadline = sandbox.received_count, time.monotonic() + 20
        while sandbox.received_count == before:
            assert time.monotonic() < deadline, f"nothing flows: {instance.log('worker')}\n{instance.log('web')}"
            time.sleep(0.01)
        victims = ("web", "worker", "worker", "both")[number % 4]
        time.sleep(chance.uniform(0, 0.7))
        if victims != "web":
            sandbox.answered.clear()
            sandbox.answered.wait(2)
            time.sleep(chance.uniform(0, 0.02))
        if victims != "web":
            instance.kill("worker")
            instance.start_worker()
        if victims != "worker":
            instance.kill("web")
            instance.start_web()


def wait_until_drained(instance: Instance) -> None:
    deadline = time.monotonic() + DRAIN_SECONDS
    while OutboxRow.objects.exists():
        assert time.monotonic() < deadline, f"{OutboxRow.objects.count()} rows wait: {instance.log('worker')}"
        time.sleep(0.2)


def stored(sandbox: Sandbox, requests: list[Request]) -> list[Request]:
    """The requests that were stored: those with 202, and those whose first event came out at the other end."""
    arrived = {event["event_id"] for event in sandbox.received}
    return [each for each in requests if each.acknowledged or each.events[0]["event_id"] in arrived]


def assert_all_arrived(sandbox: Sandbox, requests: list[Request]) -> None:
    due = Tally(
        (request.pixel_id, event["event_id"])
        for request in stored(sandbox, requests)
        for event in request.events
        if fate(event) == "published"
    )
    came = Tally((arrival.pixel_id, arrival.event["event_id"]) for arrival in sandbox.arrivals)
    assert came == due


def assert_counted_once(sandbox: Sandbox, requests: list[Request], fields: tuple[str, ...] = FIELDS) -> None:
    expected: Tally[tuple[str, int, str, str]] = Tally()
    for request in stored(sandbox, requests):
        for event in request.events:
            website = event["event_source_url"].removeprefix("https://").rstrip("/")
            for dimension, label in ((0, ""), (1, event["event_name"]), (2, website)):
                expected[request.pixel_id, dimension, label, "received"] += 1
                expected[request.pixel_id, dimension, label, fate(event)] += 1
                if request.by_browser:  # whose only event no filter drops
                    expected[request.pixel_id, dimension, label, "browser_received"] += 1
                    expected[request.pixel_id, dimension, label, "browser_published"] += 1
                if dimension != Counter.Dimension.WEBSITE:  # each event has an id of its own
                    expected[request.pixel_id, dimension, label, "ids_seen"] += 1
                    expected[request.pixel_id, dimension, label, "browser_ids_seen"] += request.by_browser

    pixel_ids = dict(Pixel.objects.values_list("pk", "pixel_id"))
    for span in Counter.Span:
        counted: Tally[tuple[str, int, str, str]] = Tally()
        rows = Counter.objects.filter(span=span).values_list("pixel", "dimension", "label")
        for pixel, dimension, label, *sums in rows.annotate(*map(Sum, fields)).order_by():
            for name, number in zip(fields, sums, strict=True):
                counted[pixel_ids[pixel], dimension, label, name] += number
        assert +counted == +Tally({key: n for key, n in expected.items() if key[-1] in fields}), span

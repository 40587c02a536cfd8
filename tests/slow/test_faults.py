"""A whole instance whose parts fail, or are there twice: every event that got 202 arrives, and is counted once."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

import pytest
from django.db.models import Sum

from events.models import Counter, Lane, OutboxRow
from events.sandbox import Sandbox
from events.sandbox.app import SandboxResponse
from events.sandbox.server import serve
from pixels.models import Pixel
from portal.run import WORKER
from tests.base import bearer, tenant
from tests.events.outbox import purchase, put
from tests.factories import ApiAccountFactory, PixelFactory
from tests.instance import Instance
from tests.slow.load import Answered, Load, accepted, events_for, hub_query
from tests.slow.servers import PrivateRedis

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def pixel(transactional_db: None) -> Pixel:
    return PixelFactory.create(tenant=tenant("Shoes"))


#: No answer is late, however busy the machine: what was late would be sent again, and come twice.
PATIENT = {"PUBLISH_TIMEOUT_SECONDS": 10, "LANE_LEASE_SECONDS": 40}


@contextmanager
def running(folder: Path, sandbox: Sandbox, **environment: Any) -> Iterator[Instance]:
    """An instance whose worker and web server run."""
    environment = {"PUBLISH_TIMEOUT_SECONDS": 1, "LANE_LEASE_SECONDS": 4, **environment}
    with serve(sandbox) as graph_api, Instance(folder, graph_api, **environment) as instance:
        instance.start_worker()
        instance.start_web()
        yield instance


def wait_until(holds: Callable[[], object], instance: Instance, seconds: float = 40) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"{instance.log('worker')}\n{instance.log('web')}"
        time.sleep(0.1)


def ids(sandbox: Sandbox) -> set[str]:
    return {event["event_id"] for event in sandbox.received}


def assert_all_arrived_and_counted_once(sandbox: Sandbox, instance: Instance, answers: list[Answered]) -> None:
    due = accepted(answers)
    assert due
    wait_until(lambda: not OutboxRow.objects.exists(), instance)
    arrived = ids(sandbox)
    assert due <= arrived, f"{len(due - arrived)} are lost"
    for span in Counter.Span:
        totals = Counter.objects.filter(span=span, dimension=Counter.Dimension.TOTAL)
        sums = totals.aggregate(received=Sum("received"), published=Sum("published"), failed=Sum("failed"))
        assert sums == {"received": len(arrived), "published": len(arrived), "failed": 0}, span


def test_the_broker_goes_away_and_comes_back(tmp_path: Path, pixel: Pixel) -> None:
    broker, sandbox = PrivateRedis(), Sandbox()
    broker.start()
    try:
        with running(tmp_path, sandbox, CELERY_BROKER_URL=broker.url) as instance:
            load = Load(instance.url, {"events": events_for(pixel.pixel_id)})
            with load.running():
                wait_until(lambda: sandbox.received_count > 20, instance)
                time.sleep(2)
                broker.stop()
                gone = time.monotonic()
                time.sleep(4)
                returns = time.monotonic()
                arrived = sandbox.received_count
                broker.start()
                wait_until(lambda: sandbox.received_count > arrived, instance)

            before, away = load.between(0, gone), load.between(gone, returns)
            assert {each.status for each in load.answers} == {202}
            # Both on the same busy machine; were the broker waited for, each request would take seconds.
            assert median(map(seconds, away)) < 3 * median(map(seconds, before)) + 0.1
            assert_all_arrived_and_counted_once(sandbox, instance, load.answers)
            assert instance.is_running("worker")
    finally:
        broker.stop()


def seconds(each: Answered) -> float:
    return each.ended - each.began


class Babbling(Sandbox):
    """Answers what Meta never says, while ``babbles``."""

    babbles = False

    def post_events(self, version: str, pixel_id: str, payload: Mapping[str, Any]) -> SandboxResponse:
        if self.babbles:
            return SandboxResponse(200, {"<html>": ["We'll be back soon"]})
        return super().post_events(version, pixel_id, payload)


def test_the_graph_api_is_slow_hangs_up_and_babbles(tmp_path: Path, pixel: Pixel) -> None:
    sandbox = Babbling()
    with running(tmp_path, sandbox) as instance:
        load = Load(instance.url, {"events": events_for(pixel.pixel_id)})
        with load.running():
            wait_until(lambda: sandbox.received_count, instance)
            for fault in ({"delay_seconds": 3.0}, {"close": True}):
                sandbox.fail(**fault)
                time.sleep(3)
                sandbox.recover()
                assert_flows_again(sandbox, instance, pixel)
            sandbox.babbles = True
            time.sleep(3)
            sandbox.babbles = False
            assert_flows_again(sandbox, instance, pixel)
        assert {each.status for each in load.answers} == {202}
        assert_all_arrived_and_counted_once(sandbox, instance, load.answers)


def assert_flows_again(sandbox: Sandbox, instance: Instance, pixel: Pixel) -> None:
    Lane.objects.filter(pixel=pixel, retry_at__isnull=False).update(retry_at=None, failures=0)  # its wait may be long
    before = sandbox.received_count
    wait_until(lambda: sandbox.received_count > before, instance)


def test_two_schedulers_at_once_count_nothing_twice(tmp_path: Path, pixel: Pixel) -> None:
    sandbox = Sandbox()
    with running(tmp_path, sandbox, **PATIENT) as instance:
        instance.start_worker("second")
        load = Load(instance.url, {"events": events_for(pixel.pixel_id)})
        with load.running():
            wait_until(lambda: sandbox.received_count > 20, instance)
            time.sleep(12)  # two sweeps of each
        assert_all_arrived_and_counted_once(sandbox, instance, load.answers)
        assert sandbox.duplicates == 0
        assert instance.is_running("worker")
        assert instance.is_running("second")


def test_a_deploy_finishes_what_it_began(tmp_path: Path, pixel: Pixel) -> None:
    """SIGTERM to web server and worker under load: what was stored is answered, what was sent to Meta is settled."""
    sandbox = Sandbox()
    sandbox.fail(delay_seconds=0.3)  # so that there is always something under way
    token = bearer(ApiAccountFactory.create())
    with running(tmp_path, sandbox, API_RATE_LIMIT=0, **PATIENT) as instance:
        asks = {f"events {number}": events_for(pixel.pixel_id) for number in range(3)} | {"graphql": hub_query(token)}
        load = Load(instance.url, asks, pause=0, keep_alive=False)
        with load.running():
            wait_until(lambda: sandbox.received_count > 100, instance)
            with ThreadPoolExecutor(2) as pool:
                codes = list(pool.map(instance.stop, ["web", "worker"]))
            time.sleep(0.5)
        assert codes == [0, 0]
        assert {each.status for each in load.answers} <= {202, 200, 0}
        for log in ("web.log", "worker.log"):
            assert "Traceback" not in (tmp_path / log).read_text()

        instance.start_worker()
        instance.start_web()
        assert_all_arrived_and_counted_once(sandbox, instance, load.answers)
        # Each was stored and not answered, or sent twice, if the processes had been killed.
        assert ids(sandbox) == accepted(load.answers)
        assert sandbox.duplicates == 0


def test_the_workers_clock_is_set_back(tmp_path: Path, pixel: Pixel) -> None:
    """What nobody was told of is found by the sweep; a pixel that waits, waits no longer than before."""
    sandbox, clock, failing = Sandbox(), tmp_path / "clock", PixelFactory.create(tenant=pixel.tenant)
    clock.write_text("0")
    with serve(sandbox) as graph_api, Instance(tmp_path, graph_api) as instance:
        instance.start_worker(command=[sys.executable, "-m", "tests.slow.clock", str(clock), *WORKER[3:]])
        instance.start_web()
        put(pixel, purchase())
        wait_until(lambda: sandbox.received_count == 1, instance)
        sandbox.fail(pixel_id=failing.pixel_id, code=2)
        put(failing, purchase())
        wait_until(lambda: Lane.objects.filter(pixel=failing, retry_at__isnull=False).exists(), instance)

        clock.write_text("-7200")
        sandbox.recover()
        put(pixel, purchase())
        wait_until(lambda: sandbox.received_count == 3, instance, seconds=20)
        load = Load(instance.url, {"events": events_for(pixel.pixel_id)})
        with load.running():
            wait_until(lambda: sandbox.received_count > 20, instance)
        assert_all_arrived_and_counted_once(sandbox, instance, load.answers)
        assert sandbox.duplicates == 0

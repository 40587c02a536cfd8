"""A pixel whose endpoint is dead takes nothing from the others: their events arrive as fast as without it."""

from __future__ import annotations

import statistics
import time
from pathlib import Path

import httpx
import pytest

from events.sandbox import Sandbox
from events.sandbox.server import serve
from tests.base import tenant
from tests.factories import PixelFactory
from tests.instance import Instance

PIXELS = 10
SECONDS = 10
REQUESTS_A_SECOND = 4  # for each pixel
MOST = 1.5


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_nine_pixels_are_not_delayed_by_the_tenth(tmp_path: Path) -> None:
    account = tenant("Shoes")
    dead, *alive = [PixelFactory.create(tenant=account).pixel_id for _ in range(PIXELS)]
    sandbox = Sandbox()

    with (
        serve(sandbox) as graph_api,
        Instance(tmp_path, graph_api, PUBLISH_TIMEOUT_SECONDS=2, LANE_LEASE_SECONDS=8, WORKER_THREADS=4) as instance,
    ):
        instance.start_worker("one")
        instance.start_worker("two", beat=False)
        instance.start_web()
        send(instance.url, [dead, *alive], seconds=3)  # until all is warm

        before = median_delay(sandbox, instance, [dead, *alive], alive)
        sandbox.fail(pixel_id=dead, delay_seconds=30, close=True)
        arrived_before = len(sandbox.received_of(dead))
        beside = median_delay(sandbox, instance, [dead, *alive], alive)
        assert len(sandbox.received_of(dead)) == arrived_before, "the endpoint is not dead"
        sandbox.recover()
        after = median_delay(sandbox, instance, [dead, *alive], alive)

    print(f"median delay {before:.3f} s, beside a dead endpoint {beside:.3f} s, after it {after:.3f} s")  # noqa: T201
    # Measured on both sides, since the machine may have become busier or idler meanwhile.
    assert beside / statistics.mean([before, after]) < MOST


def median_delay(sandbox: Sandbox, instance: Instance, pixel_ids: list[str], measured: list[str]) -> float:
    """How long events take from their 202 to Meta, on the measured pixels."""
    accepted = send(instance.url, pixel_ids, seconds=SECONDS)
    wanted = {event_id for event_id, (pixel_id, _) in accepted.items() if pixel_id in measured}
    deadline = time.monotonic() + 30
    while True:
        arrived = {each.event["event_id"]: each.at for each in sandbox.arrivals}
        if wanted <= arrived.keys():
            return statistics.median(arrived[event_id] - accepted[event_id][1] for event_id in wanted)
        assert time.monotonic() < deadline, f"{len(wanted - arrived.keys())} have not come: {instance.log('one')}"
        time.sleep(0.1)


def send(url: str, pixel_ids: list[str], *, seconds: float) -> dict[str, tuple[str, float]]:
    """Post events to the pixels in turn, evenly; by the event's id the pixel and the time of its 202."""
    accepted: dict[str, tuple[str, float]] = {}
    pause = 1 / (REQUESTS_A_SECOND * len(pixel_ids))
    start = time.monotonic()
    with httpx.Client(base_url=url, timeout=10) as client:
        for number in range(int(seconds / pause)):
            pixel_id, event_id = pixel_ids[number % len(pixel_ids)], f"{time.monotonic_ns()}"
            event = {
                "event_name": "Lead",
                "event_id": event_id,
                "event_time": int(time.time()),
                "action_source": "email",
                "user_data": {"external_id": "v-17"},
            }
            assert client.post(f"/capi/{pixel_id}/events", json={"data": [event]}).status_code == 202
            accepted[event_id] = pixel_id, time.time()
            time.sleep(max(0.0, start + (number + 1) * pause - time.monotonic()))
    return accepted

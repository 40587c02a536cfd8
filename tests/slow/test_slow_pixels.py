"""Pixels whose Graph API takes seconds hold up no other: its events arrive as if it were alone."""

from __future__ import annotations

import statistics
import time
from pathlib import Path

import pytest

from events.sandbox import Sandbox
from events.sandbox.server import serve
from tests.base import tenant
from tests.factories import PixelFactory
from tests.instance import Instance
from tests.slow.test_isolation_of_pixels import send

SLOW_PIXELS = 24
ANSWER_SECONDS = 9
SECONDS = 30
#: What the events of another pixel may wait for: the median, and the worst one.
MEDIAN, MOST = 1.0, 5.0


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_slow_pixels_do_not_delay_another(tmp_path: Path) -> None:
    account = tenant("Shoes")
    other, *slow = [PixelFactory.create(tenant=account).pixel_id for _ in range(SLOW_PIXELS + 1)]
    sandbox = Sandbox()
    for pixel_id in slow:
        sandbox.fail(pixel_id=pixel_id, delay_seconds=ANSWER_SECONDS)

    with serve(sandbox) as graph_api, Instance(tmp_path, graph_api) as instance:
        instance.start_worker("one")
        instance.start_web()
        accepted = send(instance.url, [other, *slow], seconds=SECONDS)
        wanted = {event_id: at for event_id, (pixel_id, at) in accepted.items() if pixel_id == other}
        deadline = time.monotonic() + 60
        while not wanted.keys() <= (arrived := {each.event["event_id"]: each.at for each in sandbox.arrivals}).keys():
            assert time.monotonic() < deadline, instance.log("one")
            time.sleep(0.1)

    delays = sorted(arrived[event_id] - at for event_id, at in wanted.items())
    print(f"delay of another pixel: median {statistics.median(delays):.2f} s, worst {delays[-1]:.2f} s")  # noqa: T201
    assert statistics.median(delays) < MEDIAN
    assert delays[-1] < MOST

"""Two workers that each have a scheduler: everything is due twice, and done once."""

from __future__ import annotations

import json
import time
from collections import Counter
from pathlib import Path

import httpx
import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from alerts.models import Incident, Pulse
from events.models import OutboxRow
from tests.events.outbox import purchase
from tests.factories import PixelFactory
from tests.instance import Instance

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

EVENTS = 200
#: Until the schedule's tasks of a minute have come, twice.
SECONDS = 75


def test_two_schedulers_do_no_harm(tmp_path: Path, httpserver: HTTPServer) -> None:
    pixel, published = PixelFactory.create(), Counter[str]()

    def take(request: Request) -> Response:
        events = json.loads(request.get_data())["data"]
        published.update(event["event_id"] for event in events)
        return Response(json.dumps({"events_received": len(events)}), content_type="application/json")

    httpserver.expect_request("/v24.0/" + pixel.pixel_id + "/events").respond_with_handler(take)
    with Instance(tmp_path, httpserver.url_for("").rstrip("/")) as instance:
        instance.start_web()
        instance.start_worker("one")
        instance.start_worker("two")
        started = time.monotonic()
        for number in range(EVENTS):
            body = {"data": [purchase(event_id=str(number))]}
            httpx.post(f"{instance.url}/capi/{pixel.pixel_id}/events", json=body, timeout=10).raise_for_status()
            time.sleep(0.1)
        while time.monotonic() - started < SECONDS or OutboxRow.objects.exists():
            assert time.monotonic() - started < 2 * SECONDS, instance.log("one")
            time.sleep(1)

        for worker in ("one", "two"):
            assert instance.is_running(worker)
            assert '"level": "error"' not in instance.log(worker)

    assert published == {str(number): 1 for number in range(EVENTS)}
    assert Pulse.objects.count() == 1
    assert Incident.objects.count() == len(set(Incident.objects.values_list("rule", "tenant", "pixel", "subject")))

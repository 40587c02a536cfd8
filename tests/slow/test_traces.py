"""Traces of a real instance, as a collector gets them."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.db import connection

from events.sandbox import Sandbox
from events.sandbox.server import serve
from tests.base import bearer, make_cast
from tests.events.outbox import purchase
from tests.factories import PixelFactory
from tests.instance import Instance
from tests.traces import WAIT_SECONDS, Told, TraceCollector, collecting

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

#: What no trace may tell.
EMAIL, NAME, ADDRESS = "anna.secret@example.com", "SecretPurchase", "203.0.113.77"


def traced(collector: TraceCollector, **further: Any) -> dict[str, Any]:
    # Soon, so that no test waits for it.
    return {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "OTEL_BSP_SCHEDULE_DELAY": 200, **further}


def named(spans: list[Told], name: str) -> list[Told]:
    return [span for span in spans if span.name == name]


def road_of(spans: list[Told], last: Told) -> list[str]:
    """The names of the spans from the beginning of the trace to this one."""
    by_id = {(span.trace, span.span): span for span in spans}
    road = [last]
    while before := by_id.get((last.trace, road[-1].parent)):
        road.append(before)
    return [span.name for span in reversed(road)]


def wait_until(done: Callable[[], bool], instance: Instance) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while not done():
        assert time.monotonic() < deadline, instance.log("worker")
        time.sleep(0.1)


def test_an_event_is_one_trace_from_its_door_to_meta_and_tells_no_secret(tmp_path: Path) -> None:
    cast = make_cast()
    pixel = PixelFactory.create(tenant=cast.shoes)
    event = purchase(event_name=NAME, user_data={"em": EMAIL, "client_ip_address": ADDRESS, "client_user_agent": "A"})
    token, password = bearer(cast.robot), "a-password-of-the-collector"
    sandbox = Sandbox()
    with (
        collecting() as collector,
        serve(sandbox) as meta,
        Instance(tmp_path, meta, **traced(collector, OTEL_EXPORTER_OTLP_HEADERS=f"x-key={password}")) as instance,
    ):
        instance.start_web()
        instance.start_worker()
        # What a caller says of traces does not count, and what it asks by is not told.
        headers = {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "User-Agent": "Anna's"}
        with httpx.Client(base_url=instance.url, headers=headers, timeout=10) as client:
            client.post(f"/capi/{pixel.pixel_id}/events", json={"data": [event]}).raise_for_status()
            document = json.dumps({"query": "query OfAnna { tenants { totalCount } }"})
            asking = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
            client.post("/hub/graphql", content=document, headers=asking).raise_for_status()
            assert client.get(f"/hub/?next={EMAIL}").status_code == 302
        spans = collector.wait_for(lambda spans: bool(named(spans, "send meta_conversions_api")) and len(spans) > 10)
        assert instance.stop("web") == 0
        assert instance.stop("worker") == 0
        spans = collector.spans()

    (sent,) = named(spans, "send meta_conversions_api")
    task = "events.tasks.drain_many"
    road = ["POST /capi/{id}/events", "take events", f"apply_async/{task}", f"run/{task}"]
    assert road_of(spans, sent) == [*road, sent.name]
    assert sent.resource["portal.process"] == "worker"
    (asked,) = [span for span in spans if span.parent == sent.span and span.scope.endswith(".httpx")]
    assert asked.name == "POST"
    assert len(sandbox.received) == 1
    if connection.vendor == "postgresql":
        (statement,) = named(spans, "INSERT events_outboxrow")
        assert road_of(spans, statement) == [*road[:2], statement.name]
        assert {span.resource["portal.process"] for span in spans if span.scope.endswith(".psycopg")} == {
            "web",
            "worker",
        }
    assert named(spans, "query tenants")
    page = next(span for span in spans if span.scope.endswith(".django"))
    assert page.name == "GET hub/"
    assert road_of(spans, page) == ["GET hub/"] * 2

    told = b"\n".join(collector.bodies)
    names = [pixel.pixel_id, EMAIL, "anna", NAME, ADDRESS, token, "OfAnna", password, event["event_id"], cast.shoes.pk]
    names += [pixel.access_token.reveal(), "127.0.0.1", "0af7651916cd43dd", "Anna"]
    assert [name for name in names if name.encode() in told] == []
    for log in ("web", "worker"):
        assert password not in (tmp_path / f"{log}.log").read_text()


@pytest.mark.parametrize("is_there", [True, False])
def test_a_collector_that_does_not_answer_keeps_nobody(tmp_path: Path, is_there: bool) -> None:
    pixel, sandbox = PixelFactory.create(), Sandbox()
    with collecting() as collector:
        collector.answers.clear()
        # Without an end of its own, the export would take an hour.
        environment = traced(collector, OTEL_EXPORTER_OTLP_TIMEOUT=3_600)
        if not is_there:
            environment["OTEL_EXPORTER_OTLP_ENDPOINT"] = "http://127.0.0.1:9"
        with serve(sandbox) as meta, Instance(tmp_path, meta, **environment) as instance:
            instance.start_web()
            instance.start_worker()
            with httpx.Client(base_url=instance.url, timeout=10) as client:
                for _ in range(50):
                    client.post(f"/capi/{pixel.pixel_id}/events", json={"data": [purchase()]}).raise_for_status()
            wait_until(lambda: len(sandbox.received) == 50, instance)
            # Within a minute; an hour would be too long.
            assert instance.stop("web") == 0
            assert instance.stop("worker") == 0


def test_nothing_is_sampled_where_the_sampler_says_so(tmp_path: Path) -> None:
    pixel = PixelFactory.create()
    with (
        collecting() as collector,
        Instance(tmp_path, "http://127.0.0.1:9", **traced(collector, OTEL_TRACES_SAMPLER="always_off")) as instance,
    ):
        instance.start_web()
        body = {"data": [purchase()]}
        httpx.post(f"{instance.url}/capi/{pixel.pixel_id}/events", json=body, timeout=10).raise_for_status()
        assert instance.stop("web") == 0

    assert collector.spans() == []

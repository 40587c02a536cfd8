"""GET /metrics at the port of workers."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from pytest_django import Settings

from events.sandbox import Sandbox
from events.sandbox.server import serve
from portal import metrics_port
from portal.metrics_port import MetricsServer, open_server
from tests.events.outbox import purchase, put
from tests.factories import PixelFactory
from tests.instance import Instance, free_port
from tests.portal.test_metrics import TOKEN, read

BEARER = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture
def url(settings: Settings) -> Iterator[str]:
    settings.METRICS_TOKEN = TOKEN
    server = MetricsServer("127.0.0.1", 0)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/metrics"
    server.shutdown()
    server.server_close()
    thread.join()


def test_it_tells_what_was_measured_and_not_what_waits_in_the_database(url: str) -> None:
    told = httpx.get(url, headers=BEARER)

    assert (told.status_code, told.headers["content-type"].partition(";")[0]) == (200, "text/plain")
    assert "portal_publish_seconds" in told.text
    assert "portal_waiting" not in told.text


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer other"}])
def test_to_others_it_is_not_there(url: str, headers: dict[str, str]) -> None:
    told = httpx.get(url, headers=headers)

    assert (told.status_code, told.json()["error"]["message"]) == (404, "There is nothing at this address.")
    assert httpx.get(url.replace("/metrics", "/healthz"), headers=BEARER).status_code == 404


def test_networks_that_are_allowed_need_no_token(url: str, settings: Settings) -> None:
    settings.METRICS_ALLOWED_NETWORKS = ["127.0.0.0/8"]

    assert httpx.get(url).status_code == 200


def test_it_takes_no_post(url: str) -> None:
    told = httpx.post(url, headers=BEARER)

    assert (told.status_code, told.headers["allow"]) == (405, "GET, HEAD")
    assert (httpx.head(url, headers=BEARER).status_code, httpx.head(url, headers=BEARER).content) == (200, b"")


def test_who_asks_slowly_is_cut_off(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics_port, "ASKING_SECONDS", 0.1)

    with socket.create_connection(("127.0.0.1", httpx.URL(url).port or 0), timeout=30) as slow:
        slow.sendall(b"GET /metrics HTTP/1.1\r\n")

        assert slow.recv(1) == b""


def test_more_than_a_few_at_a_time_are_let_go_of(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics_port, "ASKERS", 0)
    server = MetricsServer("127.0.0.1", 0)
    with socket.create_connection(("127.0.0.1", server.server_port), timeout=30) as asker:
        server.handle_request()

        assert asker.recv(1) == b""
    server.server_close()


def test_a_port_that_another_program_has_is_waited_for(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(metrics_port, "RETRY_SECONDS", 0.01)
    opened: list[MetricsServer] = []
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        waiting = threading.Thread(target=lambda: opened.append(open_server("127.0.0.1", port)), daemon=True)
        waiting.start()
        waiting.join(0.2)
        assert opened == []
    waiting.join(30)

    opened[0].server_close()
    assert [record.message for record in caplog.records] == [
        "METRICS_PORT cannot be opened: Address already in use. Trying again."
    ]


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_one_worker_answers_for_all_and_another_takes_its_place(tmp_path: Path) -> None:
    pixel = PixelFactory.create()
    put(pixel, purchase())
    port = free_port()

    def published() -> float:
        text = httpx.get(f"http://127.0.0.1:{port}/metrics", headers=BEARER, timeout=10).text
        return read(text).get(("portal_publish_seconds_count", "accepted", "meta_conversions_api", "pixel"), 0)

    def wait_for(count: float) -> None:
        deadline = time.monotonic() + 60
        while True:
            try:
                if published() == count:
                    return
            except httpx.TransportError:
                pass
            assert time.monotonic() < deadline, instance.log("first")
            time.sleep(0.2)

    with (
        serve(Sandbox()) as meta,
        Instance(tmp_path, meta, METRICS_TOKEN=TOKEN, METRICS_PORT=port) as instance,
    ):
        instance.start_worker("first")
        wait_for(1)
        instance.start_worker("second", beat=False)
        instance.kill("first")
        wait_for(1)

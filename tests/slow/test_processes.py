"""The server's processes: none outlives the one that started it, and they speak HTTP/1.1 alone."""

from __future__ import annotations

import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from events.models import Finding
from tests.factories import PixelFactory
from tests.instance import Instance, children, web_with

pytestmark = [
    pytest.mark.slow,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc"),
]

#: How a connection of HTTP/2 begins, and its first frame: SETTINGS.
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0"


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[Instance]:
    with Instance(tmp_path, "http://127.0.0.1:9", WEB_WORKERS=2) as instance:
        yield instance


def test_a_killed_web_server_takes_its_workers_along(instance: Instance) -> None:
    instance.start_web()
    (server,) = children(instance.pid("web"))
    workers = instance.web_workers()
    assert len(workers) == 2

    os.kill(instance.pid("web"), signal.SIGKILL)

    wait_until(lambda: not any(is_there(process) for process in (server, *workers)), seconds=30)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", instance.port), timeout=5)


def test_a_killed_web_server_takes_a_worker_along_that_cannot_finish(instance: Instance) -> None:
    """A request of which half has come keeps a thread for ever."""
    instance.start_web(web_with("web.STOP_SECONDS = 1"))
    workers = children(instance.pid("web"))
    with socket.create_connection(("127.0.0.1", instance.port), timeout=5) as half:
        half.sendall(b"POST /capi/17/events HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{")
        time.sleep(1)

        os.kill(instance.pid("web"), signal.SIGKILL)

        wait_until(lambda: not any(is_there(worker) for worker in workers))


def test_a_killed_worker_takes_its_scheduler_along(instance: Instance) -> None:
    instance.start_worker()
    wait_until(lambda: bool(children(instance.pid("worker"))), seconds=30)
    (scheduler,) = children(instance.pid("worker"))

    os.kill(instance.pid("worker"), signal.SIGKILL)

    wait_until(lambda: not is_there(scheduler))


def test_a_server_that_stops_in_good_order_loses_no_finding(instance: Instance) -> None:
    pixel = PixelFactory.create()
    user_data = {"em": "ada@example.com", "fbp": "none of Meta's"}
    event = {"event_name": "Lead", "event_time": int(time.time()), "action_source": "email", "user_data": user_data}
    instance.start_web()

    answer = httpx.post(f"{instance.url}/capi/{pixel.pixel_id}/events", json={"data": [event]})
    instance.stop("web")

    assert answer.status_code == 202
    assert list(Finding.objects.values_list("field", "count")) == [("user_data.fbp", 1)]


def test_plain_http_2_is_off(instance: Instance) -> None:
    instance.start_web()
    with socket.create_connection(("127.0.0.1", instance.port), timeout=5) as connection:
        connection.sendall(PREFACE)
        answer = connection.recv(1024)

    assert not answer.startswith(b"\0\0")  # a frame's length
    assert answer == b"" or answer.startswith(b"HTTP/1.")


def is_there(pid: int) -> bool:
    """Does the process run? One that has ended waits for its parent to ask."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def wait_until(condition: Callable[[], bool], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)

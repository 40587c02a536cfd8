"""Clients that send slowly, stop halfway or go away: others lose nothing by them, and nobody waits for ever."""

from __future__ import annotations

import json
import re
import resource
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from typing import Any

import httpx
import psycopg
import pytest
from django.db import connection

from events.models import OutboxRow
from pixels.models import Pixel
from portal.serve import STOP_SECONDS
from portal.stopping import READERS_SECONDS
from tests.base import tenant
from tests.events.sending import purchase
from tests.factories import PixelFactory
from tests.instance import Instance, database_url

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

MANY = 1_000
HEAD_SECONDS, BODY_SECONDS = 3, 5
#: What a loaded machine takes besides.
GRACE = 6


@pytest.fixture
def pixel() -> Pixel:
    return PixelFactory.create(tenant=tenant("Shoes"))


@contextmanager
def serving(folder: Path, **settings: Any) -> Iterator[Instance]:
    own = {"HEADER_TIMEOUT_SECONDS": HEAD_SECONDS, "BODY_TIMEOUT_SECONDS": BODY_SECONDS, "WEB_THREADS": 4}
    environment = {"DJANGO_SETTINGS_MODULE": "tests.served", **own, **settings}
    with Instance(folder, "http://127.0.0.1:9", **environment) as instance:
        instance.start_web()
        yield instance


def head(pixel: Pixel, length: int, *fields: str) -> bytes:
    lines = [f"POST /capi/{pixel.pixel_id}/events HTTP/1.1", "Host: localhost", f"Content-Length: {length}", *fields]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def body() -> bytes:
    return json.dumps({"data": [purchase()]}).encode()


def connect(instance: Instance, said: bytes = b"") -> socket.socket:
    opened = socket.create_connection(("127.0.0.1", instance.port), timeout=60)
    opened.sendall(said)
    return opened


def heard(opened: socket.socket) -> bytes:
    """All that the server says until it closes the connection."""
    parts = []
    while part := opened.recv(65_536):
        parts.append(part)
    return b"".join(parts)


def statuses(said: bytes) -> list[int]:
    return [int(status) for status in re.findall(rb"HTTP/1\.[01] (\d{3}) ", said)]


def honest(instance: Instance, pixel: Pixel, count: int) -> list[float]:
    """The seconds that each of some requests takes."""
    found = []
    with httpx.Client(base_url=instance.url, timeout=30) as client:
        for _ in range(count):
            begun = time.monotonic()
            assert client.post(f"/capi/{pixel.pixel_id}/events", content=body()).status_code == 202
            found.append(time.monotonic() - begun)
    return found


def memory(instance: Instance) -> int:
    """What the server's process holds, in KiB."""
    (worker,) = instance.web_workers()
    (line,) = [line for line in Path(f"/proc/{worker}/status").read_text().splitlines() if line.startswith("VmRSS")]
    return int(line.split()[1])


# --- Many ------------------------------------------------------------------------------------------------------------


def test_a_thousand_requests_that_stop_halfway_cost_the_others_nothing(tmp_path: Path, pixel: Pixel) -> None:
    files, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, max(files, 2 * MANY)), most))
    with serving(tmp_path, LATE_REQUESTS_PER_ADDRESS=MANY, BODY_TIMEOUT_SECONDS=30) as instance, ExitStack() as stack:
        alone = median(honest(instance, pixel, 50))
        held = memory(instance)
        stalled = [stack.enter_context(connect(instance, head(pixel, 500) + b"{")) for _ in range(MANY)]

        beside = median(honest(instance, pixel, 50))

        assert beside < 5 * alone + 0.05, (beside, alone)
        assert memory(instance) < held + 60_000
        with httpx.Client(base_url=instance.url, timeout=30) as client:
            assert client.get("/auth/login/").status_code == 200
            assert client.get("/healthz").status_code == 200
        stalled[0].sendall(b" " * 499)
        assert stalled[0].recv(100).startswith(b"HTTP/1.1 400")
    assert OutboxRow.objects.count() == 100


def test_whoever_stops_is_told_after_a_while_and_of_one_address_only_so_many_may_be_late(
    tmp_path: Path, pixel: Pixel
) -> None:
    with serving(tmp_path, LATE_REQUESTS_PER_ADDRESS=20) as instance, ExitStack() as stack:
        begun = time.monotonic()
        stalled = [stack.enter_context(connect(instance, head(pixel, 500) + b"{")) for _ in range(50)]

        with ThreadPoolExecutor(50) as readers:
            told = Counter(status for said in readers.map(heard, stalled) for status in statuses(said))

        assert told == {503: 30, 408: 20}
        assert BODY_SECONDS < time.monotonic() - begun < BODY_SECONDS + 2 + GRACE


def test_a_connection_that_says_nothing_or_half_a_head_is_closed(tmp_path: Path, pixel: Pixel) -> None:
    with serving(tmp_path) as instance, ExitStack() as stack:
        begun = time.monotonic()
        of_each_kind = [
            b"",
            b"POST /capi/1/events HTTP/1.1\r\nHost: lo",
            b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n",
        ]
        connections = [stack.enter_context(connect(instance, said)) for said in of_each_kind * 100]

        with ThreadPoolExecutor(len(connections)) as readers:
            told = Counter(tuple(statuses(said)) for said in readers.map(heard, connections))

        assert told == {(): 200, (200,): 100}
        assert HEAD_SECONDS - 1 < time.monotonic() - begun < HEAD_SECONDS + GRACE


def test_bodies_on_their_way_hold_so_much_memory_and_no_more(tmp_path: Path, pixel: Pixel) -> None:
    size = 200_000
    with (
        serving(tmp_path, HELD_BODIES_MAX_BYTES=10 * size, BODY_BYTES_PER_SECOND=10**6) as instance,
        ExitStack() as stack,
    ):
        sent = head(pixel, 4_000_000) + bytes(size)
        stalled = [stack.enter_context(connect(instance, sent)) for _ in range(20)]

        with ThreadPoolExecutor(20) as readers:
            told = Counter(status for said in readers.map(heard, stalled) for status in statuses(said))

        assert told.keys() == {408, 503}
        assert told[503] >= 10
        assert honest(instance, pixel, 1)


# --- One -------------------------------------------------------------------------------------------------------------


def test_a_request_may_come_in_whatever_way_http_allows(tmp_path: Path, pixel: Pixel) -> None:
    event, path = body(), f"/capi/{pixel.pixel_id}/events".encode()
    plain = head(pixel, len(event))
    last = head(pixel, len(event), "Connection: close")
    chunks = b"%x\r\n%s\r\n1\r\n%s\r\n0\r\n\r\n" % (len(event) - 1, event[:-1], event[-1:])
    with serving(tmp_path) as instance:

        def ask(*parts: bytes) -> list[int]:
            with connect(instance) as opened:
                for part in parts:
                    opened.sendall(part)
                    time.sleep(0.05)
                return statuses(heard(opened))

        assert ask(plain + event + last + event) == [202, 202], "one behind the other, without waiting"
        assert ask(*[last[start : start + 40] for start in range(0, len(last), 40)], event[:9], event[9:]) == [202]
        assert ask(b"POST %b HTTP/1.0\r\nContent-Length: %d\r\n\r\n" % (path, len(event)) + event) == [202]
        assert ask(head(pixel, len(event), "Expect: 100-continue", "Connection: close"), event) == [100, 202]
        in_chunks = b"POST %b HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n" % path
        assert ask(in_chunks + chunks) == [202]
        whole = b"POST http://localhost%b HTTP/1.1\r\nContent-Length: %d\r\nConnection: close\r\n\r\n"
        assert ask(whole % (path, len(event)) + event) == [202]
        assert ask(b"GET / HTTP/1.1\r\nHost: a\r\nX: " + bytes(200_000)) in ([400], [431])
        two = b"POST %b HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}"
        assert ask(two % path) == [400]
    assert OutboxRow.objects.count() == 7


def test_a_body_that_was_cut_off_is_refused(tmp_path: Path, pixel: Pixel) -> None:
    with serving(tmp_path) as instance, connect(instance, head(pixel, 500) + body()[:50]) as opened:
        opened.shutdown(socket.SHUT_WR)
        said = heard(opened)
    assert statuses(said) == [400]
    assert b"did not arrive whole" in said
    assert not OutboxRow.objects.exists()


@pytest.mark.parametrize("is_in_chunks", [False, True])
def test_who_sends_too_much_hears_why(tmp_path: Path, pixel: Pixel, *, is_in_chunks: bool) -> None:
    """Many clients look for an answer only once they have sent all."""
    size = 6_000_000
    fields = "Transfer-Encoding: chunked" if is_in_chunks else f"Content-Length: {size}"
    before, after = (b"%x\r\n" % size, b"\r\n0\r\n\r\n") if is_in_chunks else (b"", b"")
    with serving(tmp_path) as instance, connect(instance) as opened:
        opened.sendall(f"POST /auth/login/ HTTP/1.1\r\nHost: localhost\r\n{fields}\r\n\r\n".encode())
        opened.sendall(before + bytes(size) + after)
        assert statuses(heard(opened)) == [413]


@contextmanager
def nobody_writes() -> Iterator[None]:
    """While the block lasts, commits of events wait."""
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("BEGIN IMMEDIATE")
            yield
            cursor.execute("ROLLBACK")
        return
    with psycopg.connect(database_url()) as other:
        other.execute("LOCK TABLE events_outboxrow IN EXCLUSIVE MODE")
        yield


def test_a_client_that_goes_away_loses_no_event_and_doubles_none(tmp_path: Path, pixel: Pixel) -> None:
    with serving(tmp_path) as instance:
        with nobody_writes(), connect(instance, head(pixel, len(body())) + body()):
            time.sleep(1)  # until the request is whole there
        until = time.monotonic() + 20
        while not OutboxRow.objects.exists() and time.monotonic() < until:
            time.sleep(0.1)
        time.sleep(0.5)
        assert honest(instance, pixel, 1)
    assert OutboxRow.objects.count() == 2


def test_who_was_being_stored_when_the_server_is_asked_to_stop_is_answered(tmp_path: Path, pixel: Pixel) -> None:
    event = body()
    with serving(tmp_path) as instance, ExitStack() as stack:
        with nobody_writes():
            complete = [stack.enter_context(connect(instance, head(pixel, len(event)) + event)) for _ in range(10)]
            stalled = stack.enter_context(connect(instance, head(pixel, 500) + b"{"))
            time.sleep(1)
            stopping = threading.Thread(target=instance.stop, args=("web",))
            stopping.start()
            said_to_the_stalled = heard(stalled)
            time.sleep(1)

        assert [statuses(heard(opened)) for opened in complete] == [[202]] * 10
        assert statuses(said_to_the_stalled) == [503]
        stopping.join(30)
        assert not stopping.is_alive()
    assert OutboxRow.objects.count() == 10


def test_who_reads_nothing_keeps_a_server_for_a_few_seconds_alone(tmp_path: Path) -> None:
    """Once it was killed after all, and lost what a process does at its end."""
    (tmp_path / "static").mkdir()
    (tmp_path / "static" / "large.js").write_bytes(bytes(20_000_000))
    with serving(tmp_path) as instance, socket.socket() as reader:
        reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        reader.connect(("127.0.0.1", instance.port))
        reader.sendall(b"GET /static/large.js HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert reader.recv(12) == b"HTTP/1.1 200"

        begun = time.monotonic()
        code = instance.stop("web")

        assert READERS_SECONDS < time.monotonic() - begun < READERS_SECONDS + GRACE < STOP_SECONDS
        assert code == 0
        assert "refused to gracefully stop" not in instance.log("web")

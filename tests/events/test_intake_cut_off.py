"""Bodies that do not arrive whole, through a socket and the server itself: nothing of them is stored."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest

from events.models import OutboxRow
from pixels.models import Pixel
from tests.events.sending import purchase
from tests.factories import PixelFactory
from tests.instance import Instance

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

FORM = "application/x-www-form-urlencoded"


@pytest.fixture
def instance(transactional_db: None, tmp_path: Path) -> Iterator[Instance]:
    with Instance(tmp_path, "http://127.0.0.1:1") as instance:
        instance.start_web()
        yield instance


def answer(instance: Instance, pixel: Pixel, headers: str, body: bytes, *, is_cut: bool = False) -> tuple[int, str]:
    """Send these bytes, and hang up where the body is cut; the answer's status and message."""
    head = f"POST /capi/{pixel.pixel_id}/events HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers}\r\n"
    with socket.create_connection(("127.0.0.1", instance.port), timeout=30) as connection:
        connection.sendall(head.encode() + body)
        if is_cut:
            connection.shutdown(socket.SHUT_WR)
        reply = b"".join(iter(lambda: connection.recv(65_536), b""))
    status, _, content = reply.partition(b"\r\n\r\n")
    message = json.loads(content).get("error", {}).get("message", "") if content else ""
    return int(status.split()[1]) if status else 0, message


def chunked(body: bytes, *, is_whole: bool) -> bytes:
    return b"%x\r\n%b\r\n" % (len(body), body) + (b"0\r\n\r\n" if is_whole else b"")


def test_what_did_not_arrive_whole_is_not_stored(instance: Instance) -> None:
    """One story, since a server takes seconds to start."""
    pixel: Pixel = PixelFactory.create()
    as_json = json.dumps({"data": [purchase()]}).encode()
    whole = urlencode({"data": json.dumps([purchase()]), "test_event_code": "TEST1"}).encode()
    cut = whole[:-4]  # which reads as a form, and loses the end of its last field

    def lengths(body: bytes) -> str:
        return f"Content-Type: {FORM}\r\nContent-Length: {len(body)}\r\n"

    in_chunks = f"Content-Type: {FORM}\r\nTransfer-Encoding: chunked\r\n"
    for headers, sent in (
        (lengths(whole), cut),
        (in_chunks, chunked(cut, is_whole=False)),
        (in_chunks, chunked(as_json[:-1], is_whole=False)),
    ):
        status, message = answer(instance, pixel, headers, sent, is_cut=True)
        assert (status, message.partition(":")[0]) == (400, "body"), message
    status, message = answer(instance, pixel, in_chunks, chunked(whole, is_whole=True))
    assert (status, message) == (
        400,
        "body: must come with its Content-Length if it is a form; in chunks, send JSON.",
    )
    assert not OutboxRow.objects.exists()

    assert answer(instance, pixel, lengths(whole), whole)[0] == 202
    assert answer(instance, pixel, in_chunks, chunked(as_json, is_whole=True))[0] == 202
    assert OutboxRow.objects.count() == 2

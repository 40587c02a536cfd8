"""Bodies that come packed: read in bounds, or refused by name."""

from __future__ import annotations

import gzip
import json
import tracemalloc
import zlib
from collections.abc import Callable
from io import BytesIO
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart
from pytest_django import Settings

from events.models import OutboxRow
from pixels.models import Pixel
from tests.events.sending import Reply, ask, post, purchase, stored
from tests.factories import PixelFactory

pytestmark = pytest.mark.django_db

MIB = 1024 * 1024


def raw_deflate(body: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(body) + packer.flush()


@pytest.fixture
def pixel() -> Pixel:
    return PixelFactory.create()


def send(pixel: Pixel, body: bytes, encoding: str, content_type: str = "application/json") -> Reply:
    return post(pixel, body, content_type, **{"Content-Encoding": encoding})


def as_json(*events: Any) -> bytes:
    return json.dumps({"data": events or [purchase()]}).encode()


@pytest.mark.parametrize(
    ("encoding", "pack"),
    [
        ("gzip", gzip.compress),
        ("GZip", gzip.compress),
        ("x-gzip", gzip.compress),
        ("deflate", zlib.compress),
        ("deflate", raw_deflate),
        ("gzip", lambda body: gzip.compress(body) + bytes(512)),  # as a tape or a block device fills it up
        ("gzip", lambda body: gzip.compress(body[:100]) + gzip.compress(b"") + gzip.compress(body[100:])),
        ("identity, gzip ,", gzip.compress),
        ("deflate, gzip", lambda body: gzip.compress(zlib.compress(body))),
        ("identity", bytes),
        ("", bytes),
        (" , identity", bytes),
    ],
)
def test_a_packed_body_is_read(pixel: Pixel, encoding: str, pack: Callable[[bytes], bytes]) -> None:
    event = purchase()

    assert send(pixel, pack(as_json(event)), encoding).status == 202
    assert stored(pixel) == [[event]]


@pytest.mark.parametrize(
    ("content_type", "form"),
    [
        ("application/x-www-form-urlencoded", lambda fields: urlencode(fields).encode()),
        (MULTIPART_CONTENT, lambda fields: encode_multipart(BOUNDARY, fields)),
    ],
)
def test_a_packed_form_is_read(pixel: Pixel, content_type: str, form: Callable[[dict[str, str]], bytes]) -> None:
    event = purchase()

    assert send(pixel, gzip.compress(form({"data": json.dumps([event])})), "gzip", content_type).status == 202
    assert stored(pixel) == [[event]]


def test_a_packed_form_needs_no_length_since_it_knows_its_end(pixel: Pixel) -> None:
    body = gzip.compress(urlencode({"data": json.dumps([purchase()])}).encode())

    def status_in_chunks(body: bytes) -> int:
        environ: dict[str, Any] = {"wsgi.input": BytesIO(body), "wsgi.input_terminated": True, "CONTENT_LENGTH": ""}
        headers = {"Content-Encoding": "gzip"}
        return ask("POST", f"/capi/{pixel.pixel_id}/events", headers=headers, **environ).status

    assert status_in_chunks(body) == 202
    assert status_in_chunks(body[:-1]) == 400


@pytest.mark.parametrize(
    ("encoding", "name"),
    [
        ("br", '"br"'),
        ("zstd", '"zstd"'),
        ("compress", '"compress"'),
        ("gzip, br", '"br"'),
        ("aws-chunked", '"aws-chunked"'),
        ('"><script>', "of this name"),
        ("x" * 1000, "of this name"),
        ("gzip, gzip, gzip", "at most 2"),
    ],
)
def test_another_encoding_is_refused_by_name(pixel: Pixel, encoding: str, name: str) -> None:
    reply = send(pixel, as_json(), encoding)

    assert reply.status == 415
    assert reply.message.startswith("Content-Encoding: ")
    assert name in reply.message
    assert reply.headers["Accept-Encoding"] == "gzip, deflate"
    assert not OutboxRow.objects.exists()


@pytest.mark.parametrize(
    ("encoding", "spoil", "rule"),
    [
        ("gzip", bytes, "is no gzip, or is damaged."),
        ("gzip", lambda _: b"", "did not arrive whole."),
        ("gzip", lambda body: gzip.compress(body)[:-1], "did not arrive whole."),
        ("gzip", lambda body: gzip.compress(body)[:40], "did not arrive whole."),
        ("gzip", lambda body: gzip.compress(body)[:-8] + bytes(8), "is no gzip, or is damaged."),
        ("gzip", lambda body: gzip.compress(body) + b"\n", "has more behind the end of its gzip."),
        ("gzip", lambda body: gzip.compress(body) + bytes(8) + b"more", "has more behind the end of its gzip."),
        ("gzip", lambda body: gzip.compress(body) + b"\x1f\x8bmore", "is no gzip, or is damaged."),
        ("gzip", lambda body: gzip.compress(b"") * 200 + gzip.compress(body), "has more behind the end of its gzip."),
        ("deflate", bytes, "is no deflate, or is damaged."),
        ("deflate", lambda _: b"", "did not arrive whole."),
        ("deflate", lambda body: zlib.compress(body)[:-1], "did not arrive whole."),
        ("deflate", lambda body: zlib.compress(body)[:-4] + bytes(4), "is no deflate, or is damaged."),
        ("deflate", lambda body: zlib.compress(body) + b"more", "has more behind the end of its deflate."),
        ("deflate", lambda body: raw_deflate(body)[:-2], "did not arrive whole."),
        ("deflate", gzip.compress, "is no deflate, or is damaged."),
        ("", gzip.compress, "must be a JSON object, or a form in UTF-8."),
    ],
)
def test_what_is_damaged_or_cut_off_is_refused(
    pixel: Pixel, encoding: str, spoil: Callable[[bytes], bytes], rule: str
) -> None:
    reply = send(pixel, spoil(as_json()), encoding)

    assert (reply.status, reply.message) == (400, f"body: {rule}")
    assert not OutboxRow.objects.exists()


@pytest.mark.parametrize(("encoding", "pack"), [("gzip", gzip.compress), ("deflate", zlib.compress)])
def test_the_limit_is_counted_after_unpacking(
    pixel: Pixel, settings: Settings, encoding: str, pack: Callable[[bytes], bytes]
) -> None:
    body = as_json()
    settings.INTAKE_MAX_BODY_BYTES = len(body)

    assert send(pixel, pack(body), encoding).status == 202
    assert send(pixel, pack(body + b" "), encoding).message == f"body: must have at most {len(body):,} bytes."


def test_packing_that_does_not_shrink_takes_nothing_of_the_limit(pixel: Pixel, settings: Settings) -> None:
    body = as_json(*(purchase(event_id=f"order-{n}") for n in range(900)))
    settings.INTAKE_MAX_BODY_BYTES = len(body)

    assert send(pixel, gzip.compress(body, compresslevel=0), "gzip").status == 202


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "deflate, gzip"])
def test_a_bomb_is_refused_before_it_goes_off(pixel: Pixel, encoding: str) -> None:
    bomb = zlib.compress(bytes(100 * MIB)) if "deflate" in encoding else gzip.compress(bytes(100 * MIB))
    bomb = gzip.compress(bomb) if encoding == "deflate, gzip" else bomb
    tracemalloc.start()
    reply = send(pixel, bomb, encoding)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert (reply.status, reply.message) == (413, "body: must have at most 4,194,304 bytes.")
    assert peak < 16 * MIB


def test_a_thousand_typical_events_fit(pixel: Pixel) -> None:
    products = [{"id": f"sku-{n}", "quantity": 1, "item_price": 9.99, "title": "A shirt of cotton"} for n in range(12)]
    custom_data = {"currency": "EUR", "value": 119.88, "content_type": "product", "contents": products}
    body = as_json(*(purchase(event_id=f"order-{n}", custom_data=custom_data) for n in range(1_000)))

    assert len(body) > MIB
    assert post(pixel, body).status == 202
    assert post(pixel, urlencode({"data": json.dumps(json.loads(body)["data"])})).status == 202

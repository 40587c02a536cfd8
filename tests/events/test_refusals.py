"""What a body costs counts by its size: for the pixel where it is taken, for the address where it is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client
from limits import parse

from events.intake import door
from tests.events.sending import purchase
from tests.factories import PixelFactory

KIB = 1024


@pytest.fixture(autouse=True)
def _limited(db: None, settings: Any) -> None:
    settings.ADDRESS_RATE_LIMIT = settings.PIXEL_RATE_LIMIT = parse("10/minute")


def send(pixel_id: str, body: bytes, *, address: str = "192.0.2.66") -> int:
    client = Client(REMOTE_ADDR=address)
    return client.post(f"/capi/{pixel_id}/events", body, content_type="application/json").status_code


def right(size: int = 0) -> bytes:
    return json.dumps({"data": [purchase(custom_data={"note": "x" * size})]}).encode()


def wrong(size: int) -> bytes:
    return b"[" * size


def test_a_large_body_that_is_refused_counts_as_many() -> None:
    pixel_id = PixelFactory.create().pixel_id

    assert [send(pixel_id, wrong(100 * KIB)) for _ in range(2)] == [400, 429]


def test_a_large_body_that_is_taken_counts_as_many() -> None:
    pixel_id = PixelFactory.create().pixel_id

    assert [send(pixel_id, right(400 * KIB)) for _ in range(2)] == [202, 429]


def test_a_body_as_large_as_it_may_be_is_taken_whatever_the_limit() -> None:
    assert send(PixelFactory.create().pixel_id, right(4_000 * KIB)) == 202


def test_at_the_limit_no_large_body_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    pixel_id = PixelFactory.create().pixel_id
    for _ in range(2):
        send(pixel_id, wrong(200 * KIB))
    monkeypatch.setattr(door, "read_body", pytest.fail)

    assert send(pixel_id, right(100 * KIB)) == 429


def test_at_the_limit_small_ones_other_pixels_and_other_addresses_go_on() -> None:
    pixel_id, other = PixelFactory.create().pixel_id, PixelFactory.create().pixel_id
    assert send(other, right()) == 202  # from now on this process knows the pixel
    for _ in range(2):
        send(pixel_id, wrong(200 * KIB))

    assert send(pixel_id, right()) == 202
    assert send(other, right(100 * KIB)) == 202
    assert send(pixel_id, right(100 * KIB), address="192.0.2.7") == 202


def test_a_form_of_many_parts_is_refused_before_they_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    pixel_id = PixelFactory.create().pixel_id
    monkeypatch.setattr("events.intake.server_body.MultiPartParser", pytest.fail)
    part = b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n'
    answer = Client().post(
        f"/capi/{pixel_id}/events", part * 101 + b"--b--", content_type="multipart/form-data; boundary=b"
    )

    assert answer.status_code == 400


def many(identifiers: int, note: int = 0, events: int = 20) -> bytes:
    names = ["em", "ph", "fn", "ln", "ct", "st", "zp", "country", "db", "external_id"]
    event = purchase(custom_data={"note": "x" * note})
    event["user_data"] |= {name: ["a"] * (identifiers // 10) for name in names}
    return json.dumps({"data": [event] * events}, separators=(",", ":")).encode()


def test_far_more_identifiers_than_shops_send_are_refused_before_they_are_hashed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As many as a thousand events bring always pass; beyond that, a body's length counts."""
    pixel_id = PixelFactory.create().pixel_id
    assert send(pixel_id, many(50)) == 202
    assert send(pixel_id, many(200, note=6_000)) == 202
    monkeypatch.setattr("events.intake.checks.hash_identifiers", pytest.fail)

    assert send(pixel_id, many(200, events=200)) == 400

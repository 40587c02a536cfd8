"""Bodies within the limits that the guide names are taken, and weigh on the pixel's limit what they cost."""

from __future__ import annotations

import json
from typing import Any

import orjson
import pytest

from common.errors import InvalidInput
from events.intake.event_list import EventList
from events.intake.hashing.user_data import count_identifiers
from events.intake.weights import weigh
from pixels.models import Pixel
from tests.events.sending import EMAIL_HASH, post, purchase
from tests.factories import PixelFactory

COMPACT = {
    "em": "ada7@gmx.de",
    "ph": "491760000007",
    "fn": "Ada",
    "ln": "Lee",
    "ct": "Ulm",
    "st": "BW",
    "zp": "89073",
    "country": "de",
    "ge": "f",
    "db": "19900216",
    "external_id": "7",
}
PARTS = {"dobd": "16", "dobm": "02", "doby": "1990", "fi": "a", "f5first": "ada", "f5last": "lee"}


def events(count: int, user_data: dict[str, Any]) -> list[dict[str, Any]]:
    event = purchase(action_source="other", event_source_url=None, custom_data=None, user_data=user_data)
    return [{**event, "event_id": str(number)} for number in range(count)]


def weight(sent: list[dict[str, Any]], *, is_written: bool = True) -> int:
    written = orjson.dumps(sent)
    return weigh(EventList(sent, written if is_written else b""), len(written))


@pytest.mark.django_db
@pytest.mark.parametrize("user_data", [COMPACT, COMPACT | PARTS, {**COMPACT, "em": ["a@b.de"] * 5}])
def test_a_thousand_compact_events_are_taken(user_data: dict[str, Any]) -> None:
    pixel: Pixel = PixelFactory.create()
    body = json.dumps({"data": events(1_000, user_data)}, separators=(",", ":"))

    reply = post(pixel, body)

    assert (reply.status, reply.message) == (202, "")


def test_short_identifiers_weigh_more_than_their_bytes() -> None:
    sent = events(1_000, {"em": list("abcdefghij"), "ph": "1"})

    assert weight(sent) == weight(sent, is_written=False) == 1 + 11_000 * 30 // 65_536
    assert weight(sent) > 1 + len(orjson.dumps(sent)) // 65_536


def test_short_ids_beside_hashes_do_too() -> None:
    sent = events(1_000, {"em": EMAIL_HASH, "external_id": list("abcdefghijklmnopqrst")})

    assert weight(sent) == weight(sent, is_written=False) == 1 + 21_000 * 30 // 65_536
    assert weight(sent) > 1 + len(orjson.dumps(sent)) // 65_536


@pytest.mark.parametrize("user_data", [{"em": EMAIL_HASH}, {"em": "ada@example.com", "client_user_agent": "x" * 90}])
@pytest.mark.parametrize("count", [1, 1_000])
def test_others_weigh_what_their_bytes_do(user_data: dict[str, Any], count: int) -> None:
    sent = events(count, user_data)

    assert weight(sent) == 1 + len(orjson.dumps(sent)) // 65_536


def test_far_more_than_shops_send_are_refused() -> None:
    sent = events(1_000, dict.fromkeys(("em", "ph", "fn", "ln"), ["a"] * 20))

    with pytest.raises(InvalidInput, match="holds 80,000 short identifiers that are not hashed"):
        weight(sent)


def test_what_cannot_be_counted_is_left_to_the_checks() -> None:
    assert count_identifiers([1, None, {}, {"user_data": "x"}, {"user_data": {"em": None, "fbp": "x"}}]) == 1
    assert weigh(EventList([{"user_data": 1}] * 2), 100_000) == 2

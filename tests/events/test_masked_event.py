"""What is shown of an event that Meta refused: nothing of the visitor."""

from __future__ import annotations

import json
from typing import Any

import orjson
import pytest

from events.delivery.masking import masked_event
from pixels.models import Pixel
from tests.base import Cast
from tests.events.outbox import purchase
from tests.factories import DeadLetterFactory, PixelFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def pixel(cast: Cast) -> Pixel:
    return PixelFactory.create(tenant=cast.shoes)


def test_an_event_is_shown_without_what_it_says_of_the_visitor() -> None:
    letter = DeadLetterFactory.build(
        event=json.dumps(
            purchase(
                user_data={"em": ["5d41"], "client_ip_address": "203.0.113.7", "fbp": "fb.1.1.1"},
                event_source_url="https://shop.example.com/thanks?email=ada@example.com#ada",
                referrer_url="https://mail.example.com/;ada",
                custom_data={"currency": "Euro"},
            )
        ).encode()
    )

    event = masked_event(bytes(letter.event))

    assert event["user_data"] == {"em": "•••", "client_ip_address": "•••", "fbp": "•••"}
    assert event["event_source_url"] == "https://shop.example.com/thanks"
    assert event["referrer_url"] == "https://mail.example.com/"
    assert event["custom_data"] == {"currency": "Euro"}


def test_of_a_dead_letter_only_what_is_known_to_be_impersonal_is_shown(pixel: Pixel) -> None:
    impersonal = {
        "event_name": "Purchase",
        "event_time": 1_790_000_000,
        "event_id": "order-1",
        "action_source": "website",
        "opt_out": False,
        "data_processing_options": ["LDU"],
        "data_processing_options_country": 1,
        "data_processing_options_state": 1000,
    }
    of_the_order = {
        "currency": "Euro",
        "value": 9.5,
        "num_items": 2,
        "content_ids": ["a", 7],
        "content_type": "product",
    }
    letter = DeadLetterFactory.create(
        pixel=pixel,
        event=orjson.dumps(
            impersonal
            | {
                "user_data": ["ada@example.com"],
                "custom_data": of_the_order
                | {
                    "order_id": "of-ada",
                    "search_string": "ada",
                    "contents": [{"id": "a", "title": "for Ada"}],
                    "content_category": [{"ada": "example"}],
                },
                "app_data": {"extinfo": ["ada"]},
                "email": "ada@example.com",
                "messaging_channel": {"ada": "example"},
            }
        ),
    )

    masked = "•••"
    assert masked_event(bytes(letter.event)) == impersonal | {
        "user_data": masked,
        "custom_data": of_the_order
        | {"order_id": masked, "search_string": masked, "contents": masked, "content_category": masked},
        "app_data": masked,
        "email": masked,
        "messaging_channel": masked,
    }


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("https://ada:secret@shop.example.com:8443/a?b", "https://shop.example.com:8443/a"),
        ("https:\\\\ada@shop.example.com/", "https:\\\\shop.example.com/"),
        ("https://a@b@shop.example.com/", "https://shop.example.com/"),
        ("https://shop.example.com/ada@example.com/", "•••"),
        ("https://shop.example.com/ada%40example.com/", "•••"),
        ("https://shop.example.com/ada%2540example.com/", "•••"),
        ("mailto:ada@example.com", "mailto:example.com"),
        ("ada@example.com", "•••"),
        ("https://shop.example.com;ada=1", "https://shop.example.com"),
        ({"url": "https://shop.example.com"}, "•••"),
    ],
)
def test_of_an_address_host_and_path_are_shown(pixel: Pixel, address: Any, shown: str) -> None:
    letter = DeadLetterFactory.create(pixel=pixel, event=orjson.dumps({"event_source_url": address}))
    assert masked_event(bytes(letter.event)) == {"event_source_url": shown}


@pytest.mark.parametrize("event", [b"", b"{damaged", b"[1]", b"\xff"])
def test_of_what_cannot_be_read_nothing_is_shown(pixel: Pixel, event: bytes) -> None:
    assert masked_event(event) == {}

"""What is optional and unusable costs nobody an event: it is left out, told in the answer, and counted."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.utils import translation

from events.intake.event_ids import is_made
from events.intake.left_out import Reason
from events.models import OutboxRow
from events.parameters.table import ACTION_SOURCES
from pixels.models import Pixel
from tests.events.sending import EMAIL_HASH, purchase, send, stored, stored_event
from tests.factories import PixelFactory

pytestmark = pytest.mark.django_db

FBC = "fb.1.1700000000000.IwAR0AbCdEf-123"
FBP = "fb.1.1700000000000.1234567890"


@pytest.fixture
def pixel() -> Pixel:
    return PixelFactory.create()


def at(path: str, value: Any) -> dict[str, Any]:
    """A purchase with this value at this place."""
    event = purchase()
    parent, _, field = path.rpartition(".")
    (event[parent] if parent else event)[field] = value
    return event


def value_at(event: dict[str, Any], path: str) -> Any:
    parent, _, field = path.rpartition(".")
    return (event[parent] if parent else event).get(field, "left out")


@pytest.mark.parametrize(
    ("path", "value", "reason"),
    [
        ("user_data.client_ip_address", "203.0.113.9, 198.51.100.2", "It holds several internet addresses"),
        ("user_data.client_ip_address", ["203.0.113.9", "2001:db8::1"], "It holds several internet addresses"),
        ("user_data.client_ip_address", "not an ip", "It is no address of the internet."),
        ("user_data.client_ip_address", 17, "It is no address of the internet."),
        ("user_data.client_ip_address", "unknown", "It holds nothing"),
        ("user_data.fbc", "fb.1.1700000000000.", "It holds no click id"),
        ("user_data.fbc", "fb.1.1700000000000.undefined", "It holds no click id"),
        ("user_data.fbc", "IwAR0AbCdEf", "It holds no click id"),
        ("user_data.fbc", [FBC], "It holds no click id"),
        ("user_data.fbc", "undefined", "It holds nothing"),
        ("user_data.fbp", "1234567890", "It is no browser id"),
        ("user_data.fbp", "fb.1.1700000000000", "It is no browser id"),
        ("user_data.fbp", "", "It holds nothing"),
        ("user_data.external_id", "undefined", "It holds nothing"),
        ("user_data.external_id", {"id": 1}, "It is neither a text nor a list of texts."),
        ("user_data.lead_id", {"id": 1}, "It is no lead id"),
        ("user_data.lead_id", "l:123", "It is no lead id"),
        ("user_data.external_id", 1.5, "It is neither a text nor a list of texts."),
        ("user_data.partner_id", [1], "It is no text."),
        ("user_data.partner_name", True, "It is no text."),
        ("referrer_url", ["https://x.example"], "It is no text."),
        ("customer_segmentation", "new", "It is no object."),
        ("messaging_channel", "sms", "It is none of the words"),
        ("data_processing_options", ["GDPR"], "It is none of the words"),
        ("data_processing_options_country", "US", "It is no whole number."),
        ("custom_data.value", -5, "It is below zero."),
        ("custom_data.value", "-5.00", "It is below zero."),
        ("custom_data.net_revenue", "much", "It is no number"),
        ("custom_data.num_items", 1.5, "It is no whole number."),
        ("custom_data.currency", "XXX", "It is no currency"),
        ("custom_data.order_id", 12.5, "It is no text."),
        ("custom_data.content_type", {"a": 1}, "It is no text."),
        ("custom_data.search_string", True, "It is no text."),
        ("custom_data.delivery_category", "post", "It is none of the words"),
        ("opt_out", "maybe", "It is neither true nor false."),
        ("data_processing_options", {"LDU": 1}, "It is neither a text nor a list of texts."),
        ("data_processing_options_state", "California", "It is no whole number."),
        ("custom_data", "value=1", "It is no object."),
        ("app_data", "x", "It is no object."),
        ("custom_data.value", "19,99", "It is no number"),
        ("custom_data.value", True, "It is no number"),
        ("custom_data.num_items", "two", "It is no number"),
        ("custom_data.currency", "Euro", "It is no currency"),
        ("custom_data.currency", 978, "It is no currency"),
        ("custom_data.contents", '[{"id": "a"}]', "It is no list of objects."),
        ("custom_data.contents", ["a"], "It is no list of objects."),
        ("custom_data.content_ids", {"id": "a"}, "It is neither a text nor a list of texts."),
        ("accessKey", "k", "It is a key"),
    ],
)
def test_an_unusable_value_is_left_out_and_told(pixel: Pixel, path: str, value: Any, reason: str) -> None:
    event = at(path, value)

    reply = send(pixel, purchase(), event)

    assert (reply.status, reply.body["events_received"]) == (202, 2)
    (message,) = reply.body["messages"]
    assert message.startswith(f"data[1].{path}: left out. {reason}")
    first, second = stored(pixel)[0]
    assert first == purchase(event_time=first["event_time"])
    assert value_at(second, path) == "left out"
    assert second.keys() == event.keys() - {path}


@pytest.mark.parametrize(
    ("path", "value", "kept"),
    [
        ("user_data.client_ip_address", " 2001:db8::1 ", "2001:db8::1"),
        ("user_data.client_ip_address", "10.0.0.1", "10.0.0.1"),
        ("user_data.client_ip_address", ["203.0.113.9"], "203.0.113.9"),
        ("user_data.client_ip_address", "203.0.113.9, unknown", "203.0.113.9"),
        ("user_data.client_ip_address", "203.0.113.9:443", "203.0.113.9"),
        ("user_data.client_ip_address", "[::1]", "::1"),
        ("user_data.client_ip_address", "[2001:db8::1]:443", "2001:db8::1"),
        ("user_data.client_ip_address", "203.0.113.9,203.0.113.9", "203.0.113.9"),
        ("user_data.client_ip_address", "2001:db8::1 2001:DB8:0::1", "2001:db8::1"),
        ("user_data.lead_id", "l:1234567890123456", "1234567890123456"),
        ("user_data.external_id", 12.0, 12),
        ("event_source_url", " https://shop.example.com/a b", "https://shop.example.com/a%20b"),
        ("messaging_channel", "WhatsApp", "whatsapp"),
        ("data_processing_options", ["ldu"], ["LDU"]),
        ("data_processing_options_country", "1", 1),
        ("data_processing_options_state", 1000.0, 1000),
        ("custom_data.value", "1e5", 100000.0),
        ("custom_data.value", "+5", 5.0),
        ("custom_data.num_items", 2.0, 2),
        ("custom_data.order_id", 12.0, 12),
        ("custom_data.content_name", 2024, "2024"),
        ("custom_data.content_ids", "sku1", ["sku1"]),
        ("custom_data.content_ids", 7, [7]),
        ("custom_data.content_ids", {"0": "a", "2": "b"}, ["a", "b"]),
        ("custom_data.contents", {"id": "a"}, [{"id": "a"}]),
        ("custom_data.contents", {"1": {"id": "a"}, "3": {"id": "b"}}, [{"id": "a"}, {"id": "b"}]),
        ("custom_data.currency", "Eur", "EUR"),
        ("custom_data", [], "left out"),
        ("custom_data.contents", {}, "left out"),
        ("user_data.fbp", [], "left out"),
        ("user_data.external_id", [], "left out"),
        ("user_data.fbc", f" {FBC}\n", FBC),
        ("user_data.fbp", f"{FBP}.AQ", f"{FBP}.AQ"),
        ("opt_out", "TRUE", True),
        ("opt_out", 0, False),
        ("data_processing_options", "LDU", ["LDU"]),
        ("data_processing_options", [], []),
        ("custom_data.value", " 19.99 ", "19.99"),
        ("custom_data.currency", " eur ", "eur"),
        ("custom_data.contents", [], []),
        ("custom_data.unknown", {"a": [None]}, {"a": [None]}),
        ("unknown", [None, {}], [None, {}]),
        ("user_data.fbc", None, "left out"),
        ("custom_data.value", None, "left out"),
    ],
)
def test_what_is_clear_is_kept_and_nobody_need_be_told(pixel: Pixel, path: str, value: Any, kept: Any) -> None:
    reply = send(pixel, at(path, value))

    assert (reply.status, reply.body["messages"]) == (202, [])
    assert value_at(stored_event(pixel), path) == kept


def test_of_a_list_what_is_usable_stays(pixel: Pixel) -> None:
    contents = [{"id": "a", "quantity": "x"}, {"quantity": 1}, {"id": 7, "quantity": 2.0, "item_price": "9.50"}]
    event = purchase(custom_data={"currency": "EUR", "value": 1, "contents": contents, "content_ids": ["a", {}, 2.0]})

    reply = send(pixel, purchase(), event)

    assert sorted(reply.body["messages"]) == [
        "data[1].custom_data.content_ids: left out. It is neither a text nor a list of texts.",
        f"data[1].custom_data.contents[0].quantity: left out. {Reason.NO_NUMBER.label}",
        "data[1].custom_data.contents[1]: left out. It has no id.",
    ]
    order = stored(pixel)[0][1]["custom_data"]
    assert order["contents"] == [{"id": "a"}, {"id": 7, "quantity": 2, "item_price": "9.50"}]
    assert order["content_ids"] == ["a", 2]


@pytest.mark.parametrize(
    ("value", "path"),
    [
        ({"a": [{"b": {"access_token": "S"}}]}, "custom_data.a[0].b.access_token"),
        ({"ada@example.com": {"accessKey": "S"}}, "custom_data.….accessKey"),
        ([{"x" * 50: {"accessKey": "S"}}], None),
    ],
)
def test_the_path_of_a_secret_is_told(pixel: Pixel, value: Any, path: str | None) -> None:
    reply = send(pixel, purchase(custom_data=value) if path else purchase(unknown=value))

    (message,) = reply.body["messages"]
    assert message.startswith(f"data[0].{path or 'unknown[0].….accessKey'}: left out. It is a key")


def test_the_path_of_a_secret_that_lies_deep_is_bounded(pixel: Pixel) -> None:
    deep: dict[str, Any] = {"access_token": "S"}
    for _ in range(100):
        deep = {"a_rather_long_name": deep}

    (message,) = send(pixel, purchase(custom_data=deep)).body["messages"]

    assert len(message) < 250
    assert ".access_token: left out." in message


@pytest.mark.parametrize("value", [["x"], {}, True, 1.5, "x" * 101, "a\nb"])
def test_an_unusable_id_is_replaced_as_a_missing_one_is(pixel: Pixel, value: Any) -> None:
    reply = send(pixel, purchase(event_id=value))

    assert reply.status == 202
    (message,) = reply.body["messages"]
    assert message.startswith("data[0].event_id: left out. ")
    assert is_made(stored_event(pixel)["event_id"])


@pytest.mark.parametrize("url", [{"url": "x"}, "/thanks", "shop.example.com"])
def test_an_address_that_only_a_website_needs_is_left_out_elsewhere(pixel: Pixel, url: Any) -> None:
    reply = send(pixel, purchase(action_source="app", event_source_url=url))

    assert reply.body["messages"] == ["data[0].event_source_url: left out. It is no http or https address."]
    assert "event_source_url" not in stored_event(pixel)
    assert send(pixel, purchase(event_source_url=url)).message.startswith("data[0].event_source_url: ")


@pytest.mark.parametrize(
    "user_data", [{"fbc": "x"}, {"fbp": ""}, {"external_id": "guest"}, {"client_ip_address": "?", "em": ""}]
)
def test_user_data_that_ends_empty_refuses_the_request(pixel: Pixel, user_data: dict[str, Any]) -> None:
    reply = send(pixel, purchase(action_source="other", user_data=user_data))

    assert reply.status == 400
    assert reply.message.startswith("data[0].user_data: ")
    assert not OutboxRow.objects.exists()


def test_a_user_agent_that_is_no_text_refuses_where_a_website_needs_it_and_not_elsewhere(pixel: Pixel) -> None:
    event = at("user_data.client_user_agent", 7.5)

    assert send(pixel, event).message.startswith("data[0].user_data.client_user_agent: ")
    assert send(pixel, event | {"action_source": "app"}).status == 202


def test_twenty_texts_at_most_are_told_in_the_order_of_the_events(pixel: Pixel) -> None:
    reply = send(pixel, *(at("user_data.fbp", f"secret-{number}") for number in range(1_000)))

    messages = reply.body["messages"]
    assert len(messages) == 20
    assert [message.partition(":")[0] for message in messages[:3]] == [f"data[{n}].user_data.fbp" for n in range(3)]
    assert messages[-1] == "981 more values were left out or filled in."
    assert "secret-" not in json.dumps(messages)


def test_messages_are_in_english_whatever_the_thread_spoke_before(pixel: Pixel) -> None:
    with translation.override("es"):
        reply = send(pixel, at("custom_data", "x"))

    assert reply.body["messages"] == ["data[0].custom_data: left out. It is no object."]


# --- Missing action_source -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("missing", [{}, {"action_source": ""}])
@pytest.mark.parametrize(
    ("changes", "source"),
    [
        ({}, "website"),
        ({"event_source_url": None}, "other"),
        ({"event_source_url": "android-app://shop"}, "other"),
        ({"user_data": {"em": EMAIL_HASH}}, "other"),  # a website's would be refused for it
    ],
)
def test_a_missing_action_source_is_filled_and_told(
    pixel: Pixel, missing: dict[str, Any], changes: dict[str, Any], source: str
) -> None:
    event = purchase(action_source=None, **changes) | missing

    reply = send(pixel, event, event)

    assert (reply.status, reply.body["events_received"]) == (202, 2)
    assert [message for message in reply.body["messages"] if "action_source" in message] == [
        f"data[{index}].action_source: missing. It is filled with {source}." for index in range(2)
    ]
    assert [event["action_source"] for event in stored(pixel)[0]] == [source, source]


@pytest.mark.parametrize("null", [True, False])
def test_a_browser_shows_that_it_is_a_website(pixel: Pixel, null: bool) -> None:
    event = purchase(action_source=None, event_source_url=None, user_data={"em": EMAIL_HASH})
    event |= {"action_source": None} if null else {}
    headers = {"Origin": "https://shop.example.com", "User-Agent": "Firefox"}

    reply = send(pixel, event, headers=headers)
    send(pixel, event, headers=headers | {"Referer": "https://shop.example.com/thanks"})
    send(pixel, event, headers=headers | {"Origin": "null"})

    assert (reply.status, len(reply.body["messages"])) == (202, 2)
    ((origin,), (referer,), (nowhere,)) = stored(pixel)
    assert (origin["action_source"], origin["event_source_url"]) == ("website", "https://shop.example.com")
    assert (referer["action_source"], referer["event_source_url"]) == ("website", "https://shop.example.com/thanks")
    assert origin["user_data"]["client_user_agent"] == "Firefox"
    assert nowhere["action_source"] == "other"


@pytest.mark.parametrize("source", [*ACTION_SOURCES])
def test_an_action_source_that_is_there_stays(pixel: Pixel, source: str) -> None:
    assert send(pixel, purchase(action_source=source)).body["messages"] == []
    assert stored_event(pixel)["action_source"] == source

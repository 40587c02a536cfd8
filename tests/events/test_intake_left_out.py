"""What is optional and unusable costs nobody an event: it is left out, told in the answer, and counted."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart
from django.utils import translation

from events.intake.event_ids import is_made
from events.intake.left_out import Reason
from events.models import OutboxRow
from events.parameters.table import ACTION_SOURCES
from pixels.models import Pixel
from tests.events.sending import EMAIL_HASH, Reply, ask, post, purchase, send, stored, stored_event
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


# --- Beside the events -----------------------------------------------------------------------------------------------

BESIDE = {
    "test_event_code": "TEST1",
    "partner_agent": "shop",
    "namespace_id": "17",
    "upload_id": "18",
    "upload_tag": "tag",
    "upload_source": "crm",
    "platforms": [{"name": "web"}],
    "progress": {"done": 1},
    "trace": 17,
}
SECRETS = {"access_token": "EAAB-secret", "appsecret_proof": "proof-secret"}


@pytest.mark.parametrize("content_type", ["application/json", "application/x-www-form-urlencoded", MULTIPART_CONTENT])
def test_what_metas_sdks_put_beside_the_events_passes_on_and_nothing_else(pixel: Pixel, content_type: str) -> None:
    further = BESIDE | SECRETS | {"accessKey": pixel.access_key, "unknown": "x", "debug": "all", "fields": "id"}
    fields = {"data": json.dumps([purchase()]), **further}
    as_form = {name: value if isinstance(value, str) else json.dumps(value) for name, value in fields.items()}
    bodies = {
        "application/json": json.dumps(fields).encode(),
        "application/x-www-form-urlencoded": urlencode(as_form).encode(),
        MULTIPART_CONTENT: encode_multipart(BOUNDARY, as_form),
    }

    assert post(pixel, bodies[content_type], content_type).status == 202
    assert json.loads(OutboxRow.objects.get().options) == BESIDE


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("upload_tag", "x" * 500, "It is too long."),
        ("partner_agent", ["x"], "It is no text."),
        ("upload_id", "a\nb", "It contains control characters."),
        ("platforms", "web", "It is no list of objects."),
        ("platforms", ["web"], "It is no list of objects."),
        ("progress", "[1]", "It is no object."),
        ("progress", '{"a": 1, "a": 2}', "It is no object."),
        ("progress", {"access_token": "t"}, "It is a key"),
        ("progress", {"a": "x" * 500}, "It is too long."),
        ("trace", -1, "It is no number"),
        ("trace", True, "It is no number"),
    ],
)
def test_an_unusable_option_is_left_out_and_told(pixel: Pixel, name: str, value: Any, reason: str) -> None:
    reply = send(pixel, purchase(), **{name: value, "upload_source": "crm"})

    assert reply.status == 202
    (message,) = reply.body["messages"]
    assert message.startswith(f"{name}: left out. {reason}")
    assert json.loads(OutboxRow.objects.get().options) == {"upload_source": "crm"}


@pytest.mark.parametrize("value", ["x" * 500, ["x"], "a\nb"])
def test_a_trial_never_counts_as_what_people_did(pixel: Pixel, value: Any) -> None:
    reply = send(pixel, purchase(), test_event_code=value)

    assert (reply.status, reply.message.partition(":")[0]) == (400, "test_event_code")


@pytest.mark.parametrize(
    "hide",
    [
        lambda secrets: purchase(**secrets),
        lambda secrets: purchase(user_data={"em": EMAIL_HASH, "client_user_agent": "x", **secrets}),
        lambda secrets: purchase(custom_data={"currency": "EUR", **secrets}),
        lambda secrets: purchase(custom_data={"contents": [{"id": "a", **secrets}]}),
        lambda secrets: purchase(unknown={"a": [[{"b": secrets}]]}),
    ],
)
@pytest.mark.parametrize("others", [0, 2])
def test_secrets_are_neither_stored_nor_passed_on_wherever_they_stand(pixel: Pixel, hide: Any, others: int) -> None:
    secrets = SECRETS | {"accessKey": "key-secret"}
    events = [*[purchase()] * others, hide(secrets)]

    reply = send(pixel, *events)

    assert reply.status == 202
    told = [message.partition(": left")[0] for message in reply.body["messages"]]
    assert {(place.partition(".")[0], place.rpartition(".")[2]) for place in told} == {
        (f"data[{others}]", name) for name in secrets
    }
    body = bytes(OutboxRow.objects.get().body)
    assert not any(text.encode() in body for text in (*secrets, *secrets.values()))
    assert "-secret" not in json.dumps(reply.body)


def test_a_secret_says_nothing_of_the_customer(pixel: Pixel) -> None:
    reply = send(pixel, purchase(), purchase(action_source="app", user_data={"access_token": "t"}))

    assert (reply.status, reply.message.partition(":")[0]) == (400, "data[1].user_data")


def test_secrets_in_the_address_are_not_kept(pixel: Pixel) -> None:
    body = json.dumps({"data": [purchase()]}).encode()
    path = f"/capi/{pixel.pixel_id}/events?{urlencode(SECRETS)}"

    assert ask("POST", path, body, "application/json").status == 202
    row = OutboxRow.objects.get()
    assert b"secret" not in bytes(row.body) + row.options.encode()


def test_a_word_that_is_also_a_secrets_name_is_a_value_like_any_other(pixel: Pixel) -> None:
    event = purchase(custom_data={"content_name": '"access_token":', "content_ids": ["accessKey"]})

    assert send(pixel, event, event).body["messages"] == []
    assert stored(pixel) == [[event, event]]


# --- Files -----------------------------------------------------------------------------------------------------------


def as_file(pixel: Pixel, content: bytes, name: str = "data") -> Reply:
    """As ``curl -F data=@events.json`` sends it."""
    part = f'Content-Disposition: form-data; name="{name}"; filename="events.json"\r\nContent-Type: application/json'
    body = b"--%b\r\n%b\r\n\r\n%b\r\n--%b--\r\n" % (BOUNDARY.encode(), part.encode(), content, BOUNDARY.encode())
    return post(pixel, body, MULTIPART_CONTENT)


@pytest.mark.parametrize("before", [b"", b"\xef\xbb\xbf", b"\n"])
def test_the_events_may_be_sent_as_a_file(pixel: Pixel, before: bytes) -> None:
    events = [purchase(event_id=f"order-{number}", event_name="Achat terminé") for number in range(500)]

    assert as_file(pixel, before + json.dumps(events, ensure_ascii=False).encode()).status == 202
    assert stored(pixel) == [events]


def test_a_file_may_hold_a_whole_body(pixel: Pixel) -> None:
    events = [purchase(event_id=f"order-{number}") for number in range(3)]
    body = {"data": events, "test_event_code": "TEST1", "partner_agent": "shop"}

    assert as_file(pixel, json.dumps(body, indent=1).encode()).status == 202
    assert as_file(pixel, json.dumps({"data": events[:1]}).encode()).status == 202
    assert as_file(pixel, json.dumps(body | {"accessKey": "wrong"}).encode()).status == 401
    assert stored(pixel) == [events, events[:1]]
    assert json.loads(OutboxRow.objects.earliest("id").options) == {"test_event_code": "TEST1", "partner_agent": "shop"}


def test_a_media_type_may_be_written_in_any_case(pixel: Pixel) -> None:
    body = encode_multipart(BOUNDARY, {"data": json.dumps([purchase()])})

    assert post(pixel, body, f"Multipart/Form-Data; Boundary={BOUNDARY}").status == 202


@pytest.mark.parametrize(
    ("content", "name", "field"),
    [(b"", "data", "data"), (b"{}", "data", "data"), (b"\xff", "data", "body"), (b"[]", "file", "data")],
)
def test_another_file_is_refused(pixel: Pixel, content: bytes, name: str, field: str) -> None:
    reply = as_file(pixel, content, name)

    assert (reply.status, reply.message.partition(":")[0]) == (400, field)

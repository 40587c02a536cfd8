"""The rules for an event: each bad value is refused with its index and field, and nothing of the request is stored."""

from __future__ import annotations

import time
from typing import Any

import pytest

from events.models import OutboxRow
from events.parameters.table import ACTION_SOURCES
from pixels.models import Pixel
from tests.events.sending import purchase, send, stored, stored_event
from tests.factories import PixelFactory

pytestmark = pytest.mark.django_db

MISSING = object()
CONTROL = {"NUL": "a\0b", "escape": "a\x1bb", "line-break": "a\nb", "line-end": "a\n", "C1-control": "a\x85b"}
WRONG_TYPE: dict[str, Any] = {"number": 1, "list": ["x"], "object": {"a": "x"}, "true": True}
NO_TEXT: dict[str, Any] = {**WRONG_TYPE, "null": None, "empty": ""}
NOW = int(time.time())

BAD: dict[str, dict[str, Any]] = {
    "event_name": {**NO_TEXT, **CONTROL, "missing": MISSING, "too-long": "x" * 51},
    "event_time": {
        "missing": MISSING,
        "null": None,
        "text": str(NOW),
        "fraction": NOW + 0.5,
        "float": float(NOW),
        "true": True,
        "list": [NOW],
        "zero": 0,
        "negative": -NOW,
        "week-old": NOW - 8 * 86_400,
        "ahead": NOW + 3_600,
        "milliseconds": NOW * 1_000,
        "microseconds": NOW * 1_000_000,
    },
    "action_source": {**WRONG_TYPE, "unknown": "web", "case": "Website", "space": "website "},
    "user_data": {"missing": MISSING, "null": None, "text": "x", "list": [{"em": "a"}], "empty": {}},
    "event_source_url": {
        **NO_TEXT,
        "missing": MISSING,
        "scheme": "ftp://example.com",
        "script": "javascript:alert(1)",
        "relative": "/thanks",
        "bare": "example.com",
        "hostless": "https:///thanks",
        "line-break": "https://example.com/\n",
    },
    "user_data.client_user_agent": {**NO_TEXT, "missing": MISSING},
}


def with_value(path: str, value: Any) -> dict[str, Any]:
    event = purchase()
    *parents, field = path.split(".")
    target = event
    for parent in parents:
        target = target[parent]
    if value is MISSING:
        del target[field]
    else:
        target[field] = value
    return event


@pytest.mark.parametrize(
    ("path", "value"),
    [pytest.param(path, value, id=f"{path}-{name}") for path, values in BAD.items() for name, value in values.items()],
)
def test_a_bad_value_refuses_the_request_and_names_its_place(path: str, value: Any) -> None:
    reply = send(PixelFactory.create(), purchase(), with_value(path, value), purchase())

    assert reply.status == 400
    place, _, rule = reply.message.partition(": ")
    assert place == f"data[1].{path}"
    assert rule.endswith(".")
    assert not OutboxRow.objects.exists()


@pytest.mark.parametrize("event", [None, 1, "", [], True, 1.5])
def test_an_event_is_an_object(event: Any) -> None:
    reply = send(PixelFactory.create(), purchase(), event)

    assert reply.status == 400
    assert reply.message.startswith("data[1]: ")


def test_milliseconds_are_named_as_what_they_are() -> None:
    reply = send(PixelFactory.create(), purchase(event_time=NOW * 1_000))

    assert "milliseconds" in reply.message


@pytest.mark.parametrize("source", ACTION_SOURCES)
def test_every_source_of_metas_is_known(source: str) -> None:
    assert send(PixelFactory.create(), purchase(action_source=source)).status == 202


@pytest.mark.parametrize("source", [source for source in ACTION_SOURCES if source != "website"])
def test_what_is_no_websites_event_needs_no_address_and_no_user_agent(source: str) -> None:
    event = purchase(action_source=source, event_source_url=None, user_data={"lead_id": 525645896321548})

    assert send(PixelFactory.create(), event).status == 202


@pytest.mark.parametrize(
    "user_data", [{"em": None}, {"em": ""}, {"em": []}, {"ph": "none"}, {"em": [None, " "], "fn": "…"}]
)
def test_user_data_in_which_nothing_can_be_hashed_is_refused(user_data: dict[str, Any]) -> None:
    reply = send(PixelFactory.create(), purchase(action_source="other", user_data=user_data))

    assert reply.status == 400
    assert reply.message.startswith("data[0].user_data: ")


def test_an_identifier_in_which_nothing_can_be_hashed_is_left_out() -> None:
    pixel: Pixel = PixelFactory.create()

    send(pixel, purchase(action_source="other", user_data={"ph": "none", "fn": None, "external_id": "u1"}))

    assert stored_event(pixel)["user_data"] == {"external_id": "u1"}


@pytest.mark.parametrize("name", ["Purchase", "Achat terminé", "購入", "a b", "x" * 50, "a\u00a0b", "😀" * 50])
def test_names_of_any_script_are_accepted(name: str) -> None:
    pixel: Pixel = PixelFactory.create()

    assert send(pixel, purchase(event_name=name)).status == 202
    assert stored_event(pixel)["event_name"] == name


@pytest.mark.parametrize(
    "url",
    ["http://example.com", "HTTPS://Example.com/a?b=c d#é", "https://例え.jp/", "http://[::1]:80/", "http://u:p@h/"],
)
def test_web_addresses_as_browsers_and_servers_write_them_are_accepted(url: str) -> None:
    pixel: Pixel = PixelFactory.create()

    assert send(pixel, purchase(event_source_url=url)).status == 202
    assert stored_event(pixel)["event_source_url"] == url.replace(" ", "%20")


def test_hashes_may_not_make_a_body_many_times_longer(settings: Any) -> None:
    settings.INTAKE_MAX_BODY_BYTES = 1_048_576
    pixel: Pixel = PixelFactory.create()
    fields = ("fn", "ln", "f5first", "f5last", "fi", "ct", "st", "zp")
    many = {field: [f"a{number}" for number in range(20)] for field in fields}
    event = purchase(user_data={"client_user_agent": "x", **many})

    assert send(pixel, *[event] * 5).status == 202
    refused = send(pixel, *[event] * 200)

    assert (refused.status, refused.message.partition(":")[0]) == (400, "data")
    assert OutboxRow.objects.get().event_count == 5


@pytest.mark.parametrize("value", [True, 1.5, {"a": 1}, [["a@example.com"]], [{"a": 1}], [True], "x" * 501, "none"])
@pytest.mark.parametrize("field", ["em", "ph"])
def test_an_identifier_that_meta_cannot_use_costs_nobody_an_event(field: str, value: Any) -> None:
    pixel: Pixel = PixelFactory.create()

    assert send(pixel, purchase(), purchase(user_data={"client_user_agent": "x", field: value})).status == 202
    assert stored(pixel)[0][1]["user_data"] == {"client_user_agent": "x"}


@pytest.mark.parametrize("value", ["none", "test@test", {"a": 1}, True, "x" * 501, [None, [1]]])
def test_an_event_that_says_nothing_else_of_the_customer_is_refused(value: Any) -> None:
    reply = send(PixelFactory.create(), purchase(action_source="other", user_data={"em": value, "ph": "-"}))

    assert (reply.status, reply.message.partition(":")[0]) == (400, "data[0].user_data")
    assert not OutboxRow.objects.exists()


def test_an_identifier_that_is_too_long_is_left_out() -> None:
    pixel: Pixel = PixelFactory.create()
    reply = send(pixel, purchase(), purchase(user_data={"client_user_agent": "x", "fn": "a" + "\u0301\u0316" * 50_000}))

    assert reply.status == 202
    assert stored(pixel)[0][1]["user_data"] == {"client_user_agent": "x"}


def test_the_time_of_an_event_may_lie_a_week_back() -> None:
    pixel: Pixel = PixelFactory.create()
    week = 7 * 86_400

    assert send(pixel, purchase(event_time=int(time.time()) - week + 60)).status == 202
    assert send(pixel, purchase(event_time=int(time.time()) - week - 60)).status == 400
    assert send(pixel, purchase(event_time=int(time.time()) + 590)).status == 202
    assert send(pixel, purchase(event_time=int(time.time()) + 660)).status == 400

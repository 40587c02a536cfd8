"""The stand-in for the Graph API: it takes and refuses events as Meta does, and fails on demand."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from events.sandbox import Sandbox
from events.sandbox.server import serve


@pytest.fixture
def edge() -> Iterator[tuple[Sandbox, httpx.Client]]:
    sandbox = Sandbox(seed=1)
    with serve(sandbox) as url, httpx.Client(base_url=url) as client:
        yield sandbox, client


def purchase(event_id: str = "order-1", **changes: Any) -> dict[str, Any]:
    """An event that Meta takes; a change to None removes the field."""
    event: dict[str, Any] = {
        "event_name": "Purchase",
        "event_time": int(time.time()),
        "event_id": event_id,
        "action_source": "website",
        "event_source_url": "https://shop.example.com/",
        "user_data": {"client_user_agent": "Browser", "em": ["a" * 64]},
        "custom_data": {"currency": "EUR", "value": 9.5},
    }
    return {field: value for field, value in {**event, **changes}.items() if value is not None}


def post(client: httpx.Client, *events: Any, path: str = "/v24.0/17/events", **fields: Any) -> httpx.Response:
    return client.post(path, json={"data": list(events), "access_token": "good", **fields})


def test_good_events_are_taken(edge: tuple[Sandbox, httpx.Client]) -> None:
    sandbox, client = edge
    answer = post(client, purchase("a"), purchase("b"), test_event_code="TEST1")
    assert answer.status_code == 200
    assert answer.json()["events_received"] == 2
    assert answer.json()["fbtrace_id"]
    assert [event["event_id"] for event in sandbox.received_of("17")] == ["a", "b"]
    assert sandbox.requests[-1].options == {"test_event_code": "TEST1"}


def test_a_form_is_taken_like_json(edge: tuple[Sandbox, httpx.Client]) -> None:
    sandbox, client = edge
    answer = client.post("/v24.0/17/events", data={"data": json.dumps([purchase()]), "access_token": "good"})
    assert answer.json()["events_received"] == 1
    assert sandbox.received == [purchase(event_time=sandbox.received[0]["event_time"])]


def test_a_duplicate_is_kept_once_and_counted(edge: tuple[Sandbox, httpx.Client]) -> None:
    sandbox, client = edge
    post(client, purchase("a"))
    assert post(client, purchase("a"), purchase("a", event_name="Lead")).json()["events_received"] == 2
    post(client, purchase("a"), path="/v24.0/18/events")
    assert (len(sandbox.received), sandbox.duplicates) == (3, 1)


@pytest.mark.parametrize(
    ("change", "parameter"),
    [
        ({"event_name": None}, "data[1]['event_name']"),
        ({"event_name": 7}, "data[1]['event_name']"),
        ({"event_time": None}, "data[1]['event_time']"),
        ({"event_time": "soon"}, "data[1]['event_time']"),
        ({"event_time": int(time.time()) - 8 * 86_400}, "data[1]['event_time']"),
        ({"event_time": int(time.time()) + 86_400}, "data[1]['event_time']"),
        ({"action_source": "web"}, "data[1]['action_source']"),
        ({"event_source_url": None}, "data[1]['event_source_url']"),
        ({"user_data": {}}, "data[1]['user_data']"),
        ({"user_data": {"em": "a" * 64}}, "data[1]['user_data']['client_user_agent']"),
        ({"user_data": {"client_user_agent": "x", "em": "ada@example.com"}}, "data[1]['user_data']['em']"),
        ({"custom_data": {"currency": "Euro"}}, "data[1]['custom_data']['currency']"),
        ({"custom_data": {"value": "a lot"}}, "data[1]['custom_data']['value']"),
    ],
)
def test_one_bad_event_refuses_the_request(
    edge: tuple[Sandbox, httpx.Client], change: dict[str, Any], parameter: str
) -> None:
    sandbox, client = edge
    answer = post(client, purchase("a"), purchase("b", **change))
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == 100
    assert f"param {parameter} " in answer.json()["error"]["message"]
    assert sandbox.received == []


def test_a_thousand_events_are_the_most(edge: tuple[Sandbox, httpx.Client]) -> None:
    sandbox, client = edge
    assert post(client, *[purchase(str(n)) for n in range(1_000)]).status_code == 200
    assert post(client, *[purchase(str(n)) for n in range(1_001)]).json()["error"]["code"] == 100
    assert len(sandbox.received) == 1_000


@pytest.mark.parametrize(
    ("path", "fields", "code"),
    [
        ("/24/17/events", {}, 2500),
        ("/v24.0/abc/events", {}, 100),
        ("/v24.0/17", {}, 100),
        ("/v24.0/abc", {}, 2500),
        ("/v24.0/17/events", {"access_token": None}, 104),
        ("/v24.0/17/events", {"access_token": "rejected by Meta"}, 190),
        ("/v24.0/17/events", {"data": "[]"}, 100),
    ],
)
def test_a_request_must_name_version_pixel_and_token(
    edge: tuple[Sandbox, httpx.Client], path: str, fields: dict[str, Any], code: int
) -> None:
    _, client = edge
    answer = client.post(path, json={"data": [purchase()], "access_token": "good", **fields})
    assert answer.json()["error"]["code"] == code


def test_it_fails_for_one_pixel_as_often_as_told(edge: tuple[Sandbox, httpx.Client]) -> None:
    sandbox, client = edge
    sandbox.fail(code=190, subcode=463, pixel_id="17", times=1)
    refused = post(client, purchase("a"))
    assert (refused.json()["error"]["code"], refused.json()["error"]["error_subcode"]) == (190, 463)
    assert post(client, purchase("a")).status_code == 200
    assert sandbox.requests[0].code == 190


def test_it_can_be_told_over_http_and_recovers(edge: tuple[Sandbox, httpx.Client]) -> None:
    _, client = edge
    client.post("/_control", json={"fail": {"code": 2}})
    assert post(client, purchase("a")).status_code == 500
    client.post("/_control", json={})
    assert post(client, purchase("a")).status_code == 200
    assert client.post("/_control", json={"fial": {}}).status_code == 400


def test_an_answer_can_be_lost_after_the_events_were_taken(edge: tuple[Sandbox, httpx.Client]) -> None:
    sandbox, client = edge
    sandbox.fail(close=True, accept=True, times=1)
    with pytest.raises(httpx.RemoteProtocolError):
        post(client, purchase("a"))
    assert len(sandbox.received) == 1


def test_it_can_be_slow(edge: tuple[Sandbox, httpx.Client]) -> None:
    sandbox, client = edge
    sandbox.fail(delay_seconds=0.2, times=1)
    start = time.monotonic()
    assert post(client, purchase("a")).status_code == 200
    assert time.monotonic() - start >= 0.2


def test_random_failures_repeat_with_their_seed() -> None:
    def codes() -> list[int]:
        sandbox = Sandbox(seed=7)
        sandbox.fail(code=1, probability=0.5)
        payload = {"data": [purchase()], "access_token": "good"}
        return [sandbox.post_events("v24.0", "17", payload).status for _ in range(20)]

    assert codes() == codes()
    assert set(codes()) == {200, 500}


def test_it_tells_what_it_got_and_forgets_it(edge: tuple[Sandbox, httpx.Client]) -> None:
    _, client = edge
    post(client, purchase("a"), purchase("b"))
    post(client, purchase("c"), path="/v24.0/18/events")
    told = client.get("/_events", params={"pixel_id": "17", "limit": 1}).json()
    assert told["received"] == 2
    assert [row["event"]["event_id"] for row in told["events"]] == ["b"]
    client.delete("/_events")
    assert client.get("/_events").json() == {"received": 0, "duplicates": 0, "events": []}


def test_it_tells_of_an_event_as_deep_as_the_gateway_takes_it(edge: tuple[Sandbox, httpx.Client]) -> None:
    _, client = edge
    deep: list[Any] = []
    for _level in range(249):
        deep = [deep]
    event = purchase(custom_data={"currency": "EUR", "value": 1, "deep": deep})
    post(client, event)

    assert client.get("/_events").json()["events"] == [{"pixel_id": "17", "event": event}]

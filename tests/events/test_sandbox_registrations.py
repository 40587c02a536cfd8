"""The sandbox's edge for registrations, asked over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from events.sandbox import Sandbox
from events.sandbox.registrations import EDGE
from events.sandbox.server import serve

FIELDS = {"pixel_id": "17", "endpoint": "https://gateway.example.com", "active": True, "blocked_websites": ["a.com"]}


@pytest.fixture
def edge() -> Iterator[tuple[Sandbox, httpx.Client]]:
    sandbox = Sandbox()
    with (
        serve(sandbox) as url,
        httpx.Client(base_url=f"{url}/v24.0/", headers={"Authorization": "Bearer good"}) as client,
    ):
        yield sandbox, client


def _create(client: httpx.Client, **changes: Any) -> str:
    answer = client.post(f"9/{EDGE}", json=FIELDS | changes)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["id"])


def test_a_configuration_is_made_listed_changed_and_deleted(edge: tuple[Sandbox, httpx.Client]) -> None:
    _, client = edge
    node = _create(client)
    other = _create(client, pixel_id=18)
    assert [each["id"] for each in client.get(f"17/{EDGE}").json()["data"]] == [node]
    assert [each["id"] for each in client.get(f"9/{EDGE}").json()["data"]] == [node, other]

    assert client.post(node, json={"active": False}).json() == {"success": True}
    assert client.get(node).json() == {"id": node, "business_id": "9", **FIELDS, "active": False}

    assert client.delete(node).json() == {"success": True}
    assert client.get(f"17/{EDGE}").json() == {"data": []}
    assert client.get(node).json()["error"]["error_subcode"] == 33


@pytest.mark.parametrize(
    ("token", "code"), [("", 104), ("rejected", 190), ("forbidden", 200), ("limited", 17), ("good", 0)]
)
def test_a_token_decides(edge: tuple[Sandbox, httpx.Client], token: str, code: int) -> None:
    sandbox, client = edge
    answer = client.post(f"9/{EDGE}", json=FIELDS, headers={"Authorization": f"Bearer {token}".strip()}).json()

    assert answer.get("error", {}).get("code", 0) == code
    assert len(sandbox.registrations.all()) == (code == 0)


@pytest.mark.parametrize(
    "wrong",
    [
        {"active": "perhaps"},
        {"endpoint": ["x"]},
        {"blocked_websites": "a.com"},
        {"blocked_event_types": [1]},
        {"capi_publishing_state": "ON"},
        {"event_enrichment_state": "MAYBE"},
        {"pixel_id": None},
    ],
)
def test_a_field_of_another_kind_is_refused(edge: tuple[Sandbox, httpx.Client], wrong: dict[str, Any]) -> None:
    sandbox, client = edge
    assert client.post(f"9/{EDGE}", json=FIELDS | wrong).json()["error"]["code"] == 100
    assert sandbox.registrations.all() == []


def test_it_fails_as_it_is_told_to_and_events_do_not(edge: tuple[Sandbox, httpx.Client]) -> None:
    sandbox, client = edge
    client.post(str(client.base_url.copy_with(path="/_control")), json={"edge": EDGE, "fail": {"code": 4}, "times": 1})

    assert client.post("17/events", json={"access_token": "good", "data": []}).json()["error"]["code"] == 100
    assert client.get(f"17/{EDGE}").json()["error"]["code"] == 4
    assert client.get(f"17/{EDGE}").status_code == 200
    assert [request.code for request in sandbox.registrations.requests] == [4, 0]


def test_an_answer_can_be_lost_after_it_was_done(edge: tuple[Sandbox, httpx.Client]) -> None:
    sandbox, client = edge
    sandbox.fail(edge=EDGE, pixel_id="17", close=True, accept=True, times=1)

    with pytest.raises(httpx.RemoteProtocolError):
        _create(client)
    assert len(sandbox.registrations.of_pixel("17")) == 1


def test_it_tells_people_what_is_registered_and_forgets_it(edge: tuple[Sandbox, httpx.Client]) -> None:
    _, client = edge
    node = _create(client)
    root = client.base_url.copy_with(path="/")

    assert client.get(f"{root}_registrations").json() == {"data": [{"id": node, "business_id": "9", **FIELDS}]}
    client.delete(f"{root}_events")
    assert client.get(f"{root}_registrations").json() == {"data": []}

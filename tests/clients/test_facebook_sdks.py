"""Meta's Business SDKs, told that this portal is the Graph API: it stores what they send, they read what it answers."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from facebook_business.adobjects.serverside.action_source import ActionSource
from facebook_business.adobjects.serverside.custom_data import CustomData
from facebook_business.adobjects.serverside.event import Event
from facebook_business.adobjects.serverside.event_request import EventRequest
from facebook_business.adobjects.serverside.user_data import UserData
from facebook_business.exceptions import FacebookRequestError
from facebook_business.session import FacebookSession

from events.models import OutboxRow
from pixels.models import Pixel
from tests.clients.packages import run_node
from tests.events.sending import stored_event
from tests.events.test_docs import snippet
from tests.factories import PixelFactory
from tests.instance import Instance

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

EMAIL_HASH = "b5fc85e55755f9e0d030a10ab4429b6b2944855f9a0d60077fe832becbc41d72"


@pytest.fixture
def pixel() -> Pixel:
    return PixelFactory.create(access_key="the-key")


@pytest.fixture
def gateway(tmp_path: Path, pixel: Pixel) -> Iterator[str]:
    """A running portal, with the pixel."""
    with Instance(tmp_path, "http://127.0.0.1:1") as instance:
        instance.start_web()
        yield instance.url


def setup(language: str, title: str, gateway: str, token: str) -> str:
    """The code of docs/sending-events.md that leads an SDK to a gateway."""
    code = snippet(language, below=title)
    assert "https://gateway.example.com" in code
    assert "unused" in code
    return code.replace("https://gateway.example.com", gateway).replace("unused", token)


def assert_stored(pixel: Pixel) -> None:
    event = stored_event(pixel)
    assert (event["event_name"], event["event_id"]) == ("Purchase", "order-1")
    assert event["user_data"]["em"] == [EMAIL_HASH]
    options = OutboxRow.objects.get().options
    assert json.loads(options) == {"test_event_code": "TEST1"}


# --- Python ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def _sdk_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FacebookSession, "GRAPH", FacebookSession.GRAPH)


def send_from_python(gateway: str, pixel: Pixel, token: str) -> Any:
    exec(setup("python", "**SDK for Python**", gateway, token), {})  # noqa: S102  # of our own documentation
    event = Event(
        event_name="Purchase",
        event_time=int(time.time()),
        event_id="order-1",
        action_source=ActionSource.WEBSITE,
        event_source_url="https://shop.example.com/thanks",
        user_data=UserData(emails=["ada@example.com"], client_user_agent="Mozilla/5.0"),
        custom_data=CustomData(currency="eur", value=19.99),
    )
    return EventRequest(pixel_id=pixel.pixel_id, events=[event], test_event_code="TEST1").execute()


@pytest.mark.usefixtures("_sdk_as_it_was")
def test_the_python_sdk_sends_and_reads_the_answer(gateway: str, pixel: Pixel) -> None:
    answer = send_from_python(gateway, pixel, "EAAB-a-token-of-metas")

    assert (answer.events_received, answer.messages) == (1, [])
    assert answer.fbtrace_id
    assert_stored(pixel)


@pytest.mark.usefixtures("_sdk_as_it_was")
def test_the_python_sdk_brings_the_access_key_in_the_tokens_place(gateway: str, pixel: Pixel) -> None:
    Pixel.objects.update(require_access_key=True)

    with pytest.raises(FacebookRequestError) as refused:
        send_from_python(gateway, pixel, "EAAB-a-token-of-metas")

    assert refused.value.http_status() == 401
    assert refused.value.api_error_code() == 190
    assert refused.value.api_error_message() == "accessKey: this is not the pixel's access key."
    assert send_from_python(gateway, pixel, "the-key").events_received == 1


# --- Node.js ---------------------------------------------------------------------------------------------------------


def send_from_node(gateway: str, pixel: Pixel, token: str) -> dict[str, Any]:
    code = setup("js", "**SDK for Node.js**", gateway, token)
    answer: dict[str, Any] = json.loads(run_node("facebook_sdk.cjs", code, pixel.pixel_id, token))
    return answer


def test_the_node_sdk_sends_and_reads_the_answer(gateway: str, pixel: Pixel) -> None:
    answer = send_from_node(gateway, pixel, "EAAB-a-token-of-metas")

    assert (answer["received"], answer["messages"]) == (1, [])
    assert answer["trace"]
    assert_stored(pixel)


def test_the_node_sdk_brings_the_access_key_in_the_tokens_place(gateway: str, pixel: Pixel) -> None:
    Pixel.objects.update(require_access_key=True)

    refused = send_from_node(gateway, pixel, "EAAB-a-token-of-metas")

    assert refused["status"] == 401
    assert "accessKey: this is not the pixel's access key." in refused["message"]
    assert send_from_node(gateway, pixel, "the-key")["received"] == 1

"""Events that come from visitors' browsers: what the request shows of the browser."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pixels.models import Pixel
from tests.events.sending import EMAIL_HASH, ask, purchase, send, stored_event
from tests.factories import PixelFactory

pytestmark = pytest.mark.django_db

ADDRESS = "81.2.69.142"
FROM_BROWSER = {"Origin": "https://shop.example.com", "User-Agent": "Mozilla/5.0 (X11)"}
WITHOUT_USER_AGENT = {"em": EMAIL_HASH}


@pytest.fixture
def pixel() -> Pixel:
    """A pixel of an account that does not enhance events."""
    return PixelFactory.create()


@pytest.fixture
def enhanced() -> Pixel:
    """A pixel of an account that does."""
    return PixelFactory.create(tenant__event_enrichment=True)


def send_from(address: str, pixel: Pixel, event: dict[str, Any], **headers: str) -> dict[str, Any]:
    body = json.dumps({"data": [event]}).encode()
    reply = ask("POST", f"/capi/{pixel.pixel_id}/events", body, headers=headers, REMOTE_ADDR=address)
    assert reply.status == 202
    user_data: dict[str, Any] = stored_event(pixel)["user_data"]
    return user_data


# --- The user agent --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sign", [{"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}])
def test_a_browsers_user_agent_is_taken_for_a_websites_event(pixel: Pixel, sign: dict[str, str]) -> None:
    headers = {"User-Agent": "Mozilla/5.0 (X11)", **sign}

    reply = send(pixel, purchase(user_data=WITHOUT_USER_AGENT), headers=headers)

    assert reply.status == 202
    assert stored_event(pixel)["user_data"] == WITHOUT_USER_AGENT | {"client_user_agent": "Mozilla/5.0 (X11)"}


def test_a_servers_user_agent_is_nobodys(pixel: Pixel) -> None:
    reply = send(pixel, purchase(user_data=WITHOUT_USER_AGENT), headers={"User-Agent": "curl/8"})

    assert reply.status == 400
    assert reply.message.startswith("data[0].user_data.client_user_agent: ")


def test_a_browser_without_a_user_agent_does_not_help(pixel: Pixel) -> None:
    reply = send(pixel, purchase(user_data=WITHOUT_USER_AGENT), headers={"Origin": "https://shop.example.com"})

    assert reply.status == 400


def test_the_events_own_user_agent_stays(enhanced: Pixel) -> None:
    event = purchase(user_data={"client_user_agent": "App/1", "client_ip_address": "8.8.8.8"})

    assert send_from(ADDRESS, enhanced, event, **FROM_BROWSER) == event["user_data"]


def test_a_huge_user_agent_does_not_multiply(pixel: Pixel) -> None:
    send(pixel, purchase(user_data=WITHOUT_USER_AGENT), headers=FROM_BROWSER | {"User-Agent": "x" * 8000})

    assert len(stored_event(pixel)["user_data"]["client_user_agent"]) == 500


# --- Where events are enhanced ---------------------------------------------------------------------------------------


def test_the_address_is_added_where_the_account_enhances_events(enhanced: Pixel) -> None:
    user_data = send_from(ADDRESS, enhanced, purchase(user_data=WITHOUT_USER_AGENT), **FROM_BROWSER)

    assert user_data["client_ip_address"] == ADDRESS


def test_the_address_is_not_added_elsewhere(pixel: Pixel) -> None:
    user_data = send_from(ADDRESS, pixel, purchase(user_data=WITHOUT_USER_AGENT), **FROM_BROWSER)

    assert "client_ip_address" not in user_data


def test_a_servers_address_is_nobodys(enhanced: Pixel) -> None:
    assert "client_ip_address" not in send_from(ADDRESS, enhanced, purchase())


@pytest.mark.parametrize("address", ["127.0.0.1", "10.0.0.1", "::1", "fe80::1", "", "unknown", "unix:"])
def test_an_address_within_a_network_is_nobodys(enhanced: Pixel, address: str) -> None:
    assert "client_ip_address" not in send_from(address, enhanced, purchase(), **FROM_BROWSER)


@pytest.mark.parametrize(("address", "written"), [("2A00:1450::1", "2a00:1450::1"), (f"::ffff:{ADDRESS}", ADDRESS)])
def test_an_ipv6_address_is_written_as_metas_api_reads_it(enhanced: Pixel, address: str, written: str) -> None:
    assert send_from(address, enhanced, purchase(), **FROM_BROWSER)["client_ip_address"] == written


def test_what_is_no_websites_event_is_completed_only_where_the_account_enhances(pixel: Pixel, enhanced: Pixel) -> None:
    event = purchase(action_source="chat", user_data=WITHOUT_USER_AGENT)

    assert send_from(ADDRESS, pixel, event, **FROM_BROWSER) == WITHOUT_USER_AGENT
    assert send_from(ADDRESS, enhanced, event, **FROM_BROWSER) == WITHOUT_USER_AGENT | {
        "client_user_agent": FROM_BROWSER["User-Agent"],
        "client_ip_address": ADDRESS,
    }

"""Visitors' browsers on other websites: in every way in which a page can send, its events arrive."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from events.models import OutboxRow
from pixels.models import Pixel
from tests.browser.two_origins import serve_folder, wait_until
from tests.events.sending import stored, stored_event
from tests.events.test_docs import snippet
from tests.factories import PixelFactory
from tests.instance import Instance

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

#: What pages send: ``body`` is the request's as JSON, ``data`` its list of events.
FETCHES = {
    "fetch": "fetch(address, {method: 'POST', body})",
    "fetch without credentials": "fetch(address, {method: 'POST', body, credentials: 'omit'})",
    "fetch with credentials": "fetch(address, {method: 'POST', body, credentials: 'include'})",
    "fetch of JSON": "fetch(address, {method: 'POST', body, headers: {'Content-Type': 'application/json'}})",
    "fetch of JSON with credentials and a header": """fetch(address, {method: 'POST', body, credentials: 'include',
        headers: {'Content-Type': 'application/json', 'X-Requested-With': 'XMLHttpRequest'}})""",
    "fetch that outlives the page": "fetch(address, {method: 'POST', body, keepalive: true, credentials: 'include'})",
}
BEACONS = {
    "beacon of text": "navigator.sendBeacon(address, body)",
    "beacon of JSON": "navigator.sendBeacon(address, new Blob([body], {type: 'application/json'}))",
    "beacon of a form": "navigator.sendBeacon(address, new URLSearchParams({data}))",
    "beacon of a multipart form": """(() => {
        const form = new FormData();
        form.append("data", data);
        return navigator.sendBeacon(address, form);
    })()""",
}


@pytest.fixture
def pixel() -> Pixel:
    return PixelFactory.create()


@pytest.fixture
def gateway(tmp_path: Path, pixel: Pixel) -> Iterator[Instance]:
    """A running portal."""
    with Instance(tmp_path, "http://127.0.0.1:1", PIXEL_RATE_LIMIT="15/m") as instance:
        instance.start_web()
        yield instance


@pytest.fixture
def shop(browser: Browser, gateway: Instance, tmp_path: Path) -> Iterator[Page]:
    """A page of another website, in a browser that has cookies of the portal's."""
    website = tmp_path / "shop"
    website.mkdir()
    (website / "index.html").write_text("<!doctype html><title>Shoes</title>")
    context = browser.new_context()
    context.add_cookies([{"name": "sessionid", "value": "x" * 32, "url": gateway.url}])
    page = context.new_page()
    with serve_folder(website) as url:
        page.goto(url)
        yield page
        context.close()


def run(page: Page, gateway: Instance, pixel_id: str, way: str, event_id: str) -> Any:
    """Send an event in a way; of a fetch, what the page reads of the answer."""
    event = {
        "event_name": "Lead",
        "event_time": int(time.time()),
        "event_id": event_id,
        "action_source": "website",
        "event_source_url": "https://shop.example.com/",
        "user_data": {"external_id": "v-17"},
    }
    script = """async ([address, event]) => {
        const body = JSON.stringify({data: [event]}), data = JSON.stringify([event]);
        const answer = await %s;
        return answer === true ? true : {
            status: answer.status, wait: answer.headers.get("Retry-After"), content: await answer.json()
        };
    }"""
    return page.evaluate(script % way, [f"{gateway.url}/capi/{pixel_id}/events", event])


def test_events_arrive_in_every_way_and_the_page_reads_the_answer(shop: Page, gateway: Instance, pixel: Pixel) -> None:
    for name, way in FETCHES.items():
        answer = run(shop, gateway, pixel.pixel_id, way, name)
        assert (answer["status"], answer["content"]["events_received"]) == (202, 1), name
    for name, way in BEACONS.items():
        assert run(shop, gateway, pixel.pixel_id, way, name) is True, name

    wait_until(lambda: OutboxRow.objects.count() == len(FETCHES | BEACONS))
    events = [event for row in stored(pixel) for event in row]
    assert sorted(event["event_id"] for event in events) == sorted(FETCHES | BEACONS)
    assert {event["user_data"]["client_user_agent"] for event in events} == {shop.evaluate("navigator.userAgent")}


def test_what_the_guide_prints_works_as_it_stands(shop: Page, gateway: Instance) -> None:
    code = snippet("js", below="## From a browser").replace("https://gateway.example.com", gateway.url)
    pixel: Pixel = PixelFactory.create(pixel_id="18904456377094531")

    shop.evaluate(f"async () => {{ {code} }}")

    assert stored_event(pixel)["event_id"] == "order-1045"


def test_the_page_reads_refusals_too(shop: Page, gateway: Instance, pixel: Pixel) -> None:
    way = FETCHES["fetch of JSON with credentials and a header"]

    unknown = run(shop, gateway, "404", way, "order-1")
    assert (unknown["status"], unknown["content"]["error"]["code"]) == (404, 100)

    malformed = run(shop, gateway, pixel.pixel_id, way.replace("body,", "body: '{}',"), "order-1")
    assert (malformed["status"], malformed["content"]["error"]["code"]) == (400, 100)

    answers = [run(shop, gateway, pixel.pixel_id, way, f"order-{number}") for number in range(16)]
    assert (answers[-1]["status"], answers[-1]["content"]["error"]["code"]) == (429, 4)
    assert int(answers[-1]["wait"]) > 0


def test_pages_cannot_read_what_is_not_meant_for_them(shop: Page, gateway: Instance) -> None:
    for path in ("/hub/graphql/", "/hub/graphql", "/api/usage", "/clients/token", "/healthz", "/auth/login/"):
        for credentials in ("include", "omit"):
            script = "([url, credentials]) => fetch(url, {credentials}).then(() => 'read', () => 'refused')"
            assert shop.evaluate(script, [gateway.url + path, credentials]) == "refused", path

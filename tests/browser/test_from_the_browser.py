"""The page "Test from the browser": the reader's Chromium posts to the events' address, and tells what came of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from limits import parse
from playwright.sync_api import Page, expect
from pytest_django import Settings

from events.delivery.publishing import drain
from events.models import OutboxRow
from events.sandbox import Sandbox
from pixels.models import Pixel
from tests.base import Cast
from tests.browser.conftest import Open
from tests.browser.two_origins import VISITOR, Gateway, serve_gateway
from tests.browser.visit import Visit
from tests.factories import EventFilterFactory, PixelFactory


@pytest.fixture
def pixel(cast: Cast) -> Pixel:
    return PixelFactory.create(tenant=cast.shoes)


@pytest.fixture
def gateway(sandbox: Sandbox, settings: Settings) -> Iterator[Gateway]:
    """Where the account's events are taken: not at the origin of the portal's pages."""
    with serve_gateway() as gateway:
        settings.BASE_URL = gateway.url
        yield gateway


@pytest.fixture
def max_(visit: Open, cast: Cast, gateway: Gateway) -> Visit:
    browser = visit(cast.max)
    browser.expect_host(gateway.url)
    return browser


def open_test(browser: Visit, cast: Cast, pixel: Pixel) -> Page:
    """From the page about sending, as people get there."""
    browser.open(f"/hub/capig/pixels/{pixel.pixel_id}/sending/", cast.shoes)
    browser.page.get_by_role("link", name="Open the test").click()
    return browser.page


def send(page: Page, name: str = "PageView", website: str = "https://shop.example.com/shoes") -> None:
    page.get_by_label("Event name").fill(name)
    page.get_by_label("Page's address").fill(website)
    page.get_by_role("button", name="Send from this browser").click()


def test_the_event_is_seen_arriving(
    max_: Visit, cast: Cast, pixel: Pixel, gateway: Gateway, sandbox: Sandbox, portal: str
) -> None:
    page = open_test(max_, cast, pixel)
    expect(page.get_by_text(f"{gateway.url}/events")).to_be_visible()
    send(page, "Purchase")
    expect(page.get_by_text("Received; on its way to the sandbox")).to_be_visible()
    drain(pixel.pk)
    # Without a reload: the page asks by itself.
    expect(page.get_by_text("Your test event has reached the sandbox.")).to_be_visible()

    (event,) = sandbox.received
    assert event["event_name"] == "Purchase"
    assert event["event_id"] in page.locator("#watched").inner_text()
    assert event["event_source_url"] == "https://shop.example.com/shoes"
    assert "referrer_url" not in event
    assert event["user_data"]["client_user_agent"] == page.evaluate("navigator.userAgent")
    assert event["user_data"]["client_ip_address"] == VISITOR
    assert gateway.asked == [("POST", portal)]
    assert max_.page.context.cookies(portal)[0]["name"] == "sessionid"
    assert {cookie["name"] for cookie in page.context.cookies()} <= {"sessionid", "csrftoken"}


def test_a_filter_that_drops_it_is_named(max_: Visit, cast: Cast, pixel: Pixel) -> None:
    EventFilterFactory.create(tenant=cast.shoes, event_name="PageView")
    page = open_test(max_, cast, pixel)
    send(page)
    expect(page.get_by_text("Received; on its way")).to_be_visible()
    drain(pixel.pk)

    expect(page.locator("#watched")).to_contain_text("Dropped Event filter for PageView")


def test_what_the_gateway_does_not_take_it_tells_with_the_remedy(max_: Visit, cast: Cast, pixel: Pixel) -> None:
    Pixel.objects.update(browser_websites=["example.org"])
    page = open_test(max_, cast, pixel)
    expect(page.get_by_label("Page's address")).to_have_value("https://example.org/")
    send(page)
    expect(page.locator("#watched")).to_contain_text("did not take the event")
    expect(page.locator("#watched")).to_contain_text("It comes from a website that may not send")
    assert max_.violations() == []
    page.locator("#watched").get_by_role("link", name="Change the websites").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Websites that may send")
    assert not OutboxRow.objects.exists()


def test_what_keeps_it_in_the_browser_is_told(max_: Visit, cast: Cast, pixel: Pixel) -> None:
    page = open_test(max_, cast, pixel)
    page.route("**/events?cee=no", lambda route: route.abort("blockedbyclient"))
    send(page)

    expect(page.get_by_text("Something in your browser keeps the event back.")).to_be_visible()
    assert max_.violations() == []
    assert max_.wider_than(390) == []


def test_so_is_an_address_that_nobody_answers_at(max_: Visit, cast: Cast, pixel: Pixel, settings: Settings) -> None:
    settings.BASE_URL = "http://127.0.0.1:1"
    max_.expect_host(settings.BASE_URL)
    page = open_test(max_, cast, pixel)
    send(page)

    expect(page.get_by_text("Your browser cannot reach http://127.0.0.1:1.")).to_be_visible()


def test_so_is_a_limit(max_: Visit, cast: Cast, pixel: Pixel, settings: Settings, gateway: Gateway) -> None:
    page = open_test(max_, cast, pixel)
    settings.BROWSER_PIXEL_RATE_LIMIT = parse("1/hour")
    send(page)
    expect(page.get_by_text("Received; on its way")).to_be_visible()
    send(page)

    expect(page.get_by_text("Too many events have come from your network, or for this pixel.")).to_be_visible()
    assert len(gateway.asked) == 4
    assert OutboxRow.objects.count() == 1


def test_so_is_a_gateway_that_cannot_store(max_: Visit, cast: Cast, pixel: Pixel, gateway: Gateway) -> None:
    page = open_test(max_, cast, pixel)
    gateway.loses = [True] * 3
    send(page)

    expect(page.get_by_text("The gateway cannot store the event now.")).to_be_visible()


def test_each_press_sends_an_event_of_its_own_on_a_phone_too(
    visit: Open, cast: Cast, pixel: Pixel, gateway: Gateway
) -> None:
    phone = visit(cast.max, viewport={"width": 390, "height": 844}, color_scheme="dark")
    phone.expect_host(gateway.url)
    page = open_test(phone, cast, pixel)
    for _ in range(2):
        send(page)
        expect(page.get_by_text("Received; on its way")).to_be_visible()

    assert phone.wider_than(390) == []
    assert phone.violations() == []
    assert OutboxRow.objects.count() == 2

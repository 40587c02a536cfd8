"""A shop's page with a pixel on it, in Chromium, and the gateway at another origin: what the visitor does reaches Meta.

The pixel is our stand-in for Meta's (static/js/pixel-stand-in.js), the same that the portal's own test page loads.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from playwright.sync_api import Browser, BrowserContext, Page

from events import findings
from events.delivery.publishing import drain
from events.models import Finding, OutboxRow, Road
from events.sandbox import Sandbox
from pixels.models import Pixel
from tests.browser.chromium import PATIENCE_MS
from tests.browser.two_origins import VISITOR, Gateway, running, serve_folder, serve_gateway, wait_until
from tests.factories import PixelFactory
from tests.instance import Instance

CLICK = "IwAR2F4-dbP0l7Mn1IawQQGCINEz7PYXQvwjNwB"
PAGE = """<!doctype html><title>Shoes</title>
<script src="pixel-stand-in.js"></script>
<script>
  const pixel = pixelStandIn(GATEWAY, PIXEL, {waits: [50, 50]});
  const viewed = pixel.track("PageView");
</script>"""
#: A page without an event of its own.
QUIET = PAGE.replace('const viewed = pixel.track("PageView");', "")

Open = Callable[..., Page]


@pytest.fixture
def pixel(sandbox: Sandbox) -> Pixel:
    return PixelFactory.create()


@pytest.fixture
def gateway(pixel: Pixel) -> Iterator[Gateway]:
    with serve_gateway() as gateway:
        yield gateway


@contextmanager
def serve_shop(folder: Path, gateway: Gateway, pixel: Pixel) -> Iterator[str]:
    """The shop's website, which the pixel is on."""
    shutil.copy(settings.ROOT / "static" / "js" / "pixel-stand-in.js", folder)
    for name, html in (("index.html", PAGE), ("quiet.html", QUIET), ("blank.html", "<!doctype html><title>x</title>")):
        text = html.replace("GATEWAY", json.dumps(gateway.url)).replace("PIXEL", json.dumps(pixel.pixel_id))
        (folder / name).write_text(text)
    with serve_folder(folder) as url:
        yield url


@pytest.fixture
def shop(tmp_path: Path, gateway: Gateway, pixel: Pixel) -> Iterator[str]:
    with serve_shop(tmp_path, gateway, pixel) as url:
        yield url


@pytest.fixture
def visitor(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context()
    context.set_default_timeout(PATIENCE_MS)
    yield context
    context.close()


@pytest.fixture
def visit(visitor: BrowserContext, shop: str) -> Open:
    """Opens a page of the shop."""

    def open_page(path: str = "/") -> Page:
        page = visitor.new_page()
        page.goto(f"{shop}{path}")
        return page

    return open_page


def cookies(visitor: BrowserContext) -> dict[str, str]:
    return {cookie["name"]: cookie["value"] for cookie in visitor.cookies()}


def at_meta(pixel: Pixel, sandbox: Sandbox) -> list[dict[str, Any]]:
    drain(pixel.pk)
    return sandbox.received


def test_a_first_visit_reaches_meta(
    visit: Open, visitor: BrowserContext, shop: str, pixel: Pixel, sandbox: Sandbox
) -> None:
    page = visit("/?colour=red")
    answer = page.evaluate("viewed")
    assert OutboxRow.objects.get().road == Road.BROWSER

    (event,) = at_meta(pixel, sandbox)
    assert answer == {"status": 200, "message": "", "attempts": 1}
    assert (event["event_name"], event["action_source"]) == ("PageView", "website")
    assert event["event_source_url"] == f"{shop}/?colour=red"
    assert event["user_data"] == {
        "client_ip_address": VISITOR,
        "client_user_agent": page.evaluate("navigator.userAgent"),
        "fbp": cookies(visitor)["_fbp"],
    }


def test_the_click_on_an_advertisement_goes_with_the_visitor(
    visit: Open, visitor: BrowserContext, pixel: Pixel, sandbox: Sandbox
) -> None:
    for path in (f"/?fbclid={CLICK}", "/"):
        visit(path).evaluate("viewed")

    first, second = (event["user_data"] for event in at_meta(pixel, sandbox))
    assert first["fbc"].endswith(f".{CLICK}")
    assert (second["fbc"], second["fbp"]) == (first["fbc"], first["fbp"])
    assert second["fbc"] == cookies(visitor)["_fbc"]


def test_a_purchase_has_what_the_page_says_of_it(visit: Open, pixel: Pixel, sandbox: Sandbox) -> None:
    data = {"value": "19,99", "currency": "EUR", "content_ids": "SKU-1"}
    visit("/quiet.html").evaluate("data => pixel.track('Purchase', data, {eventID: 'order-1'})", data)

    (event,) = at_meta(pixel, sandbox)
    assert (event["event_name"], event["event_id"]) == ("Purchase", "order-1")
    assert event["custom_data"] == {"value": 19.99, "currency": "EUR", "content_ids": ["SKU-1"]}


def test_what_is_under_way_when_the_visitor_leaves_goes_as_a_beacon(
    visit: Open, gateway: Gateway, shop: str, pixel: Pixel, sandbox: Sandbox
) -> None:
    gateway.stalls = 1
    page = visit("/quiet.html")
    page.evaluate("void pixel.track('Lead', {}, {eventID: 'lead-1'})")
    wait_until(lambda: len(gateway.asked) == 1)

    page.goto(f"{shop}/blank.html")
    wait_until(OutboxRow.objects.exists)

    assert [event["event_id"] for event in at_meta(pixel, sandbox)] == ["lead-1"]
    assert gateway.asked == [("POST", shop)] * 2


@pytest.mark.parametrize("is_readable", [True, False])
def test_what_is_sent_again_after_a_lost_answer_counts_once_at_meta(
    visit: Open, gateway: Gateway, pixel: Pixel, sandbox: Sandbox, is_readable: bool
) -> None:
    """The gateway has stored the event, and the browser gets 503, which the page may read or not."""
    gateway.loses = [is_readable]
    order = visit("/quiet.html").evaluate("pixel.track('Purchase', {value: 1, currency: 'EUR'}, {eventID: 'order-1'})")

    assert order == {"status": 200, "message": "", "attempts": 2}
    assert OutboxRow.objects.count() == 2
    assert len(at_meta(pixel, sandbox)) == 1
    assert sandbox.duplicates == 1


def test_the_browser_asks_nobody_before_it_posts(visit: Open, gateway: Gateway, shop: str) -> None:
    visit().evaluate("viewed")

    assert gateway.asked == [("POST", shop)]


@pytest.mark.parametrize("missing", ["Access-Control-Allow-Origin", "Access-Control-Allow-Credentials"])
def test_no_page_reads_an_answer_that_does_not_let_it(visit: Open, gateway: Gateway, missing: str) -> None:
    """So the browser enforces what the gateway's headers allow: with credentials, both are needed."""
    gateway.without = {missing}

    assert visit().evaluate("viewed") == {"status": 0, "message": "", "attempts": 3}


def test_a_frame_without_an_origin_sends_too(visit: Open, gateway: Gateway, pixel: Pixel) -> None:
    script = """body => new Promise((done) => {
        const frame = document.createElement("iframe");
        frame.sandbox = "allow-scripts";
        frame.srcdoc = `<script>fetch("ADDRESS", {method: "POST", credentials: "include", body: BODY})
            .then((answer) => parent.postMessage(answer.status, "*"), () => parent.postMessage(0, "*"))<` + "/script>";
        addEventListener("message", ({data}) => done(data));
        document.body.append(frame);
    })"""
    body = {"event_name": "PageView", "fb.pixel_id": pixel.pixel_id, "website_context": {"location": "about:srcdoc"}}
    script = script.replace("ADDRESS", f"{gateway.url}/events?cee=no").replace("BODY", repr(json.dumps(body)))

    assert visit("/quiet.html").evaluate(script) == 200
    assert gateway.asked == [("POST", "null")]
    assert OutboxRow.objects.count() == 1


def test_a_website_that_is_not_listed_learns_nothing_and_reaches_nobody(
    visit: Open, pixel: Pixel, sandbox: Sandbox
) -> None:
    Pixel.objects.update(browser_websites=["example.org"])

    assert visit().evaluate("viewed.then(({status}) => status)") == 200
    findings._findings.flush()
    assert not OutboxRow.objects.exists()
    assert Finding.objects.get().reason == "website_not_listed"


def test_a_body_that_is_no_event_is_refused_once(visit: Open, pixel: Pixel) -> None:
    answer = visit("/quiet.html").evaluate("pixel.track('x'.repeat(51))")

    assert (answer["status"], answer["attempts"]) == (400, 1)
    assert "event_name" in json.loads(answer["message"])["error"]["message"]


@pytest.mark.slow
def test_the_whole_way_leads_through_a_real_server_and_a_real_worker(
    visitor: BrowserContext, tmp_path: Path, pixel: Pixel, sandbox: Sandbox
) -> None:
    website = tmp_path / "website"
    website.mkdir()
    with (
        Instance(tmp_path, settings.GRAPH_API_URL, TRUSTED_PROXIES="127.0.0.1") as instance,
        serve_gateway(running(instance.url)) as gateway,
        serve_shop(website, gateway, pixel) as url,
    ):
        instance.start_web()
        instance.start_worker()
        page = visitor.new_page()
        page.goto(f"{url}/?fbclid={CLICK}")
        assert page.evaluate("viewed.then(({status}) => status)") == 200
        # Nobody waits for this one's answer.
        page.evaluate("void pixel.track('Lead', {}, {eventID: 'lead-1'})")
        page.goto(f"{url}/blank.html")

        wait_until(lambda: len(sandbox.received) == 2, seconds=40)

    view, lead = sorted(sandbox.received, key=lambda event: str(event["event_name"]), reverse=True)
    assert (view["event_name"], lead["event_id"]) == ("PageView", "lead-1")
    for event in (view, lead):
        assert event["event_source_url"] == f"{url}/?fbclid={CLICK}"
        assert event["user_data"] == {
            "client_ip_address": VISITOR,
            "client_user_agent": page.evaluate("navigator.userAgent"),
            "fbp": cookies(visitor)["_fbp"],
            "fbc": cookies(visitor)["_fbc"],
        }

"""A mirror on a shop's page, in Chromium: what the page tells the Meta Pixel reaches the gateway under the same ids."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page
from pytest_django import Settings

from events.delivery.publishing import drain
from events.models import OutboxRow, Registration
from events.sandbox import Sandbox
from events.script.files import built
from pixels.models import Pixel
from tests.browser.chromium import PATIENCE_MS
from tests.browser.two_origins import VISITOR, Gateway, serve_folder, serve_gateway, wait_until
from tests.factories import DomainFilterFactory, EventFilterFactory, PixelFactory

CLICK = "IwAR2F4-dbP0l7Mn1IawQQGCINEz7PYXQvwjNwB"
#: Meta's base code, with our own file in the place of theirs.
BASE_CODE = """<script>
!function(f,b,e,v,n,t,s){if(f.fbq)return;n=f.fbq=function(){n.callMethod?
n.callMethod.apply(n,arguments):n.queue.push(arguments)};if(!f._fbq)f._fbq=n;
n.push=n;n.loaded=!0;n.version='2.0';n.queue=[];t=b.createElement(e);t.async=!0;
t.src=v;s=b.getElementsByTagName(e)[0];s.parentNode.insertBefore(t,s)}(window,document,'script','/fbevents.js');
fbq('init', 'PIXEL', {em: ' Ada@Example.com ', fn: 'Ada'});
fbq('track', 'PageView');
</script>"""
#: Takes over from the base code as Meta's does, and notes what it is told.
FBEVENTS = """
window.told = [];
fbq.callMethod = function () { told.push([].slice.call(arguments)); };
while (fbq.queue.length) fbq.callMethod.apply(fbq, fbq.queue.shift());
"""
LINES = """<script>LINE</script>
<script async src="GATEWAY/sdk/PIXEL/events.js"></script>"""
PAGES = {
    "index.html": f"{BASE_CODE}{LINES}",
    "above.html": f"{LINES}{BASE_CODE}",
    "late.html": f"{BASE_CODE}{LINES.replace('async src', 'data-later')}",
    "alone.html": f"{BASE_CODE}<script async src='GATEWAY/sdk/PIXEL/events.js'></script>",
    "without.html": LINES,
    "blank.html": "",
    "fbevents.js": FBEVENTS,
}

Open = Callable[..., Page]


@pytest.fixture
def pixel(sandbox: Sandbox) -> Pixel:
    return PixelFactory.create()


@pytest.fixture
def gateway(pixel: Pixel, settings: Settings) -> Iterator[Gateway]:
    with serve_gateway() as gateway:
        settings.BASE_URL = gateway.url
        yield gateway


@pytest.fixture
def shop(tmp_path: Path, gateway: Gateway, pixel: Pixel) -> Iterator[str]:
    for name, text in PAGES.items():
        html = f"<!doctype html><title>Shoes</title>{text}" if name.endswith("html") else text
        html = html.replace("LINE", built("cbq-line.js")).replace("GATEWAY", gateway.url)
        (tmp_path / name).write_text(html.replace("PIXEL", pixel.pixel_id))
    with serve_folder(tmp_path) as url:
        yield url


@pytest.fixture
def visitor(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context()
    context.set_default_timeout(PATIENCE_MS)
    errors: list[str] = []
    context.on("weberror", lambda error: errors.append(str(error.error)))
    yield context
    context.close()
    assert errors == []


@pytest.fixture
def visit(visitor: BrowserContext, shop: str) -> Open:
    """Opens a page of the shop, and waits until the script has begun."""

    def open_page(path: str = "/index.html", *, waits: bool = True) -> Page:
        page = visitor.new_page()
        page.goto(f"{shop}{path}", wait_until="domcontentloaded")
        if waits:
            page.wait_for_function("window.cbq?.initialized && window.told?.length")
        return page

    return open_page


def told(page: Page) -> list[list[Any]]:
    """What the Meta Pixel was called with."""
    found: list[list[Any]] = page.evaluate("told")
    return found


def arrived(count: int) -> None:
    wait_until(lambda: OutboxRow.objects.count() == count)


def at_meta(pixel: Pixel, sandbox: Sandbox) -> list[dict[str, Any]]:
    drain(pixel.pk)
    return sandbox.received


@pytest.mark.parametrize("path", ["/index.html", "/above.html"])
def test_an_event_reaches_meta_on_both_roads_under_one_id(
    visit: Open, visitor: BrowserContext, shop: str, pixel: Pixel, sandbox: Sandbox, path: str
) -> None:
    page = visit(f"{path}?fbclid={CLICK}")
    arrived(1)

    (event,) = at_meta(pixel, sandbox)
    cookies = {cookie["name"]: cookie["value"] for cookie in visitor.cookies()}
    assert told(page)[1] == ["track", "PageView", {}, {"eventID": event["event_id"]}]
    assert event["event_name"] == "PageView"
    assert event["event_source_url"] == f"{shop}{path}?fbclid={CLICK}"
    assert cookies["_fbc"].endswith(f".{CLICK}")
    assert event["user_data"] == {
        "client_ip_address": VISITOR,
        "client_user_agent": page.evaluate("navigator.userAgent"),
        "fbp": cookies["_fbp"],
        "fbc": cookies["_fbc"],
        "em": sha256(b"ada@example.com").hexdigest(),
        "fn": sha256(b"ada").hexdigest(),
    }


def test_the_pages_own_id_stays(visit: Open, pixel: Pixel, sandbox: Sandbox) -> None:
    page = visit()
    page.evaluate("fbq('track', 'Purchase', {value: 12, currency: 'EUR'}, {eventID: 'order-1'})")
    arrived(2)

    purchase = at_meta(pixel, sandbox)[-1]
    assert told(page)[-1] == ["track", "Purchase", {"value": 12, "currency": "EUR"}, {"eventID": "order-1"}]
    assert (purchase["event_id"], purchase["custom_data"]) == ("order-1", {"value": 12, "currency": "EUR"})


def test_the_script_without_the_line_hears_what_comes_after_it(visit: Open, pixel: Pixel, sandbox: Sandbox) -> None:
    page = visit("/alone.html")
    page.evaluate("fbq('init', PIXEL); fbq('track', 'Lead')".replace("PIXEL", f"'{pixel.pixel_id}'"))
    wait_until(OutboxRow.objects.exists)

    assert "Lead" in {event["event_name"] for event in at_meta(pixel, sandbox)}


def test_an_event_for_another_pixel_is_not_mirrored(visit: Open, pixel: Pixel, sandbox: Sandbox) -> None:
    page = visit()
    page.evaluate(
        "fbq('trackSingle', '4711', 'Lead'); fbq('trackSingleCustom', PIXEL, 'Mine')".replace(
            "PIXEL", f"'{pixel.pixel_id}'"
        )
    )
    arrived(2)

    # Each has a request of its own: they may overtake each other.
    assert sorted(event["event_name"] for event in at_meta(pixel, sandbox)) == ["Mine", "PageView"]


def test_nothing_is_sent_before_the_visitor_agrees(visit: Open, visitor: BrowserContext, gateway: Gateway) -> None:
    page = visit()
    arrived(1)
    page.evaluate("fbq('consent', 'revoke'); fbq('track', 'Lead', {}, {eventID: 'lead-1'})")
    page.wait_for_timeout(300)
    assert OutboxRow.objects.count() == 1

    page.evaluate("fbq('consent', 'grant')")
    arrived(2)


def test_who_agrees_to_nothing_has_no_cookies(visit: Open, visitor: BrowserContext, shop: str) -> None:
    page = visit("/without.html", waits=False)
    page.evaluate("window.fbq = () => {}; fbq('consent', 'revoke'); fbq('init', '17'); fbq('track', 'PageView')")
    page.wait_for_function("window.cbq?.initialized")

    assert visitor.cookies() == []


def test_what_the_visitor_allows_goes_with_the_event(visit: Open, pixel: Pixel, sandbox: Sandbox) -> None:
    page = visit()
    page.evaluate("fbq('dataProcessingOptions', ['LDU'], 1, 1000); fbq('track', 'Lead')")
    arrived(2)

    lead = at_meta(pixel, sandbox)[-1]
    assert lead["data_processing_options"] == ["LDU"]
    assert (lead["data_processing_options_country"], lead["data_processing_options_state"]) == (1, 1000)


def test_what_is_blocked_does_not_leave_the_browser(
    visit: Open, pixel: Pixel, gateway: Gateway, sandbox: Sandbox
) -> None:
    EventFilterFactory.create(tenant=pixel.tenant, event_name="PageView")
    page = visit()
    page.evaluate("fbq('track', 'Lead')")
    arrived(1)

    assert [method for method, _ in gateway.asked] == ["GET", "POST"]


def test_neither_does_what_happens_on_a_blocked_website(visit: Open, pixel: Pixel, gateway: Gateway) -> None:
    DomainFilterFactory.create(tenant=pixel.tenant, domain="localhost")
    page = visit()
    page.evaluate("fbq('track', 'Lead')")
    page.wait_for_timeout(300)

    assert [method for method, _ in gateway.asked] == ["GET"]


def test_it_steps_back_where_the_pixel_sends_by_itself(visit: Open, pixel: Pixel, gateway: Gateway) -> None:
    Registration.objects.update(state=Registration.State.REGISTERED)
    page = visit()
    own = {"event_name": "PageView", "fb.pixel_id": pixel.pixel_id}
    page.evaluate(
        "([address, body]) => fetch(address, {method: 'POST', body})", [f"{gateway.url}/events?cee=no", json.dumps(own)]
    )
    arrived(1)
    page.evaluate("fbq('track', 'Lead')")
    page.wait_for_timeout(2_500)

    assert OutboxRow.objects.count() == 1


def test_consent_that_comes_does_not_cut_its_patience_short(visit: Open, pixel: Pixel, gateway: Gateway) -> None:
    Registration.objects.update(state=Registration.State.REGISTERED)
    page = visit()
    page.evaluate("fbq('consent', 'revoke'); fbq('consent', 'grant'); dispatchEvent(new Event('online'))")
    page.wait_for_timeout(300)
    assert not OutboxRow.objects.exists()
    own = {"event_name": "PageView", "fb.pixel_id": pixel.pixel_id}
    page.evaluate(
        "([address, body]) => fetch(address, {method: 'POST', body})", [f"{gateway.url}/events?cee=no", json.dumps(own)]
    )
    page.wait_for_timeout(2_500)

    assert OutboxRow.objects.count() == 1


def test_it_goes_on_where_meta_knows_the_gateway_and_the_pixel_sends_nothing(visit: Open, pixel: Pixel) -> None:
    Registration.objects.update(state=Registration.State.REGISTERED)
    visit()

    arrived(1)


def test_what_waits_when_the_visitor_leaves_goes_as_a_beacon(
    visit: Open, pixel: Pixel, shop: str, gateway: Gateway
) -> None:
    Registration.objects.update(state=Registration.State.REGISTERED)
    page = visit()
    page.goto(f"{shop}/blank.html")

    wait_until(lambda: OutboxRow.objects.count() == 1)


def test_what_got_no_answer_is_sent_again_under_its_id(
    visit: Open, gateway: Gateway, pixel: Pixel, sandbox: Sandbox
) -> None:
    page = visit()
    arrived(1)
    gateway.loses = [True]
    page.evaluate("fbq('track', 'Lead')")
    arrived(3)

    assert [event["event_name"] for event in at_meta(pixel, sandbox)] == ["PageView", "Lead"]
    assert sandbox.duplicates == 1


def test_offline_it_waits(visit: Open, visitor: BrowserContext) -> None:
    page = visit()
    arrived(1)
    page.clock.install(time=0)
    page.clock.pause_at(1)  # the next attempt would be after a second, and no second passes
    visitor.set_offline(True)
    with page.expect_event("requestfailed"):
        page.evaluate("fbq('track', 'Lead')")
    page.wait_for_timeout(100)
    visitor.set_offline(False)
    page.wait_for_function("navigator.onLine")
    page.clock.run_for(500)

    arrived(2)


def test_it_leaves_no_names_on_the_page_but_its_own(visit: Open) -> None:
    before = set(visit("/blank.html", waits=False).evaluate("Object.getOwnPropertyNames(window)"))
    after = set(visit().evaluate("Object.getOwnPropertyNames(window)"))

    assert after - before == {"cbq", "_cbq", "fbq", "_fbq", "told"}


WRONG_CALLS = """
    fbq(); fbq('track'); fbq('track', 17); fbq('track', {}, {}, {}); fbq('track', 'Lead', 'x', 7); fbq('init');
    fbq('consent'); fbq('track', 'Lead', (() => { const data = {}; data.itself = data; return data })());
    fbq('track', 'Lead', {get value() { throw new Error('x') }}); fbq('track', 'Lead', {value: 1n});
    cbq(); cbq('nothing'); cbq({}, [], null); cbq('init', {}); cbq('setHost', 'javascript:alert(1)');
    cbq('fbq', 7); cbq('constructor', 7); cbq('loadConfig'); cbq('dataProcessingOptions')
"""


@pytest.mark.parametrize(
    "calls",
    [
        WRONG_CALLS,
        "JSON.stringify = () => { throw new Error('x') }; fbq('track', 'Lead')",
        "window.Promise = undefined; fbq('track', 'Lead')",
        "window.fetch = () => { throw new Error('x') }; fbq('track', 'Lead')",
        "navigator.sendBeacon = undefined; fbq('track', 'Lead'); dispatchEvent(new Event('pagehide'))",
    ],
)
def test_nothing_that_a_page_does_makes_an_error(visit: Open, calls: str) -> None:
    """The visitor's browser tells of an error that leaves the script: see ``visitor``."""
    page = visit()
    said: list[ConsoleMessage] = []
    page.on("console", lambda message: said.append(message))  # noqa: PLW0108  # Playwright marks what it calls
    page.evaluate(f"() => {{ for (let i = 0; i < 3; i += 1) {{ {calls} }} }}")
    page.wait_for_timeout(50)
    page.evaluate("fbq('track', 'Last')")

    assert told(page)[-1][1] == "Last"
    assert len([message for message in said if message.text.startswith("[cbq]")]) <= 1


def test_a_gateway_that_is_not_there_harms_nothing(visit: Open, gateway: Gateway, shop: str) -> None:
    gateway.stalls = 100
    page = visit(waits=False)
    page.wait_for_function("window.told?.length")
    page.evaluate("fbq('track', 'Lead')")

    assert [call[1] for call in told(page)[1:]] == ["PageView", "Lead"]


def test_the_line_is_as_old_as_tag_managers_read() -> None:
    """Google Tag Manager takes ES5 alone."""
    line = built("cbq-line.js")

    assert not any(each in line for each in ("=>", "`", "const ", "let ", "..."))
    assert "</" not in line

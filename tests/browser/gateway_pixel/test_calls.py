"""What a page tells ``cbq``: each call goes once, with consent alone, whatever the page has done to the browser."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import BrowserContext

from events.models import Road, SourceRow
from pipelines.models import Source
from pipelines.services.header_code import header_code
from tests.base import Cast
from tests.browser.gateway_pixel.stage import (
    BEGIN,
    CALL_METHOD,
    INITIALIZED,
    PAGE_VIEW,
    Show,
    names,
    settled,
    wait_until,
)
from tests.browser.two_origins import Gateway
from tests.factories import SourceFactory


@pytest.mark.parametrize("loader", [CALL_METHOD, INITIALIZED])
def test_each_call_goes_once_behind_both_loaders(show: Show, sent: list[dict[str, Any]], loader: str) -> None:
    page = show(loader + BEGIN + PAGE_VIEW)
    page.evaluate("cbq('trackCustom', 'Fitted', {size: 42}, {eventID: 'f-1'}); cbq.push(['track', 'Lead'])")
    page.evaluate("cbq.queue.push(['track', 'Contact'])")
    settled(page)

    assert names(sent)[:2] == ["PageView", "Fitted"]
    assert names(sent).count("Contact") == 1
    assert (sent[1]["event_id"], sent[1]["custom_data"]) == ("f-1", {"size": 42})


def test_the_code_that_the_api_answers_works_as_it_is_pasted(
    show: Show, source: Source, sent: list[dict[str, Any]]
) -> None:
    page = show("", html=header_code(source.tenant, source))

    wait_until(page, lambda: names(sent) == ["PageView"])


def test_the_page_gets_no_global_but_two(show: Show, sent: list[dict[str, Any]]) -> None:
    page = show(
        "window.before = Object.getOwnPropertyNames(window);" + INITIALIZED + BEGIN + PAGE_VIEW,
    )
    wait_until(page, lambda: names(sent) == ["PageView"])

    known = "[...before, 'before', 'told', 'fbq', '_fbq']"
    added = page.evaluate(f"Object.getOwnPropertyNames(window).filter(name => !{known}.includes(name))")
    assert set(added) <= {"cbq", "_cbq"}


def test_the_gateway_keeps_the_event_for_the_sources_pipelines(show: Show, source: Source) -> None:
    page = show()
    wait_until(page, SourceRow.objects.exists)

    row = SourceRow.objects.get()
    assert (row.source_id, row.road) == (source.pk, Road.BROWSER)


def test_an_event_has_what_the_gateway_needs(
    show: Show, visitor: BrowserContext, source: Source, sent: list[dict[str, Any]]
) -> None:
    page = show(search="?fbclid=abc")
    page.evaluate("cbq('track', 'Purchase', {value: 12, currency: 'EUR'}, {eventID: 'order-1'})")
    wait_until(page, lambda: len(sent) == 2)

    cookies = {cookie["name"]: cookie["value"] for cookie in visitor.cookies()}
    assert sent[1] == {
        "event_name": "Purchase",
        "event_id": "order-1",
        "fb.pixel_id": source.source_id,
        "fb.fbp": cookies["_fbp"],
        "fb.fbc": cookies["_fbc"],
        "fb.advanced_matching": {},
        "custom_data": {"value": 12, "currency": "EUR"},
        "conversion_value": {"value": 12, "currency": "EUR"},
        "website_context": {"location": page.url, "referrer": "", "isInIFrame": False},
    }


def test_the_page_names_the_id_where_the_scripts_address_does_not(show: Show, sent: list[dict[str, Any]]) -> None:
    page = show(CALL_METHOD + "cbq('loadConfig', 'SOURCE');" + BEGIN + PAGE_VIEW, address="sdk/events.js")
    wait_until(page, lambda: names(sent) == ["PageView"])

    assert page.evaluate("document.querySelectorAll('script[src]').length") == 2


def test_a_page_may_have_two(show: Show, cast: Cast, sent: list[dict[str, Any]]) -> None:
    SourceFactory.create(tenant=cast.shoes, source_id="22")
    page = show(CALL_METHOD + BEGIN + "cbq('init', 22);" + PAGE_VIEW)
    page.evaluate("cbq('trackSingle', '22', 'Lead'); cbq('trackSingleCustom', 22, 'Fitted')")
    wait_until(page, lambda: len(sent) == 4)

    views = [body for body in sent if body["event_name"] == "PageView"]
    assert {body["fb.pixel_id"] for body in views} == {"22", "1234567890123456789"}
    assert len({body["event_id"] for body in views}) == 1
    assert {body["fb.pixel_id"] for body in sent if body not in views} == {"22"}


def test_what_comes_before_init_waits_for_it(show: Show, sent: list[dict[str, Any]]) -> None:
    page = show(CALL_METHOD + "cbq('track', 'Lead');")
    settled(page)
    assert sent == []
    page.evaluate("cbq('init', '1234567890123456789')")

    wait_until(page, lambda: names(sent) == ["Lead"])


def test_without_consent_nothing_is_sent_and_no_cookie_set(
    show: Show, visitor: BrowserContext, sent: list[dict[str, Any]]
) -> None:
    page = show(CALL_METHOD + "cbq('consent', 'revoke');" + BEGIN + PAGE_VIEW)
    settled(page)
    assert (sent, visitor.cookies()) == ([], [])
    page.evaluate("cbq('consent', 'grant')")
    wait_until(page, lambda: names(sent) == ["PageView"])
    page.evaluate("cbq('consent', 'revoke'); cbq('track', 'Lead')")
    settled(page)

    assert names(sent) == ["PageView"]


def test_what_got_no_answer_waits_for_consent_too(show: Show, gateway: Gateway, sent: list[dict[str, Any]]) -> None:
    page = show(CALL_METHOD + BEGIN)
    gateway.loses = [True]
    page.evaluate("cbq('track', 'PageView'); cbq('consent', 'revoke')")
    page.wait_for_timeout(1_500)  # the next attempt would be after a second
    page.evaluate("dispatchEvent(new Event('online')); dispatchEvent(new Event('pagehide'))")
    settled(page)
    assert names(sent) == ["PageView"]
    page.evaluate("cbq('consent', 'grant')")
    wait_until(page, lambda: len(sent) == 2)

    assert sent[0]["event_id"] == sent[1]["event_id"]


def test_an_event_for_one_id_waits_for_that_ones_init(show: Show, cast: Cast, sent: list[dict[str, Any]]) -> None:
    SourceFactory.create(tenant=cast.shoes, source_id="22")
    page = show(CALL_METHOD + "cbq('trackSingle', '22', 'Lead');" + BEGIN + "cbq('trackSingle', '22', 'Contact');")
    settled(page)
    assert sent == []
    page.evaluate("cbq('init', '22')")
    wait_until(page, lambda: names(sent) == ["Lead", "Contact"])

    assert {body["fb.pixel_id"] for body in sent} == {"22"}


def test_an_event_that_is_too_large_is_not_tried_for_ever(show: Show, sent: list[dict[str, Any]]) -> None:
    """Counted are bytes, of which letters may have several."""
    page = show(CALL_METHOD + BEGIN)
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.evaluate("cbq('track', 'Lead', {text: '€'.repeat(30_000)}); cbq('track', 'Contact')")
    wait_until(page, lambda: names(sent) == ["Contact"])

    assert len(said) == 1


@pytest.mark.parametrize(
    "harm",
    [
        "JSON.stringify = () => { throw new Error('x') }",
        "JSON.parse = undefined",
        "window.fetch = () => { throw new Error('x') }",
        "window.fetch = () => undefined",
        "window.fetch = () => Promise.resolve({})",
        "navigator.sendBeacon = undefined; window.fetch = () => Promise.reject()",
        "window.Blob = undefined",
        "Object.defineProperty(document, 'cookie', {get() { throw new Error('x') }, set() { throw new Error('x') }})",
        "Object.freeze(history); Object.freeze(History.prototype)",
        "const its = Promise; window.Promise = undefined; addEventListener('load', () => { window.Promise = its })",
        "Promise.all = Promise.prototype.then = Promise.prototype.catch = () => { throw new Error('x') }",
        "window.URL = window.URLSearchParams = undefined",
        "window.TextEncoder = window.Proxy = undefined",
        "Object.defineProperty(window, 'localStorage', {get() { throw new Error('x') }})",
        "window.PerformanceObserver = undefined; console.warn = () => { throw new Error('x') }",
    ],
)
def test_nothing_that_a_page_redefines_makes_an_error(show: Show, harm: str) -> None:
    """The visitor's browser tells of an error that leaves the script: see ``visitor``."""
    said: list[str] = []
    page = show(f"{harm};" + CALL_METHOD + BEGIN + PAGE_VIEW)
    page.on("console", lambda message: said.append(message.text))
    page.evaluate(
        """cbq('nothing'); cbq('init', SOURCE, {get em() { throw new Error('x') }}); cbq('track', 'Lead');
        history.pushState({}, '', '/next'); dispatchEvent(new Event('pagehide')); cbq('init', '404')""".replace(
            "SOURCE", "7"
        )
    )
    settled(page)

    assert len([text for text in said if text.startswith("[cbq]")]) <= 1


#: What is no command, event, id or datum.
ODD = """[undefined, null, 0, -1, NaN, 1n, '', ' ', true, [], {}, Symbol('x'), () => { throw new Error('x') },
    new Date(NaN), document, window, Object.create(null), '\\ud800', 'x'.repeat(1e6),
    new Proxy({}, {get() { throw new Error('x') }})]"""


def test_odd_values_in_any_place_make_no_error_and_what_follows_goes(show: Show, sent: list[dict[str, Any]]) -> None:
    page = show(CALL_METHOD + BEGIN)
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type == "warning" else None)
    page.evaluate(
        f"""const round = {{}}; round.round = round;
        const commands = ['init', 'track', 'trackCustom', 'trackSingle', 'trackSingleCustom', 'consent', 'setHost',
            'dataProcessingOptions', 'set', 'loadConfig', 'fbq'];
        for (const odd of [...{ODD}, round]) {{
            cbq(odd); cbq.push(odd); cbq.queue.push(odd);
            for (const command of commands) {{ cbq(command, odd); cbq(command, odd, odd, odd, odd) }}
        }}
        cbq('track', 'Contact', {{}}, {{eventID: 'last'}})"""
    )
    wait_until(page, lambda: "last" in [body.get("event_id") for body in sent])

    assert len([text for text in said if text.startswith("[cbq]")]) == 1


def test_an_id_that_is_not_there_is_told_once(show: Show, sent: list[dict[str, Any]]) -> None:
    page = show(CALL_METHOD + BEGIN)
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.evaluate("cbq('init', '404'); cbq('init', '405'); cbq('track', 'Lead')")
    wait_until(page, lambda: names(sent) == ["Lead"])
    settled(page)

    assert len([text for text in said if text.startswith("[cbq]")]) == 1


def test_a_beacon_that_cannot_go_is_no_error_and_the_event_goes_on(
    show: Show, gateway: Gateway, sent: list[dict[str, Any]]
) -> None:
    page = show(CALL_METHOD + BEGIN)
    gateway.loses = [True]
    page.evaluate("navigator.sendBeacon = undefined; cbq('track', 'Lead')")
    settled(page)
    page.evaluate("dispatchEvent(new Event('pagehide'))")
    wait_until(page, lambda: len(sent) == 2)

    assert len({body["event_id"] for body in sent}) == 1


def test_offline_it_waits(show: Show, visitor: BrowserContext, sent: list[dict[str, Any]]) -> None:
    page = show()
    wait_until(page, SourceRow.objects.exists)
    visitor.set_offline(True)
    page.evaluate("cbq('track', 'Lead')")
    settled(page)
    assert SourceRow.objects.count() == 1
    visitor.set_offline(False)
    wait_until(page, lambda: SourceRow.objects.count() == 2)

    assert len({body["event_id"] for body in sent if body["event_name"] == "Lead"}) == 1


def test_what_happens_as_the_visitor_leaves_arrives(show: Show, visitor: BrowserContext) -> None:
    page = show(CALL_METHOD + BEGIN)
    page.evaluate("addEventListener('pagehide', () => cbq('track', 'Left'))")
    page.goto("about:blank")

    wait_until(page, SourceRow.objects.exists)


def test_who_returns_is_the_same_browser(show: Show, sent: list[dict[str, Any]]) -> None:
    show(search="?fbclid=abc")
    page = show()
    wait_until(page, lambda: len(sent) == 2)

    first, second = ({name: body[name] for name in ("fb.fbp", "fb.fbc")} for body in sent)
    assert first == second


def test_what_the_visitor_allows_goes_with_the_event(show: Show, sent: list[dict[str, Any]]) -> None:
    page = show(CALL_METHOD + BEGIN + "cbq('dataProcessingOptions', ['LDU'], 1, 1000);" + PAGE_VIEW)
    wait_until(page, lambda: len(sent) == 1)

    assert sent[0]["data_processing_options"] == ["LDU"]
    assert sent[0]["data_processing_options_state"] == 1000


def test_no_command_that_plugins_send_is_a_fault(show: Show, sent: list[dict[str, Any]]) -> None:
    page = show()
    said: list[str] = []
    # What is an error there is the browser's, which looks for the page's icon in its own time.
    page.on("console", lambda message: said.append(message.text) if message.type == "warning" else None)
    page.evaluate("cbq('set', 'integrationMethod', 'shopify')")
    page.wait_for_timeout(50)

    assert said == []


#: The calls that public templates of Google Tag Manager make, in their order: the script's element comes last.
TAG = """window.cbq = function () { var call = window.cbq.callMethod;
    call ? call.apply.call(call, null, arguments) : window.cbq.queue.push(arguments) };
window._cbq = window.cbq; window.cbq.queue = []; cbq('consent', 'CONSENT'); cbq('setHost', 'GATEWAY');
cbq('init', 'SOURCE'); cbq('set', 'integrationMethod', 'a-template'); cbq('loadConfig', 'SOURCE');
cbq('trackSingle', 'SOURCE', 'Lead', {value: 1}, {eventID: 'tag-1'});
document.head.append(Object.assign(document.createElement('script'), {src: 'GATEWAY/SOURCE/events.js'}));"""


def test_it_works_as_tag_managers_load_it(show: Show, sent: list[dict[str, Any]]) -> None:
    page = show(TAG.replace("CONSENT", "grant"))
    wait_until(page, lambda: len(sent) == 1)

    assert (sent[0]["event_name"], sent[0]["event_id"]) == ("Lead", "tag-1")


def test_a_tag_without_consent_sends_when_it_is_given(show: Show, sent: list[dict[str, Any]]) -> None:
    page = show(TAG.replace("CONSENT", "revoke"))
    settled(page)
    assert sent == []
    page.evaluate("cbq('consent', 'grant')")

    wait_until(page, lambda: names(sent) == ["Lead"])


# --- Pages -----------------------------------------------------------------------------------------------------------


def test_a_new_address_is_a_page(show: Show, sent: list[dict[str, Any]]) -> None:
    page = show()
    first = page.url
    page.evaluate("history.pushState({}, '', '/shoes/42'); history.replaceState({}, '', '/shoes/42?seen')")
    wait_until(page, lambda: names(sent) == ["PageView", "PageView"])
    page.go_back()
    wait_until(page, lambda: len(sent) == 3)

    assert sent[1]["website_context"]["location"].endswith("/shoes/42")
    assert sent[1]["website_context"]["referrer"] == first
    assert len({body["event_id"] for body in sent}) == 3


def test_unless_the_page_tells_them_itself(show: Show, sent: list[dict[str, Any]]) -> None:
    page = show()
    page.evaluate("cbq.disablePushState = true; history.pushState({}, '', '/shoes/42')")
    settled(page)

    assert names(sent) == ["PageView"]

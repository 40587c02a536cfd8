"""What goes of people, what the advertiser's filter does, and where the pixel works besides."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import pytest
from playwright.sync_api import BrowserContext

from pipelines.models import Source
from tests.base import Cast
from tests.browser.gateway_pixel.stage import (
    BEGIN,
    CALL_METHOD,
    FBQ,
    PAGE_VIEW,
    Show,
    names,
    settled,
    wait_until,
)
from tests.browser.two_origins import Gateway
from tests.factories import SourceFactory

FORM = """<form onsubmit="return false"><input type="email" name="mail"><input name="first_name"><input name="city">
<input type="password" name="email_password"><input name="card_number"><button>Go</button></form>"""


def test_forms_are_read_where_that_is_on_and_hashed_where_that_is(
    show: Show, source: Source, sent: list[dict[str, Any]]
) -> None:
    Source.objects.update(enable_aam=True, aam_fields=["em", "fn"], hash_contact_data=True)
    page = show(html=FORM)
    for field, text in (("mail", " Ada@Example.com"), ("first_name", "Ada"), ("city", "Ulm"), ("card_number", "4111")):
        page.locator(f"[name={field}]").fill(text)
    page.locator("[name=email_password]").fill("secret@example.com")
    page.get_by_role("button").click()
    page.evaluate("cbq('track', 'Lead')")
    wait_until(page, lambda: len(sent) == 2)

    assert sent[1]["fb.advanced_matching"] == {
        "em": sha256(b"ada@example.com").hexdigest(),
        "fn": sha256(b"ada").hexdigest(),
    }


def test_no_form_is_read_unless_that_is_on(show: Show, sent: list[dict[str, Any]]) -> None:
    page = show(html=FORM)
    page.locator("[name=mail]").fill("ada@example.com")
    page.get_by_role("button").click()
    page.evaluate("cbq('track', 'Lead')")
    wait_until(page, lambda: len(sent) == 2)

    assert sent[1]["fb.advanced_matching"] == {}


def test_what_the_page_says_of_a_person_goes_as_it_is_unless_it_is_hashed(
    show: Show, sent: list[dict[str, Any]]
) -> None:
    page = show(
        CALL_METHOD + "cbq('init', 'SOURCE', {em: 'ada@example.com', external_id: 7, country: 'Spain'});" + PAGE_VIEW
    )
    wait_until(page, lambda: len(sent) == 1)

    assert sent[0]["fb.advanced_matching"] == {"em": "ada@example.com", "external_id": "7", "country": "Spain"}


def test_what_cannot_be_hashed_for_certain_stays_here(show: Show, sent: list[dict[str, Any]]) -> None:
    Source.objects.update(hash_contact_data=True)
    people = "{em: 'nobody', country: 'Spain', ph: '+49 (30) 123456', db: '1815-12-10', ge: 'Female', zp: '94025-1234'}"
    page = show(CALL_METHOD + f"cbq('init', 'SOURCE', {people});" + PAGE_VIEW)
    wait_until(page, lambda: len(sent) == 1)

    texts = {"ph": "4930123456", "ge": "f", "zp": "94025"}
    assert sent[0]["fb.advanced_matching"] == {
        field: sha256(text.encode()).hexdigest() for field, text in texts.items()
    }


def test_no_cookie_is_made_where_that_is_off(show: Show, visitor: BrowserContext, sent: list[dict[str, Any]]) -> None:
    Source.objects.update(first_party_cookie=False)
    page = show()
    wait_until(page, lambda: len(sent) == 1)

    assert visitor.cookies() == []
    assert "fb.fbp" not in sent[0]


# --- Beside the Meta Pixel -------------------------------------------------------------------------------------------


def test_calls_of_fbq_come_too_under_one_id(show: Show, sent: list[dict[str, Any]]) -> None:
    Source.objects.update(fork_meta_pixel=True)
    page = show(FBQ + "fbq('init', '17'); fbq('track', 'PageView');" + CALL_METHOD + BEGIN + PAGE_VIEW)
    page.evaluate("fbq('track', 'Purchase', {value: 1}); fbq('trackSingle', '17', 'Lead', {}, {eventID: 'lead-1'})")
    settled(page)

    told = {call[-3] if call[0] == "track" else call[2]: call[-1]["eventID"] for call in page.evaluate("told")[1:]}
    assert names(sent) == ["PageView", "Purchase", "Lead"]
    assert {body["event_name"]: body["event_id"] for body in sent}["Lead"] == "lead-1"
    assert told["Purchase"] == sent[1]["event_id"]


def test_unless_that_is_off(show: Show, sent: list[dict[str, Any]]) -> None:
    page = show(FBQ + "fbq('init', '17');" + CALL_METHOD + BEGIN)
    page.evaluate("fbq('track', 'Purchase', {value: 1})")
    settled(page)

    assert sent == []
    assert page.evaluate("told").pop() == ["track", "Purchase", {"value": 1}]


# --- The advertiser's filter -----------------------------------------------------------------------------------------


def test_the_advertisers_filter_drops_and_changes(show: Show, sent: list[dict[str, Any]]) -> None:
    Source.objects.update(
        custom_integrity_script="""function ({eventName, domainUrl, userData, customData}) {
            customData.seen = domainUrl.startsWith("http");
            return {shouldDrop: eventName === "Lead", updatedEventObject: {customData, eventName: "My" + eventName}};
        };"""
    )
    page = show()
    page.evaluate("cbq('track', 'Lead'); cbq('track', 'Contact')")
    wait_until(page, lambda: len(sent) == 2)

    assert names(sent) == ["MyPageView", "MyContact"]
    assert sent[0]["custom_data"] == {"seen": True}


@pytest.mark.parametrize(
    "script",
    [
        "() => { throw new Error('x') }",
        "() => 7",
        "7",
        "() => ({updatedEventObject: {customData: {a: 1n}}})",
        "event => { event.customData = null; delete event.name }",
    ],
)
def test_a_filter_that_goes_wrong_lets_the_event_pass(show: Show, sent: list[dict[str, Any]], script: str) -> None:
    Source.objects.update(custom_integrity_script=script)
    page = show()

    wait_until(page, lambda: names(sent) == ["PageView"])


def test_one_that_cannot_be_loaded_holds_nothing_up(
    show: Show, visitor: BrowserContext, sent: list[dict[str, Any]]
) -> None:
    Source.objects.update(custom_integrity_script="event => event")
    visitor.route("**/filter.js*", lambda route: route.abort())
    page = show()

    wait_until(page, lambda: names(sent) == ["PageView"])


# --- Strict surroundings ---------------------------------------------------------------------------------------------


def test_it_works_under_a_strict_policy_with_a_nonce(
    visitor: BrowserContext, show: Show, gateway: Gateway, cast: Cast, sent: list[dict[str, Any]]
) -> None:
    SourceFactory.create(tenant=cast.shoes, source_id="22")
    policy = f"default-src 'none'; script-src 'nonce-n1'; connect-src {gateway.url}"
    address = f"{gateway.url}/sdk/1234567890123456789/events.js"
    html = (
        f"""<meta http-equiv="Content-Security-Policy" content="{policy}"><script nonce="n1">"""
        "var cbq = function () { cbq.callMethod ? cbq.callMethod.apply(cbq, arguments) : cbq.queue.push(arguments) };"
        f"""cbq.queue = [];</script><script nonce="n1" src="{address}"></script><script nonce="n1">"""
        "cbq('init', '1234567890123456789'); cbq('init', '22'); cbq('track', 'PageView')</script>"
    )
    page = show("", html=html)

    wait_until(page, lambda: {body["fb.pixel_id"] for body in sent} == {"1234567890123456789", "22"})


def test_it_works_in_a_frame_without_an_origin(show: Show, gateway: Gateway, source: Source) -> None:
    """There, cookies and storage throw."""
    text = (CALL_METHOD + BEGIN + PAGE_VIEW).replace("ADDRESS", "sdk/SOURCE/events.js")
    page = show("window.cbq = {initialized: true}")
    page.evaluate(
        """(text) => { const frame = document.createElement("iframe"); frame.sandbox = "allow-scripts";
        frame.srcdoc = "<script>" + text + "<" + "/script>"; document.body.append(frame) }""",
        text.replace("GATEWAY", gateway.url).replace("SOURCE", source.source_id),
    )
    wait_until(page, lambda: gateway.posted)

    [body] = gateway.bodies
    assert body["event_name"] == "PageView"
    assert body["website_context"]["isInIFrame"] is True
    assert body["fb.fbp"].startswith("fb.")


def test_the_portals_own_pages_run_none_of_it(
    visitor: BrowserContext, portal: str, gateway: Gateway, source: Source
) -> None:
    """What advertisers write runs on their pages alone, whatever somebody smuggles into one of ours."""
    page = visitor.new_page()
    page.goto(f"{portal}/auth/login/")
    refused = page.evaluate(
        """(address) => new Promise((done) => {
            document.addEventListener("securitypolicyviolation", (event) => done(event.effectiveDirective));
            document.head.append(Object.assign(document.createElement("script"), {src: address}));
        })""",
        f"/sdk/{source.source_id}/events.js",
    )

    assert refused == "script-src-elem"

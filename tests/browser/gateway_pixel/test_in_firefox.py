"""The same script in Firefox: what visitors do there reaches the gateway, and nothing goes wrong on the pages."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from events.models import Road, SourceRow
from pipelines.models import Source
from tests.browser.firefox import MISSING, REQUIRED, Firefox, SitePage, find_firefox, running_firefox
from tests.browser.gateway_pixel.stage import BEGIN, CALL_METHOD, FBQ, INITIALIZED, PAGE_VIEW, names
from tests.browser.two_origins import Gateway, wait_until

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not find_firefox() and not REQUIRED, reason=MISSING)]

CLICK = "IwAR2F4-dbP0l7Mn1IawQQGCINEz7PYXQvwjNwB"
#: What the page does once the script is there, and a moment after what it did before.
LATER = "addEventListener('load', () => setTimeout(() => {{ {} }}, 50));"
Visit = Callable[..., list[str]]


@pytest.fixture(scope="session")
def firefox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Firefox]:
    with running_firefox(tmp_path_factory.mktemp("firefox")) as firefox:
        yield firefox


@pytest.fixture
def visit(firefox: Firefox, gateway: Gateway, source: Source) -> Visit:
    """Goes to pages of a shop, each a script with the pixel in it or a whole page; answers their addresses."""

    def go(*pages: str | SitePage) -> list[str]:
        made = [
            each if isinstance(each, SitePage) else SitePage(f"<script nonce=own>{each}</script>") for each in pages
        ]
        for page in made:
            page.html = page.html.replace("ADDRESS", f"sdk/{source.source_id}/events.js")
            page.html = page.html.replace("GATEWAY", gateway.url).replace("SOURCE", source.source_id)
        return firefox.visit(*made)

    return go


def sent(gateway: Gateway, count: int) -> list[dict[str, Any]]:
    """So many events as Firefox posted them, and no more."""
    wait_until(lambda: len(gateway.posted) >= count)
    assert len(gateway.posted) == count
    return [json.loads(body) for body in gateway.posted]


@pytest.mark.parametrize("loader", [CALL_METHOD, INITIALIZED], ids=["callMethod", "initialized"])
def test_a_first_visit_is_kept_for_the_sources_pipelines(visit: Visit, gateway: Gateway, loader: str) -> None:
    [address] = visit(loader + BEGIN + PAGE_VIEW)
    [body] = sent(gateway, 1)

    assert (body["event_name"], body["website_context"]["location"]) == ("PageView", address)
    assert body["fb.fbp"].startswith("fb.1.")
    assert "fb.fbc" not in body
    assert [row.road for row in SourceRow.objects.all()] == [Road.BROWSER]


def test_who_returns_is_the_same_browser(visit: Visit, gateway: Gateway) -> None:
    visit(CALL_METHOD + BEGIN + PAGE_VIEW, CALL_METHOD + BEGIN + PAGE_VIEW)
    first, second = sent(gateway, 2)

    assert first["fb.fbp"] == second["fb.fbp"]
    assert first["event_id"] != second["event_id"]
    assert second["website_context"]["referrer"] == first["website_context"]["location"]


def test_the_click_on_an_ad_is_known_on_later_pages(visit: Visit, gateway: Gateway) -> None:
    script = f"<script>{CALL_METHOD + BEGIN + PAGE_VIEW}</script>"
    visit(SitePage(script, address=f"/?fbclid={CLICK}"), SitePage(script))
    first, second = sent(gateway, 2)

    assert first["fb.fbc"].endswith(f".{CLICK}")
    assert second["fb.fbc"] == first["fb.fbc"]


def test_consent_that_comes_late_lets_go_what_waited_and_no_cookie_is_set_before(
    visit: Visit, gateway: Gateway
) -> None:
    late = LATER.format("cbq('track', 'Lead', {cookies: document.cookie}); cbq('consent', 'grant')")
    [address] = visit(CALL_METHOD + "cbq('consent', 'revoke');" + BEGIN + PAGE_VIEW + late)
    bodies = {body["event_name"]: body for body in sent(gateway, 2)}

    assert bodies["PageView"]["website_context"]["location"] == address
    assert bodies["Lead"]["custom_data"] == {"cookies": ""}
    assert bodies["PageView"]["fb.fbp"] == bodies["Lead"]["fb.fbp"] != ""


def test_a_new_address_without_a_new_page_is_a_page(visit: Visit, gateway: Gateway) -> None:
    steps = LATER.format("history.pushState({}, '', '/0/shoes')") + LATER.format("history.back()")
    [address] = visit(CALL_METHOD + BEGIN + PAGE_VIEW + steps)
    bodies = sent(gateway, 3)

    shoes = address + "shoes"
    contexts = [body["website_context"] for body in bodies]
    assert names(bodies) == ["PageView"] * 3
    assert sorted(context["location"] for context in contexts) == [address, address, shoes]
    assert [context["referrer"] for context in contexts if context["location"] == shoes] == [address]
    assert len({body["event_id"] for body in bodies}) == 3


@pytest.mark.parametrize("age", ["", "delete Request.prototype.keepalive;"], ids=["", "before version 133"])
def test_what_happens_as_the_visitor_goes_on_arrives(visit: Visit, gateway: Gateway, age: str) -> None:
    """On the same website: leaving for another one, Firefox ends the page within milliseconds."""
    visit(age + CALL_METHOD + BEGIN + "addEventListener('pagehide', () => cbq('track', 'Lead'))", "")
    wait_until(SourceRow.objects.exists)

    bodies = [json.loads(body) for body in gateway.posted]
    assert set(names(bodies)) == {"Lead"}
    assert len({body["event_id"] for body in bodies}) == 1


def test_what_got_no_answer_goes_once_more_as_the_visitor_goes_on(visit: Visit, gateway: Gateway) -> None:
    gateway.loses = [True]
    visit(CALL_METHOD + BEGIN + PAGE_VIEW, "")
    first, second = sent(gateway, 2)

    assert first == second


def test_whose_consent_is_revoked_is_sent_no_more(visit: Visit, gateway: Gateway) -> None:
    leaves = "addEventListener('pagehide', () => cbq('track', 'Contact'));"
    revokes = LATER.format("cbq('consent', 'revoke'); cbq('track', 'Lead')")
    visit(CALL_METHOD + BEGIN + PAGE_VIEW + revokes + leaves)

    assert names(sent(gateway, 1)) == ["PageView"]


def test_it_works_under_a_strict_policy_with_a_nonce(visit: Visit, gateway: Gateway) -> None:
    """A violation of the policy is an error of the page: see ``visit`` of ``Firefox``."""
    policy = f"default-src 'none'; img-src data:; script-src 'nonce-own'; connect-src 'self' {gateway.url}"
    loader = CALL_METHOD.replace("t.async=!0;", "t.async=!0;t.nonce='own';")
    visit(SitePage(f"<script nonce=own>{loader + BEGIN + PAGE_VIEW}</script>", policy=policy))

    assert names(sent(gateway, 1)) == ["PageView"]


def test_the_advertisers_filter_holds_there(visit: Visit, gateway: Gateway) -> None:
    Source.objects.update(custom_integrity_script="({eventName}) => ({shouldDrop: eventName === 'Lead'})")
    visit(CALL_METHOD + BEGIN + PAGE_VIEW + "cbq('track', 'Lead');")

    assert names(sent(gateway, 1)) == ["PageView"]


def test_calls_of_fbq_come_too_under_one_id(visit: Visit, gateway: Gateway) -> None:
    Source.objects.update(fork_meta_pixel=True)
    calls = "fbq('track', 'Lead', {}, {eventID: 'lead-1'});" + LATER.format(
        "fbq('track', 'Purchase', {value: 1}); cbq('trackCustom', 'Told', {told})"
    )
    visit(FBQ + "fbq('init', '17'); fbq('track', 'PageView');" + CALL_METHOD + BEGIN + PAGE_VIEW + calls)
    bodies = {body["event_name"]: body for body in sent(gateway, 4)}

    told = {call[1]: call[3]["eventID"] for call in bodies.pop("Told")["custom_data"]["told"] if call[0] == "track"}
    assert {name: body["event_id"] for name, body in bodies.items()} == told
    assert told["Lead"] == "lead-1"

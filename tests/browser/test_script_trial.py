"""The portal's own page with a source's script: its events are seen arriving, and it reaches nothing of the portal."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect
from pytest_django import Settings

from events.models import SourceRow
from pipelines.models import Source
from tests.base import Cast
from tests.browser.conftest import Open
from tests.browser.two_origins import Gateway, serve_gateway, wait_until
from tests.browser.visit import Visit
from tests.events.gateway.stage import pipeline, purchase, put
from tests.factories import SourceFactory


@pytest.fixture
def source(cast: Cast) -> Source:
    made = SourceFactory.create(tenant=cast.shoes, source_id="4711")
    pipeline(made)
    return made


@pytest.fixture
def gateway(portal: str, settings: Settings) -> Iterator[Gateway]:
    with serve_gateway() as gateway:
        settings.BASE_URL = gateway.url
        yield gateway


@pytest.fixture
def max_(visit: Open, cast: Cast, gateway: Gateway, source: Source) -> Visit:
    browser = visit(cast.max)
    browser.expect_host(gateway.url)
    browser.open("/hub/capig/pipeline/sources/4711/test/", cast.shoes)
    browser.page.get_by_role("link", name="Send from this browser").click()
    return browser


def test_an_event_is_sent_by_the_sources_script_and_seen_arriving(max_: Visit, source: Source) -> None:
    page = max_.page
    expect(page.get_by_text("The script is loaded")).to_be_visible()
    expect(page.get_by_text("Send an event by one of the buttons")).to_be_visible()
    page.get_by_role("button", name="Purchase").click()

    line = page.locator("#arrivals tbody tr")
    expect(line).to_contain_text("Purchase")
    expect(line).to_contain_text("Waiting")
    expect(line.get_by_text("Test event", exact=True)).to_be_visible()
    (row,) = SourceRow.objects.all()
    assert row.source_id == source.pk
    assert b'"event_id":"test-' in bytes(row.body)
    assert b'"value":89.9' in bytes(row.body)
    assert max_.violations() == []
    assert max_.faint_icons() == []
    assert max_.wider_than(390) == []


def test_a_websites_event_is_seen_without_a_reload(visit: Open, cast: Cast, source: Source) -> None:
    vic = visit(cast.vic)
    vic.open("/hub/capig/pipeline/sources/4711/", cast.shoes)
    vic.page.get_by_role("link", name="Test event").click()
    vic.page.get_by_label("Website").fill("https://shop.example.com/shoes?size=42")
    vic.page.get_by_role("button", name="Watch").click()
    expect(vic.page.get_by_text("Nothing has come yet")).to_be_visible()
    put(source, purchase())

    expect(vic.page.locator("#arrivals tbody tr")).to_contain_text("Purchase")
    expect(vic.page.get_by_role("link", name="Send from this browser")).to_have_count(0)  # she may only look
    assert vic.violations() == []


def test_the_advertisers_filter_holds_there_and_reaches_nothing_of_the_portal(
    max_: Visit, cast: Cast, source: Source
) -> None:
    source.custom_integrity_script = """e => {
  const tried = (what) => { try { return String(what()); } catch (error) { return error.name; } };
  return {updatedEventObject: {customData: {
    origin: self.origin, page: tried(() => parent.document.title), cookie: tried(() => document.cookie)}}};
}"""
    source.save()
    max_.open("/hub/capig/pipeline/sources/4711/test/page/", cast.shoes)
    expect(max_.page.get_by_text("The script is loaded")).to_be_visible()
    max_.page.get_by_role("button", name="Lead").click()
    wait_until(SourceRow.objects.exists)

    body = bytes(SourceRow.objects.get().body)
    assert b'"origin":"null"' in body
    assert body.count(b'"SecurityError"') == 2


def test_a_script_that_cannot_be_loaded_is_told(max_: Visit, cast: Cast) -> None:
    max_.page.context.route("**/sdk/4711/events.js", lambda route: route.abort())
    max_.open("/hub/capig/pipeline/sources/4711/test/page/", cast.shoes)

    expect(max_.page.get_by_text("Your browser cannot load the script from")).to_be_visible()
    expect(max_.page.get_by_role("button", name="Lead")).to_be_disabled()
    assert max_.violations() == []


def test_the_frame_may_load_and_ask_nothing_else(max_: Visit, cast: Cast, gateway: Gateway, portal: str) -> None:
    answer = max_.page.request.get(f"/hub/capig/pipeline/sources/4711/test/frame/?tenant={cast.shoes.pk}")
    policy = answer.headers["content-security-policy"]

    assert policy.startswith("sandbox allow-scripts; default-src 'none'; script-src ")
    assert (
        f"{gateway.url}/sdk/4711/events.js {gateway.url}/sdk/4711/filter.js; connect-src {gateway.url}/events;"
        in policy
    )
    assert "unsafe" not in policy
    assert f"frame-ancestors {portal}" in policy

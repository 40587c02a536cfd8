"""The page "Data Filter": the advertiser's code is tried in a frame of its own, which reaches nothing of the portal."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.base import Cast
from tests.browser.conftest import Open
from tests.browser.visit import Visit
from tests.factories import SourceFactory


@pytest.fixture
def max_(visit: Open, cast: Cast) -> Visit:
    SourceFactory.create(tenant=cast.shoes, source_id="4711")
    browser = visit(cast.max)
    browser.open("/hub/capig/pipeline/sources/4711/filter/", cast.shoes)
    return browser


def outcome_of(page: Page, script: str) -> str:
    page.get_by_label("Data filter").fill(script)
    page.get_by_role("button", name="Try it").click()
    expect(page.locator("#outcome")).to_be_visible(timeout=20_000)
    return page.locator("#outcome").inner_text()


def test_the_trial_tells_publish_and_drop_and_what_is_changed(max_: Visit) -> None:
    page = max_.page
    assert "does not leave the browser" in outcome_of(page, "e => ({shouldDrop: e.domainUrl.includes('checkout')})")

    page.get_by_label("Sample event").fill('{"eventName": "Lead", "domainUrl": "", "userData": {}, "customData": {}}')
    told = outcome_of(page, "e => ({updatedEventObject: {customData: {of: e.eventName}}});\n")
    assert "Publish" in told
    assert '"of": "Lead"' in told
    assert max_.violations() == []
    assert max_.wider_than(390) == []


@pytest.mark.parametrize(
    ("script", "line", "said"),
    [
        ("e => {\n\n  e.none.such;\n}", "Line 3:", "TypeError"),
        ("e => {\n  let a; let a;\n}", "Line 2:", "SyntaxError"),
    ],
    ids=["thrown", "syntax"],
)
def test_an_error_is_told_with_its_line(max_: Visit, script: str, line: str, said: str) -> None:
    told = outcome_of(max_.page, script)
    max_.complaints.clear()  # the console tells of it, too
    assert line in told
    assert said in told


def test_a_filter_that_never_ends_is_told_and_the_page_goes_on(max_: Visit) -> None:
    told = outcome_of(max_.page, "e => { for (;;); }")
    assert "has not answered within three seconds" in told
    assert "does not leave the browser" in outcome_of(max_.page, "e => ({shouldDrop: true})")


def test_the_frame_reaches_nothing_of_the_portal(max_: Visit) -> None:
    told = outcome_of(
        max_.page,
        """e => {
  const tried = (what) => { try { return String(what()); } catch (error) { return error.name; } };
  return {updatedEventObject: {customData: {
    origin: self.origin, page: tried(() => parent.document.title), cookie: tried(() => document.cookie),
    storage: tried(() => localStorage.length)}}};
}""",
    )
    assert '"origin": "null"' in told
    for what in ("page", "cookie", "storage"):
        assert f'"{what}": "SecurityError"' in told
    policy = max_.page.request.get("/hub/capig/pipeline/filter-trial/").headers["content-security-policy"]
    assert policy.startswith("sandbox allow-scripts; default-src 'none';")
    assert "connect-src" not in policy


def test_what_is_no_event_or_no_function_is_told(max_: Visit) -> None:
    assert "This is no function" in outcome_of(max_.page, "1 + 1")
    max_.page.get_by_label("Sample event").fill("[")
    assert "must be an object in JSON" in outcome_of(max_.page, "e => e")

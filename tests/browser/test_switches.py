"""The switch of an event: the page stays where it is, what was done can be undone, and no script is needed."""

from __future__ import annotations

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from filters.models import EventFilter
from tests.base import Cast
from tests.browser.conftest import Open
from tests.browser.visit import Visit
from tests.events.counted import count
from tests.factories import PixelFactory

PAGES = ["/hub/capig/", "/hub/capig/events/"]


@pytest.fixture
def max_(cast: Cast, visit: Open) -> Visit:
    count(PixelFactory.create(tenant=cast.shoes), timezone.now())
    return visit(cast.max, viewport={"width": 390, "height": 500})


@pytest.mark.parametrize("path", PAGES)
def test_a_switch_keeps_scroll_and_focus_and_can_be_undone(cast: Cast, max_: Visit, path: str) -> None:
    max_.open(path, cast.shoes)
    switch = max_.page.get_by_role("switch", name="Publish Purchase")
    switch.scroll_into_view_if_needed()
    max_.page.evaluate("window.stays = true")
    place = switch.bounding_box()

    switch.focus()
    max_.page.keyboard.press("Space")

    said = max_.page.locator("#messages").get_by_text("Purchase is blocked on all pixels.")
    expect(said).to_be_visible()
    expect(said).to_be_in_viewport()
    expect(switch).not_to_be_checked()
    expect(switch).to_be_focused()
    assert max_.page.evaluate("window.stays") is True
    assert switch.bounding_box() == place
    assert EventFilter.objects.get().state == "DROP"
    assert max_.violations() == []

    max_.page.get_by_role("button", name="Undo").click()

    expect(switch).to_be_checked()
    expect(max_.page.locator("#messages")).to_contain_text("Purchase is published on all pixels.")
    assert max_.page.evaluate("window.stays") is True
    assert EventFilter.objects.get().state == "PUBLISH"


def test_a_switch_works_without_a_script(cast: Cast, visit: Open) -> None:
    count(PixelFactory.create(tenant=cast.shoes), timezone.now())
    browser = visit(cast.max, java_script_enabled=False)
    browser.open("/hub/capig/events/", cast.shoes)
    browser.page.get_by_role("switch", name="Publish Purchase").uncheck(force=True)
    browser.page.get_by_role("button", name="Save").first.click()
    expect(browser.page.get_by_text("Purchase is blocked on all pixels.")).to_be_visible()

    browser.page.get_by_role("button", name="Undo").click()

    expect(browser.page.get_by_text("Purchase is published on all pixels.")).to_be_visible()

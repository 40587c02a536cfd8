"""The page of refusals is live: what comes is added, and a sample that is open stays open."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from playwright.sync_api import expect

from events.models import RefusedRequest
from pixels.models import Pixel
from tests.base import Cast
from tests.browser.conftest import Open
from tests.factories import PixelFactory


def refuse(pixel: Pixel, sample: str) -> None:
    told: dict[str, Any] = {"at": timezone.now(), "road": 0, "field": "event_time", "reason": "time_too_old"}
    RefusedRequest.objects.create(pixel=pixel, event_count=1, origin=0, sample=sample, **told)


def test_an_open_sample_stays_open_when_more_comes(cast: Cast, visit: Open) -> None:
    pixel = PixelFactory.create(tenant=cast.shoes)
    refuse(pixel, "the first sample")
    vic = visit(cast.vic)
    vic.open(f"/hub/capig/refused/?of={pixel.pixel_id}&tenant={cast.shoes.pk}")
    samples = vic.page.locator("#live details")
    samples.first.locator("summary").click()
    vic.page.evaluate("document.activeElement.blur()")

    refuse(pixel, "the second sample")
    expect(samples).to_have_count(2)  # it polls every 10 seconds

    expect(vic.page.get_by_text("the first sample")).to_be_visible()
    expect(vic.page.get_by_text("the second sample")).to_be_hidden()


def test_deliveries_load_how_much_was_refused(cast: Cast, visit: Open) -> None:
    vic = visit(cast.vic)
    vic.open("/hub/capig/deliveries/", cast.shoes)

    expect(vic.page.get_by_role("link", name="0 requests refused in the last 24 hours")).to_be_visible()
    assert vic.violations() == []

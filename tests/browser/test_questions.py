"""Questions before a destructive act are in sight, wherever on a page they are asked."""

from __future__ import annotations

import pytest

from pixels.models import Pixel
from tests.base import Cast
from tests.browser.conftest import Open
from tests.factories import PixelFactory


@pytest.mark.parametrize("width", [1280, 390])
def test_a_question_at_the_end_of_a_page_is_in_sight(cast: Cast, visit: Open, width: int) -> None:
    pixel = PixelFactory.create(tenant=cast.shoes)
    browser = visit(cast.max, viewport={"width": width, "height": 600})
    browser.open(f"/hub/capig/pixels/{pixel.pixel_id}/", cast.shoes)
    browser.page.get_by_role("button", name="Remove data source").click()

    question = browser.page.get_by_role("dialog").filter(visible=True)

    box = question.bounding_box()
    assert box
    assert box["x"] >= 0
    assert box["y"] >= 0
    assert box["x"] + box["width"] <= width
    assert box["y"] + box["height"] <= 600
    question.get_by_role("button", name="Cancel").click()
    assert Pixel.objects.exists()

"""The page of a pixel's mirror: what to paste into a website, and whether anything would come of it now."""

from __future__ import annotations

from html import unescape
from typing import Any

import pytest

from accounts.models import IngressDomain
from events.models import Registration
from events.script.files import built
from pixels.models import Pixel
from tests.base import Cast
from tests.factories import IngressDomainFactory, PixelFactory
from tests.pages import get, text_of
from tests.told import Told


@pytest.fixture
def pixel(cast: Cast) -> Pixel:
    return PixelFactory.create(tenant=cast.shoes, pixel_id="555001")


def show(cast: Cast, pixel: Pixel, who: Any = None) -> Any:
    return get(who or cast.vic, "pixels:mirror", cast.shoes, pixel.pixel_id)


def test_whoever_may_look_sees_the_two_lines(cast: Cast, pixel: Pixel, settings: Any) -> None:
    lines = [
        f"<script>{built('cbq-line.js')}</script>",
        f'<script async src="{settings.BASE_URL}/sdk/555001/events.js"></script>',
    ]

    page = show(cast, pixel).content.decode()
    assert "\n".join(lines) in unescape(page)
    assert built("cbq-line.js") not in page  # it is shown, and does not run


def test_the_script_is_there_where_the_lines_say(cast: Cast, pixel: Pixel) -> None:
    assert Told("GET", "/sdk/555001/events.js").status == 200


def test_they_name_the_accounts_own_domain(cast: Cast, pixel: Pixel) -> None:
    IngressDomainFactory.create(
        tenant=cast.shoes, ingress="events.shoes.example.com", status=IngressDomain.Status.VERIFIED
    )
    page = unescape(show(cast, pixel).content.decode())

    assert 'src="https://events.shoes.example.com/sdk/555001/events.js"' in page


def test_a_pixel_that_takes_nothing_says_so(cast: Cast, pixel: Pixel) -> None:
    assert "It sends nothing now" not in text_of(show(cast, pixel))
    Pixel.objects.update(require_access_key=True)

    assert "It sends nothing now" in text_of(show(cast, pixel))


def test_where_meta_knows_the_gateway_the_page_says_that_the_script_steps_back(cast: Cast, pixel: Pixel) -> None:
    assert "may send by itself" not in text_of(show(cast, pixel))
    Registration.objects.create(pixel=pixel, state=Registration.State.REGISTERED)

    assert "may send by itself" in text_of(show(cast, pixel))


@pytest.mark.parametrize("page", ["pixels:sending", "pixels:registration"])
def test_two_pages_lead_there(cast: Cast, pixel: Pixel, page: str) -> None:
    answer = get(cast.vic, page, cast.shoes, pixel.pixel_id)

    assert "Mirror of the Meta Pixel" in text_of(answer)
    assert "/pixels/555001/mirror/" in answer.content.decode()

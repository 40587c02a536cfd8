"""People see what senders got wrong: on the pixel's page, in Deliveries, and on a page of its own."""

from __future__ import annotations

import pytest
from django.conf import settings

from pixels.models import Pixel
from tests.base import Cast, login
from tests.events.refused.stage import written
from tests.events.sending import post, purchase, send
from tests.factories import PixelFactory, SourceFactory
from tests.pages import address

pytestmark = pytest.mark.django_db


@pytest.fixture
def pixel(cast: Cast) -> Pixel:
    return PixelFactory.create(tenant=cast.shoes, access_key="k" * 32)


def mistakes(of: Pixel | str) -> None:
    """Three requests with an old event, one that nobody can read, and one with a wrong key."""
    for _ in range(3):
        send(of, purchase(event_time=1))
    post(of, b'{"data": oops')
    if isinstance(of, Pixel):
        send(of, purchase(), accessKey="wrong")
    written()


def shown(cast: Cast, path: str, language: str = "en") -> str:
    client = login(cast.vera)
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = language
    return client.get(path).content.decode()


@pytest.mark.parametrize(
    ("language", "texts"),
    [
        (
            "en",
            ["Refused at intake, last 24 hours", "more than 7 days ago", "no valid JSON", "Not let in", "key is wrong"],
        ),
        ("es", ["Rechazado en la entrada, últimas 24 horas", "más de 7 días", "No admitido", "clave de acceso"]),
    ],
)
def test_the_pixels_page_tells_what_was_refused(cast: Cast, pixel: Pixel, language: str, texts: list[str]) -> None:
    page = address("pixels:detail", cast.shoes, pixel.pixel_id)
    assert texts[0] not in shown(cast, page, language)

    mistakes(pixel)
    said = shown(cast, page, language)
    assert [text for text in texts if text not in said] == []
    assert f"of={pixel.pixel_id}" in said


def test_a_page_shows_the_last_requests_masked(cast: Cast, pixel: Pixel) -> None:
    page = address("events:refused", cast.shoes, of=pixel.pixel_id)
    assert "Nothing was refused" in shown(cast, page)

    mistakes(pixel)
    said = shown(cast, page)
    assert said.count("What was sent") >= 4
    assert "{&quot;data&quot;: xxxx" in said
    assert "https://shop.example.com/thanks" in said


def test_deliveries_lead_there(cast: Cast, pixel: Pixel) -> None:
    source = SourceFactory.create(tenant=cast.shoes)
    mistakes(pixel)
    mistakes(source.source_id)

    assert f"of={pixel.pixel_id}" in shown(cast, address("pixels:deliveries", cast.shoes, pixel.pixel_id))
    assert address("events:refused", cast.shoes) in shown(cast, address("events:deliveries", cast.shoes))
    said = shown(cast, address("events:refused", cast.shoes))
    assert f"of={pixel.pixel_id}" in said
    assert f"of={source.source_id}" in said
    assert "more than 7 days ago" in shown(cast, address("events:refused", cast.shoes, of=source.source_id))


def test_deliveries_tell_how_much_was_refused(cast: Cast, pixel: Pixel) -> None:
    mistakes(pixel)
    mistakes(SourceFactory.create(tenant=cast.shoes).source_id)
    client = login(cast.vera)

    for page, of, said in (
        (address("pixels:deliveries", cast.shoes, pixel.pixel_id), pixel.pixel_id, "4 requests refused"),
        (address("events:deliveries", cast.shoes), "", "8 requests refused"),
    ):
        asked = address("events:refused", cast.shoes, count="yes", **({"of": of} if of else {}))
        assert f'hx-get="{asked.replace("&", "&amp;")}"' in client.get(page).content.decode()
        answer = client.get(asked, headers={"HX-Request": "true"}).content.decode()
        assert said in answer
        assert "hx-get" not in answer  # once


def test_another_accounts_pixel_is_not_there(cast: Cast, pixel: Pixel) -> None:
    others = PixelFactory.create(tenant=cast.books)
    mistakes(others)
    answer = login(cast.vera).get(address("events:refused", cast.shoes, of=others.pixel_id))

    assert answer.status_code == 404

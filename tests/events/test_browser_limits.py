"""What anybody can post to /events is bounded, and takes nothing from those who send by server."""

from __future__ import annotations

import time
from typing import Any

import pytest
from limits import parse
from pytest_django import Settings

from events import findings
from events.delivery.publishing import drain
from events.models import Finding, OutboxRow
from events.sandbox import Sandbox
from pixels.models import Pixel
from tests.base import Cast, login
from tests.events.browser_posting import ADDRESS, page_view, post
from tests.events.sending import ask, purchase, send
from tests.factories import PixelFactory
from tests.pages import get

pytestmark = pytest.mark.django_db


@pytest.fixture
def pixel() -> Pixel:
    return PixelFactory.create()


def test_a_network_posts_so_many(pixel: Pixel, settings: Settings) -> None:
    settings.BROWSER_ADDRESS_RATE_LIMIT = parse("2/minute")
    replies = [post(page_view(pixel)) for _ in range(3)]

    assert [reply.status for reply in replies] == [200, 200, 429]
    assert 0 < int(replies[2].headers["Retry-After"]) <= 120
    assert replies[2].headers["Access-Control-Allow-Credentials"] == "true"
    assert post(page_view(pixel), address="81.2.70.1").status == 200


def test_junk_counts_before_it_is_read(pixel: Pixel, settings: Settings) -> None:
    settings.BROWSER_ADDRESS_RATE_LIMIT = parse("1/minute")

    assert [post(b"junk").status for _ in range(2)] == [400, 429]
    assert post(b"x" * 100_000).status == 429


@pytest.mark.parametrize("known", [True, False])
def test_a_pixel_gets_so_many_whether_it_is_connected_or_not(pixel: Pixel, settings: Settings, known: bool) -> None:
    settings.BROWSER_PIXEL_RATE_LIMIT = parse("2/minute")
    body = page_view(pixel if known else "404")

    assert [post(body, address=f"81.2.69.{n}").status for n in range(3)] == [200, 200, 429]


def test_junk_never_makes_a_server_wait(pixel: Pixel, settings: Settings) -> None:
    for name in ("ADDRESS", "PIXEL", "BROWSER_ADDRESS", "BROWSER_PIXEL"):
        setattr(settings, f"{name}_RATE_LIMIT", parse("3/minute"))
    for body in (b"junk", page_view(pixel), page_view("404"), page_view("405"), page_view(pixel)):
        post(body)

    assert post(page_view(pixel)).status == 429
    # From the same address, for the same pixel.
    body = b'{"data": [], "accessKey": "wrong"}'
    assert ask("POST", f"/capi/{pixel.pixel_id}/events", body, REMOTE_ADDR=ADDRESS).status == 400
    assert send(pixel, purchase()).status == 202


def stored_of(pixel: Pixel, location: str = "https://shop.example.com/") -> int:
    assert post(page_view(pixel, website_context={"location": location})).status == 200
    return OutboxRow.objects.filter(pixel=pixel).count()


def test_a_required_key_closes_the_road_unless_it_is_opened() -> None:
    assert stored_of(PixelFactory.create(require_access_key=True)) == 0
    assert stored_of(PixelFactory.create(require_access_key=True, browsers_need_no_key=True)) == 1
    assert stored_of(PixelFactory.create()) == 1


@pytest.mark.parametrize(
    ("location", "taken"),
    [
        ("https://example.com/", True),
        ("https://shop.Example.com:8443/x?y", True),
        ("https://xn--bcher-kva.example.org/", True),
        ("https://bücher.example.org/", True),
        ("https://notexample.com/", False),
        ("https://example.com.evil.example/", False),
        ("https://example.com@evil.example/", False),
        ("https://other.example.org/", False),
    ],
)
def test_only_listed_websites_send(location: str, taken: bool) -> None:
    pixel = PixelFactory.create(browser_websites=["example.com", "xn--bcher-kva.example.org"])

    assert stored_of(pixel, location) == int(taken)


def test_what_is_not_taken_is_counted(pixel: Pixel) -> None:
    keyed = PixelFactory.create(require_access_key=True)
    listed = PixelFactory.create(browser_websites=["example.org"])
    for each in (keyed, listed, listed):
        stored_of(each)
    findings._findings.flush()

    counted: list[Any] = sorted(Finding.objects.values_list("pixel", "field", "reason", "road", "count"))
    assert counted == [
        (keyed.pk, "event", "key_required", "browser", 1),
        (listed.pk, "event", "website_not_listed", "browser", 2),
    ]


def test_nothing_that_a_browser_says_is_markup_on_a_page_or_stands_in_a_log(
    cast: Cast, sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    evil = "<b onclick=alert(1)>'\"</b>"
    pixel = PixelFactory.create(tenant=cast.shoes)
    refused: dict[str, Any] = {"custom_data": {"value": evil, "currency": evil}, "fb__fbp": evil}
    assert post(page_view(pixel, event_name=evil, event_id=evil, **refused)).status == 200
    assert (
        post(page_view(pixel, event_name=evil, website_context={"location": f"https://{evil}.example"})).status == 200
    )
    assert post(page_view(evil)).status == 400
    findings._findings.flush()
    client = login(cast.max)

    def shown() -> str:
        names = ("detail", "deliveries", "dead_letters")
        pages = [get(client, f"pixels:{name}", cast.shoes, pixel.pixel_id) for name in names]
        pages += [get(client, name, cast.shoes) for name in ("filters:events", "filters:websites", "account_overview")]
        return "".join(page.content.decode() for page in pages)

    waiting = shown()
    sandbox.fail(code=100, message=evil, times=1)
    drain(pixel.pk)
    settled = shown()

    for html in (waiting, settled):
        assert "&lt;b onclick=alert(1)&gt;" in html
        assert "<b onclick" not in html
    assert "onclick" not in caplog.text


def test_long_digits_take_no_long_time(pixel: Pixel) -> None:
    begun = time.process_time()
    post(page_view(pixel, custom_data={"value": "9" * 60_000 + "x"}))
    send(pixel, purchase(custom_data={"value": "9" * 1_000_000 + "x"}))

    assert time.process_time() - begun < 2
    assert OutboxRow.objects.count() == 2

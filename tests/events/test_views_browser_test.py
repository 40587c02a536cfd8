"""The page that tests from the browser: what it prepares for its script, and what it tells of the event afterwards."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import AuditEntry, IngressDomain, TenantStatus
from events.delivery.publishing import drain
from events.models import Counter, OutboxRow, SeenLabel
from pixels.models import Pixel
from tests.base import Cast, login, snapshot
from tests.events.browser_posting import page_view
from tests.events.browser_posting import post as post_as_browser
from tests.events.sending import stored_event
from tests.factories import IngressDomainFactory, PixelFactory
from tests.pages import address, get, post, see, text_of

SHOP = "https://shop.example.com/"


@pytest.fixture
def pixel(cast: Cast) -> Pixel:
    return PixelFactory.create(tenant=cast.shoes, pixel_id="555001")


def prepare(who: Any, cast: Cast, pixel: Pixel, **data: str) -> Any:
    typed = {"event_name": "PageView", "page": SHOP, **data}
    return post(who, "pixels:browser_test", cast.shoes, pixel.pixel_id, **typed)


def prepared(answer: Any) -> dict[str, Any]:
    """What the page's script reads."""
    found = re.search(r'<script id="browser-event" type="application/json">(.*?)</script>', answer.content.decode())
    assert found
    event: dict[str, Any] = json.loads(found[1])
    return event


def connects_to(answer: Any) -> list[str]:
    parts = dict(part.strip().partition(" ")[::2] for part in answer.headers["Content-Security-Policy"].split(";"))
    return str(parts.get("connect-src", "")).split()


# --- Preparing --------------------------------------------------------------------------------------------------------


def test_the_page_prepares_an_event_and_stores_none(cast: Cast, pixel: Pixel, settings: Any) -> None:
    event = prepared(prepare(cast.max, cast, pixel))

    assert re.fullmatch(r"test-[0-9a-f]{32}", event["id"])
    assert (event["endpoint"], event["pixel"]) == (settings.BASE_URL, "555001")
    assert (event["name"], event["page"], event["data"]) == ("PageView", SHOP, {})
    assert not OutboxRow.objects.exists()
    assert AuditEntry.objects.get().act == "test from browser"


def test_a_purchase_is_worth_something(cast: Cast, pixel: Pixel) -> None:
    assert prepared(prepare(cast.max, cast, pixel, event_name="Purchase"))["data"] == {"currency": "USD", "value": 0}


def test_its_script_may_ask_the_address_of_the_accounts_events_and_nobody_else(cast: Cast, pixel: Pixel) -> None:
    IngressDomainFactory.create(tenant=cast.shoes, ingress="events.shoes.example", status=IngressDomain.Status.VERIFIED)
    shown = get(cast.max, "pixels:browser_test", cast.shoes, pixel.pixel_id)
    answer = prepare(cast.max, cast, pixel)

    assert "https://events.shoes.example/events" in text_of(shown)
    assert prepared(answer)["endpoint"] == "https://events.shoes.example"
    assert connects_to(shown) == connects_to(answer) == ["'self'", "https://events.shoes.example"]
    assert connects_to(get(cast.max, "pixels:sending", cast.shoes, pixel.pixel_id)) == []


def test_the_page_that_is_proposed_is_one_that_may_send(cast: Cast, pixel: Pixel, settings: Any) -> None:
    def proposed() -> Any:
        return get(cast.max, "pixels:browser_test", cast.shoes, pixel.pixel_id).context["form"].initial["page"]

    assert proposed() == f"{settings.BASE_URL}/"
    website = Counter.Dimension.WEBSITE
    SeenLabel.objects.create(pixel=pixel, dimension=website, label="shop.example.com", last_seen=timezone.now().date())
    assert proposed() == "https://shop.example.com/"
    Pixel.objects.update(browser_websites=["example.org"])
    assert proposed() == "https://example.org/"


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("event_name", "", "This field is required."),
        ("event_name", "a\x01b", "Must not contain control characters."),
        ("page", "", "This field is required."),
        ("page", "shop", "Must be an http or https address."),
        ("page", "javascript:alert(1)", "Must be an http or https address."),
    ],
)
def test_a_refusal_stands_at_its_field_and_changes_nothing(
    cast: Cast, pixel: Pixel, field: str, value: str, words: str
) -> None:
    client = login(cast.max)
    before = snapshot()
    answer = prepare(client, cast, pixel, **{field: value})

    assert answer.status_code == 400
    assert answer.context["form"].errors == {field: [words]}
    assert "browser-event" not in answer.content.decode()
    assert snapshot() == before


def test_a_deactivated_account_tests_nothing(cast: Cast, pixel: Pixel) -> None:
    cast.shoes.status = TenantStatus.DEACTIVATED
    cast.shoes.save()
    answer = prepare(cast.hanna, cast, pixel)

    assert answer.status_code == 400
    assert "This pixel is not connected to this gateway." in text_of(answer)


def test_what_was_typed_cannot_leave_its_place_in_the_page(cast: Cast, pixel: Pixel) -> None:
    evil = "</script><script>alert(1)</script>"
    answer = prepare(cast.max, cast, pixel, event_name=evil, page=f"{SHOP}?{evil}")

    assert evil not in answer.content.decode()
    assert prepared(answer)["name"] == evil


# --- What has become of it --------------------------------------------------------------------------------------------


def result(cast: Cast, pixel: Pixel, event_id: str, page: str = SHOP) -> str:
    return see(cast.max, "pixels:browser_test_result", cast.shoes, pixel.pixel_id, event=event_id, page=page)


def sent(cast: Cast, pixel: Pixel, page: str = SHOP) -> str:
    """The id of an event that a browser has sent, and the gateway answered with success."""
    event_id = str(prepared(prepare(cast.max, cast, pixel, page=page))["id"])
    body = page_view(pixel, event_id=event_id, website_context={"location": page})
    assert post_as_browser(body).status == 200
    return event_id


def test_an_event_is_on_its_way_and_then_at_meta(cast: Cast, pixel: Pixel, sandbox: Any) -> None:
    event_id = sent(cast, pixel)
    assert stored_event(pixel)["event_id"] == event_id
    assert "Received; on its way to the sandbox" in result(cast, pixel, event_id)

    drain(pixel.pk)

    assert "Published Your test event has reached the sandbox." in result(cast, pixel, event_id)


def test_what_receives_nothing_drops_it_and_says_so(cast: Cast, pixel: Pixel, sandbox: Any) -> None:
    Pixel.objects.update(event_bridge_active=False)
    event_id = sent(cast, pixel)
    drain(pixel.pk)

    assert "Dropped Receiving was off" in result(cast, pixel, event_id)


def test_a_website_that_is_not_listed_is_told(cast: Cast) -> None:
    pixel = PixelFactory.create(tenant=cast.shoes, browser_websites=["example.org"])
    event_id = sent(cast, pixel)

    assert not OutboxRow.objects.exists()
    told = result(cast, pixel, event_id)
    assert "The gateway was reached, and did not take the event." in told
    assert "It comes from a website that may not send" in told
    assert "Change the websites" in told
    assert "did not take" not in result(cast, pixel, sent(cast, pixel, "https://example.org/"), "https://example.org/")


def test_so_is_a_key_that_no_browser_sends(cast: Cast) -> None:
    pixel = PixelFactory.create(tenant=cast.shoes, require_access_key=True)
    told = result(cast, pixel, sent(cast, pixel))

    assert "It came without the access key, which no browser sends" in told
    assert "Take events of browsers" in told


def test_of_another_accounts_pixel_nothing_is_told(cast: Cast) -> None:
    foreign = PixelFactory.create(tenant=cast.other, require_access_key=True)
    client = login(cast.max)
    for name in ("pixels:browser_test", "pixels:browser_test_result"):
        assert client.get(address(name, cast.shoes, foreign.pixel_id, page=SHOP)).status_code == 404

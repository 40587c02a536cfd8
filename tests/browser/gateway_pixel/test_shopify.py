"""The custom pixel for a shop at Shopify, as the setup guide has it, in a shim of Shopify's sandbox."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page

from pipelines.models import Source
from pipelines.services.shopify_code import shopify_code
from tests.browser.gateway_pixel.stage import Show, names, settled, wait_until
from tests.browser.two_origins import Gateway

SHIM = Path(__file__).with_name("shopify.js").read_text()
PRICE = {"amount": 59.9, "currencyCode": "EUR"}
VARIANT = {"id": "411", "price": PRICE, "title": "42", "product": {"id": "7", "title": "Shoe"}}
CHECKOUT = {
    "currencyCode": "EUR",
    "totalPrice": {"amount": 119.8, "currencyCode": "EUR"},
    "order": {"id": "1042"},
    "lineItems": [{"quantity": 2, "variant": VARIANT}, {"quantity": 1, "variant": None}],
}
Open = Callable[..., Page]


@pytest.fixture
def shop(show: Show, source: Source) -> Iterator[Open]:
    """Opens a page of the shop with the custom pixel, which must end without an error."""
    pages: list[Page] = []

    def open_page(search: str = "") -> Page:
        page = show("window.cbq = {initialized: true};" + SHIM, search=search)
        page.evaluate("code => shop.run(code)", shopify_code(source.tenant, source))
        pages.append(page)
        return page

    yield open_page
    assert [page.evaluate("shop.errors") for page in pages] == [[] for _page in pages]


def publish(page: Page, name: str, **data: Any) -> None:
    page.evaluate("([name, data]) => shop.publish(name, data)", [name, data])


def test_the_page_is_the_visitors_not_the_frame(shop: Open, gateway: Gateway) -> None:
    page = shop()
    publish(page, "page_viewed")
    wait_until(page, lambda: len(gateway.bodies) == 1)

    assert (gateway.bodies[0]["event_name"], gateway.bodies[0]["event_id"]) == ("PageView", "page_viewed")
    assert gateway.bodies[0]["website_context"] == {"location": page.url, "referrer": "", "isInIFrame": True}


def test_what_happens_in_the_shop_comes_under_metas_names(shop: Open, gateway: Gateway) -> None:
    page = shop()
    line = {"quantity": 2, "merchandise": VARIANT, "cost": {"totalAmount": {"amount": 119.8, "currencyCode": "EUR"}}}
    publish(page, "product_viewed", productVariant=VARIANT)
    publish(page, "search_submitted", searchResult={"query": "red shoes"})
    publish(page, "product_added_to_cart", cartLine=line)
    publish(page, "checkout_started", checkout=CHECKOUT)
    publish(page, "payment_info_submitted", checkout=CHECKOUT)
    publish(page, "checkout_completed", checkout=CHECKOUT)
    wait_until(page, lambda: len(gateway.bodies) == 6)

    data = {body["event_name"]: body["custom_data"] for body in gateway.bodies}
    items = {"content_type": "product", "content_ids": ["411"], "contents": [{"id": "411", "quantity": 2}]}
    paid = {**items, "value": 119.8, "currency": "EUR"}
    assert data.pop("ViewContent") == {**paid, "value": 59.9, "contents": [{"id": "411", "quantity": 1}]}
    assert data == {
        "Search": {"search_string": "red shoes"},
        "AddToCart": paid,
        **{name: {**paid, "order_id": "1042"} for name in ("InitiateCheckout", "AddPaymentInfo", "Purchase")},
    }


def test_the_visitors_ids_are_in_the_shops_cookies(shop: Open, visitor: BrowserContext, gateway: Gateway) -> None:
    first = shop("?fbclid=abc")
    publish(first, "page_viewed")
    wait_until(first, lambda: len(gateway.bodies) == 1)
    settled(first)
    second = shop()
    publish(second, "page_viewed")
    wait_until(second, lambda: len(gateway.bodies) == 2)

    cookies = {cookie["name"]: cookie["value"] for cookie in visitor.cookies()}
    assert cookies["_fbc"].endswith(".abc")
    assert [(body["fb.fbp"], body["fb.fbc"]) for body in gateway.bodies] == [(cookies["_fbp"], cookies["_fbc"])] * 2


def test_no_cookie_is_made_where_that_is_off(shop: Open, visitor: BrowserContext, gateway: Gateway) -> None:
    Source.objects.update(first_party_cookie=False)
    page = shop()
    publish(page, "page_viewed")
    wait_until(page, lambda: len(gateway.bodies) == 1)
    settled(page)

    assert "fb.fbp" not in gateway.bodies[0]
    assert visitor.cookies() == []


@pytest.mark.parametrize("page", ["undefined", "{location: 'shoes'}", "{location: 'javascript:1'}", "7"])
def test_a_page_that_is_none_is_told_once_and_changes_nothing(
    show: Show, sent: list[dict[str, Any]], page: str
) -> None:
    opened = show()
    said: list[str] = []
    opened.on("console", lambda message: said.append(message.text) if message.type == "warning" else None)
    opened.evaluate(f"cbq('set', 'page', {page}); cbq('set', 'page', {page}); cbq('track', 'Lead')")
    wait_until(opened, lambda: len(sent) == 2)

    assert sent[1]["website_context"]["location"] == opened.url
    assert len(said) == 1


@pytest.mark.parametrize(
    "jar",
    [
        "undefined",
        "{get: 7}",
        "{get: () => { throw new Error('x') }}",
        "{get: () => Promise.reject(new Error('x')), set: 1}",
        "{get: () => new Promise(() => 0)}",
        "{get: () => 7, set: () => { throw new Error('x') }}",
    ],
)
def test_cookies_that_never_come_keep_no_event_back(show: Show, sent: list[dict[str, Any]], jar: str) -> None:
    opened = show()
    opened.evaluate(f"cbq('set', 'cookies', {jar}); cbq('track', 'Lead')")
    wait_until(opened, lambda: names(sent) == ["PageView", "Lead"])

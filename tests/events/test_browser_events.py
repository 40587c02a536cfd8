"""POST /events: what the Meta Pixel posts becomes an event of the Conversions API."""

from __future__ import annotations

import gzip
import json
import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import TenantStatus
from events import findings
from events.delivery.publishing import drain
from events.findings import read_left_out
from events.intake.event_ids import is_made
from events.models import Finding, OutboxRow, Road
from events.sandbox import Sandbox
from pixels.models import Pixel
from tests.events.browser_posting import HEADERS, SHOP, page_view, post
from tests.events.sending import ask, stored_event
from tests.factories import PixelFactory

pytestmark = pytest.mark.django_db

NOW = datetime(2025, 11, 29, 11, 30, 45, tzinfo=UTC)
CASES = tomllib.loads((Path(__file__).parent / "browser_events.toml").read_text())["case"]


@pytest.fixture(autouse=True)
def _clock() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def pixel() -> Pixel:
    return PixelFactory.create()


def custom_data_of(pixel: Pixel, **custom_data: Any) -> dict[str, Any]:
    assert post(page_view(pixel, custom_data=custom_data)).status == 200
    return dict(stored_event(pixel).get("custom_data", {}))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["says"])
def test_meta_gets(pixel: Pixel, sandbox: Sandbox, case: dict[str, str]) -> None:
    reply = post(case["body"].replace("PIXEL", pixel.pixel_id).encode())
    drain(pixel.pk)

    assert (reply.status, reply.body) == (200, {})
    (event,) = sandbox.received
    expected = json.loads(case["event"]) | {"event_time": int(NOW.timestamp())}
    if expected["event_id"] == "MADE":
        expected["event_id"] = event["event_id"]
        assert is_made(event["event_id"])
    assert event == expected


KEPT = "fb.1.1764400000001.IwAR2F4-dbP0l7Mn1IawQQGCINEz7PYXQvwjNwB"


@pytest.mark.parametrize(
    "fields",
    [
        {"fb.clickID": "IwAR2F4", "fb.fbc": KEPT},
        {"fb.clickID": "undefined", "fb.fbc": 7, "fb.advanced_matching": {"fbc": KEPT}},
        {"fb.clickID": KEPT, "fb.fbc": "fb.1.1764400000002.another"},
    ],
)
def test_of_several_click_ids_the_first_that_can_be_used_counts(pixel: Pixel, fields: dict[str, Any]) -> None:
    clicked = {"location": f"{SHOP}/?fbclid=IwAR9"}
    assert post(page_view(pixel, website_context=clicked, **fields)).status == 200

    assert stored_event(pixel)["user_data"]["fbc"] == KEPT


@pytest.mark.parametrize("path", ["/events", "/events?cee=no", "/events/5f3a0c", "/events/"])
def test_all_forms_of_the_address_are_the_same(pixel: Pixel, path: str) -> None:
    assert post(page_view(pixel), path).status == 200
    assert stored_event(pixel)["event_name"] == "PageView"
    assert OutboxRow.objects.get().road == Road.BROWSER


# --- Repairs ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        ("SKU-1", ["SKU-1"]),
        (17, ["17"]),
        ('["SKU-1", 2]', ["SKU-1", "2"]),
        (["SKU-1", 2, None, ""], ["SKU-1", "2"]),
    ],
)
def test_content_ids_are_a_list_of_texts(pixel: Pixel, given: Any, stored: Any) -> None:
    assert custom_data_of(pixel, content_ids=given) == {"content_ids": stored}


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        ("19.99", 19.99),
        (" 20 ", 20),
        ("19,99", 19.99),
        ("1,299.00", 1299.0),
        ("1.299,00", 1299.0),
        ("1 299,5", 1299.5),
        ("€ 19,99", 19.99),
        ("19.99 EUR", 19.99),
        ("$1,299.00", 1299.0),
        ("Rs. 1,29,999.00", 129999.0),
        ("1,29,999", 129999),
        ("199 kr.", 199),
        ("1 299", 1299),
        ("1\u202f299,00 €", 1299.0),
        ("1'299", 1299),
        ("1,234,567", 1234567),
        ("1.234.567", 1234567),
        (0, 0),
    ],
)
def test_a_value_is_a_number(pixel: Pixel, given: Any, stored: Any) -> None:
    assert custom_data_of(pixel, value=given, currency="EUR") == {"value": stored, "currency": "EUR"}


@pytest.mark.parametrize(
    "given", ["1,234", "a lot", "1.2.3", "1,23,45", "1 23", "12,34,567,8", True, [1], {"a": 1}, "9" * 50_000 + "x"]
)
def test_a_value_that_may_mean_several_is_left_out(pixel: Pixel, given: Any) -> None:
    assert custom_data_of(pixel, value=given, currency="EUR") == {"currency": "EUR"}


@pytest.mark.parametrize("given", ['[{"id":"1"}]', '{"id":"1"}', {"id": "1"}, [{"id": "1"}]])
def test_contents_are_a_list_of_objects(pixel: Pixel, given: Any) -> None:
    assert custom_data_of(pixel, contents=given) == {"contents": [{"id": "1"}]}


def test_so_is_what_an_item_costs(pixel: Pixel) -> None:
    item = {"id": "1", "item_price": "24,50 €", "quantity": "2"}

    assert custom_data_of(pixel, contents=[item]) == {"contents": [{"id": "1", "item_price": 24.5, "quantity": 2}]}


def test_an_object_may_come_as_its_text(pixel: Pixel) -> None:
    post(page_view(pixel, custom_data='{"value": "3"}', conversion_value='{"currency": "EUR"}'))

    assert stored_event(pixel)["custom_data"] == {"value": 3, "currency": "EUR"}


def test_what_the_page_says_is_not_replaced(pixel: Pixel) -> None:
    post(page_view(pixel, custom_data={"value": 3}, conversion_value={"value": 4, "currency": "EUR"}))

    assert stored_event(pixel)["custom_data"] == {"value": 3, "currency": "EUR"}


@pytest.mark.parametrize(
    ("escaped", "stored"),
    [
        (r"Cut \ud83d", "Cut �"),
        (r"\ude00 cut", "� cut"),
        (r"\ud83d\ud83d\ude00\ude00", "�\U0001f600�"),
        (r"a\u0000b", "ab"),
        # An escaped backslash, and what only looks like an escape.
        (r"\\u0000", r"\u0000"),
        (r"\\ud83d", r"\ud83d"),
        (r"\\ud83d\ude00", r"\ud83d" + "�"),
        (r"\\\u0000", "\\"),
    ],
)
def test_half_a_character_and_nul_cost_no_event(pixel: Pixel, escaped: str, stored: str) -> None:
    """JSON.stringify writes both as they are."""
    body = json.dumps(page_view(pixel, custom_data={"content_name": "TEXT"})).replace("TEXT", escaped)
    assert post(body.encode()).status == 200

    assert stored_event(pixel)["custom_data"] == {"content_name": stored}


@pytest.mark.parametrize(
    ("escaped", "title"), [(r"\ud83d\ude00", "\U0001f600"), (r"Cut \ud83d", "Cut �"), (r"a\u0000b", "ab")]
)
def test_so_it_is_in_json_within_a_text(pixel: Pixel, escaped: str, title: str) -> None:
    """PHP escapes every character beyond ASCII, and the page hands its text on."""
    assert custom_data_of(pixel, contents=f'[{{"id":"1","title":"{escaped}"}}]') == {
        "contents": [{"id": "1", "title": title}]
    }


def test_a_number_beyond_64_bits_is_taken(pixel: Pixel) -> None:
    assert custom_data_of(pixel, value=10**20, content_ids=[10**20]) == {"value": 1e20, "content_ids": ["1e+20"]}


@pytest.mark.parametrize("given", ["order-1", "order 1", "order\u00a01", "order\u200b1", "заказ-1", -5])
def test_the_id_stays_by_which_meta_knows_the_event_of_the_pixel(pixel: Pixel, given: Any) -> None:
    post(page_view(pixel, event_id=given))

    assert stored_event(pixel)["event_id"] == str(given)


@pytest.mark.parametrize("given", ["Add\u00a0to cart", "\U0001f469\u200d\U0001f4bb", " Purchase "])
def test_a_name_may_have_any_letters(pixel: Pixel, given: str) -> None:
    post(page_view(pixel, event_name=given))

    assert stored_event(pixel)["event_name"] == given.strip()


@pytest.mark.parametrize("given", [f" {SHOP}/a b\u00a0c\n", f"{SHOP}/a%20b%C2%A0c"])
def test_blanks_in_an_address_are_escaped(pixel: Pixel, given: str) -> None:
    post(page_view(pixel, website_context={"location": given, "referrer": given}))

    event = stored_event(pixel)
    assert event["event_source_url"] == event["referrer_url"] == f"{SHOP}/a%20b%C2%A0c"


@pytest.mark.parametrize("given", [f"{SHOP}/\x7f", "about:blank", "https://", 7, ["https://a.example"]])
def test_what_is_no_address_gives_way_to_the_one_that_the_browser_names(pixel: Pixel, given: Any) -> None:
    post(page_view(pixel, website_context={"location": given}))

    assert stored_event(pixel)["event_source_url"] == HEADERS["Referer"]


def test_a_mark_of_byte_order_is_no_part_of_the_body(pixel: Pixel) -> None:
    assert post(b"\xef\xbb\xbf" + json.dumps(page_view(pixel)).encode()).status == 200
    assert stored_event(pixel)["event_id"] == "view-1"


@pytest.mark.parametrize("given", [None, "", "x" * 101, "a\nb", 1.5, ["a"]])
def test_an_id_is_made_where_there_is_none(pixel: Pixel, given: Any) -> None:
    post(page_view(pixel, event_id=given))

    assert is_made(stored_event(pixel)["event_id"])


def test_what_is_left_out_is_counted(pixel: Pixel) -> None:
    post(page_view(pixel, fb__fbp="undefined", custom_data={"value": "a lot"}, website_context={"location": "x"}))
    findings._findings.flush()

    assert {shown.field for shown in read_left_out(pixel)} == {
        "user_data.fbp",
        "custom_data.value",
        "website_context.location",
    }
    assert set(Finding.objects.values_list("road", flat=True)) == {"browser"}


@pytest.mark.parametrize(
    "wrong",
    [
        {"fb__advanced_matching": ["em"]},
        {"custom_data": 7},
        {"conversion_value": "3 EUR"},
        {"automatic_parameters": True},
        {"website_context": "shop"},
        {"fb__dynamic_product_ads": [[]]},
        {"fb__fbc": {"a": 1}},
        {"custom_data": {"contents": "[", "content_ids": {"a": []}, "currency": 7}},
    ],
)
def test_what_nobody_understands_costs_no_event(pixel: Pixel, wrong: dict[str, Any]) -> None:
    assert post(page_view(pixel, **wrong)).status == 200
    assert stored_event(pixel)["event_name"] == "PageView"


# --- The visitor -----------------------------------------------------------------------------------------------------


def test_without_a_page_it_is_no_event_of_a_website(pixel: Pixel) -> None:
    post(page_view(pixel, website_context=None), Referer="", Origin="null")

    assert stored_event(pixel)["action_source"] == "other"


def test_an_address_within_a_network_is_not_told(pixel: Pixel) -> None:
    post(page_view(pixel), address="10.0.0.7")

    assert stored_event(pixel)["user_data"] == {"client_user_agent": "Mozilla/5.0 (X11)"}


def test_an_event_of_nobody_is_not_taken_and_counted(pixel: Pixel) -> None:
    reply = post(page_view(pixel, fb__advanced_matching={"em": "x"}), address="10.0.0.7", **{"User-Agent": ""})
    findings._findings.flush()

    assert (reply.status, OutboxRow.objects.count()) == (200, 0)
    assert list(Finding.objects.values_list("field", "reason", "road")) == [("event", "nobody", "browser")]


# --- Refusals --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"x", b"[]", b"[1]", b"null", b"7", b'"a"', b"{}", b'{"event_name":"PageView"}', b"\xff\xfe", b"{"),
        *(b'{"fb.pixel_id":"PIXEL"}', b'{"event_name":"","fb.pixel_id":"PIXEL"}'),
        *(b'{"event_name":7,"fb.pixel_id":"PIXEL"}', b'{"event_name":"%b","fb.pixel_id":"PIXEL"}' % (b"x" * 51)),
        *(b'{"event_name":"a\\nb","fb.pixel_id":"PIXEL"}', b'{"event_name":"A","fb.pixel_id":["PIXEL"]}'),
        *(b'{"event_name":"A","fb.pixel_id":"' + b"1" * 21 + b'"}', b'{"event_name":"A","fb.pixel_id":"x"}'),
        b'{"event_name":"A","fb.pixel_id":"PIXEL","custom_data":' + b"[" * 30_000 + b"]" * 30_000 + b"}",
        b'{"event_name":"A","fb.pixel_id":"PIXEL","custom_data":{"a":' + b"[" * 500 + b"]" * 500 + b"}}",
        b'{"event_name":"A","fb.pixel_id":"PIXEL","custom_data":{"a":NaN}}',
    ],
)
def test_a_body_that_is_no_event_is_refused_whoever_is_connected(pixel: Pixel, body: bytes) -> None:
    for pixel_id in (pixel.pixel_id, "404"):
        assert post(body.replace(b"PIXEL", pixel_id.encode())).status == 400
    assert not OutboxRow.objects.exists()


def test_a_body_of_more_than_64_kib_is_refused(pixel: Pixel) -> None:
    body = json.dumps(page_view(pixel)).encode()
    assert post(body + b" " * (65_536 - len(body))).status == 200
    assert post(body + b" " * (65_537 - len(body))).status == 413


def test_so_much_it_is_unpacked(pixel: Pixel) -> None:
    body = json.dumps(page_view(pixel)).encode()
    packed = {size: gzip.compress(body + b" " * (size - len(body))) for size in (65_536, 65_537)}

    assert post(packed[65_536], **{"Content-Encoding": "gzip"}).status == 200
    assert post(packed[65_537], **{"Content-Encoding": "gzip"}).status == 413
    assert OutboxRow.objects.count() == 1


@pytest.mark.parametrize(
    "content_type", ["", "application/json", "text/plain;charset=utf-16", "multipart/form-data", "x"]
)
def test_the_type_of_the_content_says_nothing(pixel: Pixel, content_type: str) -> None:
    """A beacon of a Blob has any that the page likes."""
    assert ask("POST", "/events", json.dumps(page_view(pixel)).encode(), content_type, headers=HEADERS).status == 200
    assert stored_event(pixel)["event_id"] == "view-1"


@pytest.mark.parametrize("origin", [None, "null", "https://shop.example.com", "chrome-extension://abcdefgh"])
def test_a_beacon_may_name_no_page(pixel: Pixel, origin: str | None) -> None:
    """A frame without an origin of its own says null; some browsers leave the header out of a beacon."""
    headers = {"User-Agent": "Mozilla/5.0"} | ({"Origin": origin} if origin else {})
    reply = ask("POST", "/events", json.dumps(page_view(pixel)).encode(), "text/plain", headers=headers)

    assert reply.status == 200
    assert reply.headers["Access-Control-Allow-Origin"] == origin or (origin is None)
    assert stored_event(pixel)["event_source_url"] == f"{SHOP}/shoes"


def test_nobody_learns_who_is_connected(pixel: Pixel) -> None:
    closed = PixelFactory.create(tenant__status=TenantStatus.DEACTIVATED)
    replies = [post(page_view(of)) for of in (pixel, closed, "404")]

    assert {(reply.status, str(reply.body)) for reply in replies} == {(200, "{}")}
    assert len({tuple(sorted(reply.headers.items())) for reply in replies}) == 1
    assert OutboxRow.objects.count() == 1


def test_an_unknown_pixel_costs_one_query(pixel: Pixel) -> None:
    post(page_view("404"))
    with CaptureQueriesContext(connection) as queries:
        post(page_view("404"))

    assert not queries.captured_queries


def test_what_a_pixel_that_does_not_receive_gets_is_dropped_and_counted(sandbox: Sandbox) -> None:
    pixel = PixelFactory.create(event_bridge_active=False)
    assert post(page_view(pixel)).status == 200
    drain(pixel.pk)

    assert not sandbox.received
    assert not OutboxRow.objects.exists()


def test_other_methods_are_told(pixel: Pixel) -> None:
    assert ask("GET", "/events").status == 405
    assert ask("POST", "/events/nowhere/else").status == 404
    preflight = ask("OPTIONS", "/events", headers={"Origin": SHOP, "Access-Control-Request-Headers": "content-type"})
    assert preflight.status == 204
    assert preflight.headers["Access-Control-Allow-Origin"] == SHOP
    assert preflight.headers["Access-Control-Allow-Credentials"] == "true"

"""Pages of any website may send events and read the answer, with credentials or without; nowhere else may they."""

from __future__ import annotations

import json
from contextlib import suppress
from itertools import product
from typing import Any
from unittest.mock import patch

import pytest
from django.db import OperationalError
from django.test import RequestFactory
from django.urls import NoReverseMatch, reverse
from limits import parse
from pytest_django import Settings

from common.wsgi import read_request
from events.intake import browser_door, door
from pixels.models import Pixel
from portal import addresses
from tests.addresses import SERVED
from tests.base import Cast, login
from tests.events.sending import ask, post, purchase, send
from tests.factories import PixelFactory
from tests.told import Told

pytestmark = pytest.mark.django_db

SHOP = "https://shop.example.com"
FROM_SHOP = {"Origin": SHOP}


@pytest.fixture
def pixel() -> Pixel:
    return PixelFactory.create()


def assert_open_to(origin: str, headers: dict[str, str]) -> None:
    assert headers["Access-Control-Allow-Origin"] == origin
    assert headers["Access-Control-Allow-Credentials"] == "true"
    assert headers["Vary"] == "Origin"


# --- Preflight -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/capi/404/events", "/v24.0/404/events", "/404/events", "/capi/nowhere"])
def test_a_preflight_repeats_what_was_asked_for(path: str) -> None:
    reply = ask(
        "OPTIONS",
        path,
        headers={
            **FROM_SHOP,
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "content-type,x-requested-with",
        },
    )

    assert_open_to(SHOP, reply.headers)
    if path == "/capi/nowhere":
        assert reply.status == 404
        return
    assert (reply.status, reply.body) == (204, {})
    assert "POST" in reply.headers["Access-Control-Allow-Methods"]
    assert reply.headers["Access-Control-Allow-Headers"] == "content-type,x-requested-with"
    assert int(reply.headers["Access-Control-Max-Age"]) > 0


@pytest.mark.parametrize("asked", ["", "x" * 2000, "a\r\nSet-Cookie: b", "a\x00", "ä"])
def test_of_odd_headers_none_is_repeated(asked: str) -> None:
    reply = ask("OPTIONS", "/capi/1/events", HTTP_ORIGIN=SHOP, HTTP_ACCESS_CONTROL_REQUEST_HEADERS=asked)

    assert reply.status == 204
    assert reply.headers["Access-Control-Allow-Headers"] == "Content-Type"


# --- Answers ---------------------------------------------------------------------------------------------------------


def test_a_page_reads_whatever_it_is_answered(pixel: Pixel, settings: Settings) -> None:
    settings.INTAKE_MAX_BODY_BYTES = 10_000
    long = json.dumps({"data": [purchase(event_name="x" * 20_000)]})
    replies = [
        send(pixel, purchase(), headers=FROM_SHOP),
        send(pixel, headers=FROM_SHOP),
        send("404", purchase(), headers=FROM_SHOP),
        send(pixel, purchase(), accessKey="wrong", headers=FROM_SHOP),
        post(pixel, long, **FROM_SHOP),
        ask("GET", f"/capi/{pixel.pixel_id}/events", headers=FROM_SHOP),
        ask("POST", "/capi/", headers=FROM_SHOP),
    ]
    with patch("events.intake.outbox._insert", side_effect=OperationalError):
        replies.append(send(pixel, purchase(), headers=FROM_SHOP))
    with patch("events.intake.outbox._insert", side_effect=ZeroDivisionError):
        replies.append(send(pixel, purchase(), headers=FROM_SHOP))
    settings.PIXEL_RATE_LIMIT = parse("1/minute")
    replies += [send(pixel, purchase(), headers=FROM_SHOP), send(pixel, purchase(), headers=FROM_SHOP)]

    assert [reply.status for reply in replies] == [202, 400, 404, 401, 413, 405, 404, 503, 500, 202, 429]
    for reply in replies:
        assert_open_to(SHOP, reply.headers)
        assert reply.headers["Access-Control-Expose-Headers"] == "Retry-After"


@pytest.mark.parametrize("origin", ["null", "http://localhost:3000", "capacitor://localhost", "http://[::1]:8080"])
def test_every_kind_of_page_may_send(pixel: Pixel, origin: str) -> None:
    reply = send(pixel, purchase(), headers={"Origin": origin})

    assert reply.status == 202
    assert_open_to(origin, reply.headers)


@pytest.mark.parametrize(
    "origin",
    [
        *("", "x", "*", "null, null", "https://a,https://b", "https://a b", "https://ä"),
        *("https://" + "a" * 5000, "https://a\r\nSet-Cookie: b", "https://a\x00"),
    ],
)
def test_an_odd_origin_is_not_repeated_and_does_no_harm(pixel: Pixel, origin: str) -> None:
    body = json.dumps({"data": [purchase()]}).encode()
    reply = ask("POST", f"/capi/{pixel.pixel_id}/events", body, HTTP_ORIGIN=origin)

    assert reply.status == 202
    assert reply.headers["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Credentials" not in reply.headers
    assert reply.headers["Vary"] == "Origin"


def test_a_beacon_is_read(pixel: Pixel) -> None:
    """navigator.sendBeacon(address, text) sends plain text, and asks nobody before."""
    reply = post(pixel, json.dumps({"data": [purchase()]}), "text/plain;charset=UTF-8", **FROM_SHOP)

    assert reply.status == 202


# --- No cookie is read where other websites may read the answer ------------------------------------------------------


class _NoCookies(dict[str, str]):
    """A request's headers, of which nobody may ask for cookies."""

    def get(self, key: str, default: Any = None) -> Any:
        assert key != "cookie"
        return super().get(key, default)

    def __getitem__(self, key: str) -> Any:
        assert key != "cookie"
        return super().__getitem__(key)


def test_the_intake_reads_no_cookie_and_sets_none(pixel: Pixel) -> None:
    cookie = "sessionid=" + "x" * 32
    body = json.dumps({"data": [purchase()]}).encode()
    for path in (f"/capi/{pixel.pixel_id}/events", f"/v24.0/{pixel.pixel_id}/events", "/capi/1/events", "/capi/"):
        request = RequestFactory().generic(
            "POST", path, body, headers={"Origin": "https://evil.example.com", "Cookie": cookie}
        )

        asked = read_request(request.environ)
        answer = door.answer(asked._replace(headers=_NoCookies(asked.headers)))

        assert answer.status in (200, 202, 404)
        assert "Set-Cookie" not in dict(answer.headers)


#: What an argument of an address may look like; whether there is such a thing does not matter.
SAMPLES = ("17", "00000000-0000-4000-8000-000000000000", "accounts", "hub")


def _sample(name: str) -> str:
    for count, sample in product(range(4), SAMPLES):
        with suppress(NoReverseMatch):
            return reverse(name, args=[sample] * count)
    pytest.fail(f"say in SAMPLES what {name} is asked about")


#: One address of each pattern: of the URLconf, and of the doors' table, itself and below.
PATHS = sorted(
    {_sample(name) for name in SERVED}
    | {tail for each in addresses.TABLE for tail in (each.example, f"{each.example}/nowhere", f"/{each.example}//")}
    | {"/", "/nowhere/", "/admin/logout/", "/admin/password_change/"}
)
INTAKE = tuple(each for each in addresses.TABLE if each.events in (door.storing, browser_door.storing))


@pytest.mark.parametrize("path", PATHS)
def test_only_where_no_cookie_is_read_may_other_websites_read(cast: Cast, path: str) -> None:
    found = addresses.find(path)
    is_intake = found is not None and found[0] in INTAKE
    session = login(cast.hanna).cookies["sessionid"].value
    for method in ("GET", "POST", "OPTIONS"):
        for cookie in ("", f"sessionid={session}"):
            headers = Told(method, path, **FROM_SHOP, Cookie=cookie).headers

            assert ("Access-Control-Allow-Origin" in headers) is is_intake
            assert ("Access-Control-Allow-Credentials" in headers) is is_intake


def test_the_table_has_the_addresses_that_it_says() -> None:
    assert [addresses.find(each.example) for each in addresses.TABLE] == [
        (each, each.example) for each in addresses.TABLE
    ]

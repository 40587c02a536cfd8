"""The door of the intake beside the rest of the portal: its description, its headers, who is led elsewhere."""

from __future__ import annotations

import json
from collections.abc import Callable
from io import BytesIO
from typing import Any
from unittest.mock import patch

import pytest
from django.test import Client
from pytest_django import Settings

from common.http import Request
from events.intake import door
from pixels.models import Pixel
from tests.events.browser_posting import HEADERS, SHOP, page_view
from tests.events.sending import ask, purchase, send, stored_event
from tests.factories import PixelFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def pixel() -> Pixel:
    return PixelFactory.create()


def test_the_api_page_describes_it() -> None:
    assert Client().get("/api/docs").status_code == 200
    paths = Client().get("/api/openapi.json").json()["paths"]

    operation = paths["/capi/{pixel_id}/events"]["post"]
    assert operation["responses"].keys() == {"202", "400", "401", "404", "413", "415", "429", "500", "503"}
    assert "application/json" in operation["requestBody"]["content"]


@pytest.mark.parametrize("path", ["/events", "/events/{number}"])
def test_so_it_does_the_door_of_browsers(path: str) -> None:
    operation = Client().get("/api/openapi.json").json()["paths"][path]["post"]

    assert operation["responses"].keys() == {"200", "400", "413", "415", "429", "500", "503"}
    assert operation["responses"]["200"]["content"].keys() == {"text/plain"}
    fields = operation["requestBody"]["content"]["application/json"]["schema"]["properties"]
    assert {"event_name", "fb.pixel_id", "fb.clickID"} <= fields.keys()


@pytest.mark.parametrize("path", ["/events", "/events/5f3a0c", "/events/5f3a0c/"])
def test_django_alone_takes_what_browsers_post(pixel: Pixel, path: str) -> None:
    answer = Client().post(path, json.dumps(page_view(pixel)), "text/plain", headers=HEADERS)

    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["Access-Control-Allow-Origin"] == SHOP
    assert stored_event(pixel)["event_id"] == "view-1"


def test_django_alone_answers_as_the_server_does(pixel: Pixel) -> None:
    answer = Client().post(f"/capi/{pixel.pixel_id}/events", json.dumps({"data": [purchase()]}), "application/json")

    assert (answer.status_code, answer.json()["events_received"]) == (202, 1)
    assert answer.headers["Access-Control-Allow-Origin"] == "*"


def test_answers_have_the_security_headers_of_all_others(pixel: Pixel, settings: Settings) -> None:
    others = Client().get("/healthz").headers
    names = ["X-Content-Type-Options", "X-Frame-Options", "Referrer-Policy", "Cross-Origin-Opener-Policy"]

    reply = send(pixel, purchase())

    assert [reply.headers[name] for name in names] == [others[name] for name in names]
    assert "default-src 'none'" in reply.headers["Content-Security-Policy"]


def test_where_https_is_asked_for_django_sends_others_there(pixel: Pixel, settings: Settings) -> None:
    settings.SECURE_SSL_REDIRECT = True
    body = json.dumps({"data": [purchase()]}).encode()

    def django(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        start_response("301 Moved Permanently", [])
        return []

    with patch("portal.rsgi._django", django):
        by_http, by_https = (
            ask("POST", f"/capi/{pixel.pixel_id}/events", body, **{"wsgi.url_scheme": scheme})
            for scheme in ("http", "https")
        )

    assert (by_http.status, by_https.status) == (301, 202)


def test_the_door_takes_a_body_that_is_whole_already_and_needs_no_server(pixel: Pixel) -> None:
    body = json.dumps({"data": [purchase()]}).encode()
    headers = {"host": "localhost", "content-type": "application/json", "content-length": str(len(body))}

    response = door.answer(
        Request("POST", f"/capi/{pixel.pixel_id}/events", "", headers, BytesIO(body), address="192.0.2.1")
    )

    assert (response.status, json.loads(response.body)["events_received"]) == (202, 1)


def test_events_come_by_an_accounts_own_domain(pixel: Pixel) -> None:
    reply = send(pixel, purchase(), headers={"Host": "events.shop.example"})

    assert reply.status == 202

"""What WSGI says of a request, as doors read it."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pytest
from django.test import RequestFactory

from common import wsgi
from common.wsgi import read_request


def environment(**variables: Any) -> dict[str, Any]:
    return RequestFactory().generic("POST", "/capi/1/events?a=1", b"{}", "text/plain", **variables).environ


def test_a_request_is_read_in_plain_words() -> None:
    request = read_request(environment(HTTP_X_SHOP="eu", REMOTE_ADDR="192.0.2.7"))

    assert request[:3] == ("POST", "/capi/1/events", "a=1")
    assert request.headers["x-shop"] == "eu"
    assert request.headers["content-type"] == "text/plain"
    assert (request.content_length, request.body.read(10)) == (2, b"{}")
    assert (request.address, request.scheme) == ("192.0.2.7", "http")


def test_without_a_host_the_servers_own_name_stands_in() -> None:
    assert read_request(environment(SERVER_NAME="gateway.example.com")).headers["host"] == "gateway.example.com"


def test_a_header_of_the_callers_is_not_taken_for_the_servers_own() -> None:
    request = read_request(environment(HTTP_CONTENT_LENGTH="999", HTTP_CONTENT_TYPE="text/html"))

    assert (request.content_length, request.headers["content-type"]) == (2, "text/plain")


def test_a_body_ends_where_its_length_says_unless_the_server_marks_the_end() -> None:
    body = {"wsgi.input": BytesIO(b"{}and more"), "CONTENT_LENGTH": "2"}

    assert read_request(environment(**body)).body.read(100) == b"{}"
    assert read_request(environment(**body, **{"wsgi.input_terminated": True})).body.read(100) == b"and more"


def test_callers_who_make_up_headers_fill_no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wsgi, "_MOST_NAMES", len(wsgi._NAMES))

    request = read_request(environment(HTTP_NEVER_SEEN_BEFORE="1"))

    assert request.headers["never-seen-before"] == "1"
    assert "HTTP_NEVER_SEEN_BEFORE" not in wsgi._NAMES

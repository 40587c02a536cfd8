"""Software with a token passes by what is for browsers, and notices nothing of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from django.test import RequestFactory
from django.utils import translation

from portal import wsgi
from portal.machines import is_machine
from tests.base import HUB, Cast, bearer, graphql

VIEWER = "{ viewer { apiAccount } }"


def environment(**headers: str) -> dict[str, Any]:
    body = json.dumps({"query": VIEWER})
    request = RequestFactory().post(
        HUB, body, content_type="application/json", headers=headers, SERVER_NAME="localhost"
    )
    # The factory sends an empty Cookie header.
    return {name: value for name, value in request.environ.items() if name != "HTTP_COOKIE" or value}


@pytest.fixture(autouse=True)
def _one_connection() -> Iterator[None]:
    """A request closes connections when it begins and ends; the test's own must stay."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


def send(**headers: str) -> tuple[str, dict[str, str], bytes]:
    """What the application of a production server answers."""
    started: list[Any] = []
    response = wsgi.application(environment(**headers), lambda *args: started.extend(args))
    return started[0], dict(started[1]), b"".join(response)


def test_a_token_gets_the_same_answer(cast: Cast) -> None:
    token = bearer(cast.robot)

    status, headers, body = send(Authorization=f"Bearer {token}")

    assert (status, json.loads(body)) == ("200 OK", graphql(token, HUB, VIEWER).body)
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert headers["Cache-Control"] == "no-store"
    assert "Set-Cookie" not in headers


def test_a_bad_token_is_refused(db: None) -> None:
    assert send(Authorization="Bearer abc")[0] == "401 Unauthorized"


def test_a_host_that_is_not_ours_is_refused(cast: Cast) -> None:
    assert send(Authorization=f"Bearer {bearer(cast.robot)}", Host="evil.example.com")[0] == "400 Bad Request"


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"Authorization": "Bearer a"}, True),
        ({"Authorization": "bearer a"}, True),
        ({}, False),
        ({"Authorization": "Basic a"}, False),
        ({"Authorization": "Bearer a", "Cookie": "sessionid=1"}, False),
        ({"Authorization": "Bearer a", "Accept-Language": "es"}, False),
    ],
)
def test_what_has_something_of_a_browser_is_none(headers: dict[str, str], expected: bool) -> None:
    assert is_machine(environment(**headers)) is expected


def test_the_language_of_an_earlier_page_is_not_taken_over(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    translation.activate("es")

    send(Authorization=f"Bearer {bearer(cast.robot)}")

    assert translation.get_language() == "en"

"""Software with a token passes by what is for browsers, and notices nothing of it."""

from __future__ import annotations

import json
from io import BytesIO
from typing import Any, cast

import pytest
from django.test import RequestFactory
from django.utils import translation
from pytest_django import Settings

from common.http import Request
from common.wsgi import read_request
from portal import wsgi
from portal.graphql.door import answer, is_from_software
from tests.base import HUB, Cast, bearer, graphql

VIEWER = "{ viewer { apiAccount } }"


def environment(**headers: str) -> dict[str, Any]:
    body = json.dumps({"query": VIEWER})
    request = RequestFactory().post(
        HUB, body, content_type="application/json", headers=headers, SERVER_NAME="localhost"
    )
    # The factory sends an empty Cookie header.
    return {name: value for name, value in request.environ.items() if name != "HTTP_COOKIE" or value}


def send(**headers: str) -> tuple[str, dict[str, str], bytes]:
    """What the application of a production server answers."""
    started: list[Any] = []
    response = wsgi.application(environment(**headers), cast(Any, lambda *args: started.extend(args)))
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
    status, _, body = send(Authorization=f"Bearer {bearer(cast.robot)}", Host="evil.example.com")

    assert status == "400 Bad Request"
    assert json.loads(body)["errors"][0]["extensions"] == {"code": 400}


def test_what_is_refused_is_logged_without_the_token(db: None, caplog: pytest.LogCaptureFixture) -> None:
    send(Authorization="Bearer abc")

    assert [(record.getMessage(), record.__dict__["status_code"]) for record in caplog.records] == [
        ("/hub/graphql was refused", 401)
    ]


def test_who_comes_without_https_is_left_to_django(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.SECURE_SSL_REDIRECT = True
    monkeypatch.setattr(wsgi, "_django", lambda environ, start_response: [b"Django"])

    assert wsgi.application(environment(Authorization="Bearer abc"), lambda *args: bool) == [b"Django"]


def test_the_door_needs_no_server(cast: Cast) -> None:
    body = json.dumps({"query": VIEWER}).encode()
    headers = {
        "host": "localhost",
        "authorization": f"Bearer {bearer(cast.robot)}",
        "content-type": "application/json",
        "content-length": str(len(body)),
    }

    response = answer(Request("POST", "/hub/graphql", "", headers, BytesIO(body), address="192.0.2.1"))

    assert response is not None
    assert json.loads(response.body) == {"data": {"viewer": {"apiAccount": "Robot"}}}


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
def test_what_has_something_of_a_browser_is_djangos(headers: dict[str, str], expected: bool) -> None:
    request = read_request(environment(**headers))._replace(path="/hub/graphql")

    assert is_from_software(request) is expected


def test_the_language_of_an_earlier_page_is_not_taken_over(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    translation.activate("es")

    send(Authorization=f"Bearer {bearer(cast.robot)}")

    assert translation.get_language() == "en"

"""Tokens by client credentials: fetched once, renewed when they end or are not taken any more."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from cachetools import TLRUCache
from pytest_django import Settings
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from common.secrets import MASK
from pipelines.custom_http import tokens
from pipelines.custom_http.answers import Accepted, Answer, Held, Wait
from pipelines.custom_http.configuration import Secrets, Shown
from pipelines.custom_http.parameters import SAMPLE
from pipelines.custom_http.sending import send


@pytest.fixture(autouse=True)
def _served_here(settings: Settings) -> None:
    settings.DESTINATION_ALLOWED_NETWORKS = ["127.0.0.1"]
    tokens.forget_tokens()


class Server:
    """A server with tokens ``t1``, ``t2`` …: the newest is good."""

    def __init__(self, server: HTTPServer) -> None:
        self.server = server
        self.granted = 0
        self.is_revoked = False
        self.answer: dict[str, Any] = {"expires_in": 3600}
        server.expect_request("/token").respond_with_handler(self._grant)
        server.expect_request("/events").respond_with_handler(self._take)

    def _grant(self, request: Request) -> Response:
        self.granted, self.is_revoked = self.granted + 1, False
        return Response(json.dumps({"access_token": f"t{self.granted}", **self.answer}))

    def _take(self, request: Request) -> Response:
        is_good = request.headers.get("Authorization") == f"Bearer t{self.granted}" and not self.is_revoked
        return Response("", 200 if is_good else 401)

    def send(self, **auth: str) -> Answer:
        base = f"http://127.0.0.1:{self.server.port}"
        auth = {"authEndpoint": f"{base}/token", "httpMethod": "POST", "clientId": "portal", **auth}
        shown = {"endpoint": f"{base}/events", "httpMethod": "POST", "authType": "CLIENT_CREDENTIALS"}
        shown |= {"payloadSchema": "{{ event_name }}"}
        return send(Shown.read({**shown, "clientCredentialsAuth": auth}), Secrets(client_secret="s&cret"), [SAMPLE])

    @property
    def asked(self) -> list[str]:
        return [request.path for request, _ in self.server.log]


@pytest.fixture
def server(httpserver: HTTPServer) -> Server:
    return Server(httpserver)


FORM = {"grant_type": "client_credentials", "client_id": "portal", "client_secret": "s&cret"}


@pytest.mark.parametrize("method", ["POST", "PUT", "GET"])
def test_a_token_is_asked_for_and_sent(server: Server, method: str) -> None:
    assert server.send(httpMethod=method) == Accepted(200)

    request = server.server.log[0][0]
    assert request.method == method
    assert (request.args if method == "GET" else request.form).to_dict() == FORM


def test_a_token_is_kept(server: Server) -> None:
    server.send()
    server.send()

    assert server.asked == ["/token", "/events", "/events"]


def test_another_client_gets_another_token(server: Server) -> None:
    server.send()
    server.send(clientId="other")

    assert server.granted == 2


def test_a_token_is_renewed_before_it_ends(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    kept: TLRUCache = TLRUCache(10, ttu=lambda _, token, __: token.ends_at, timer=lambda: now[0])
    monkeypatch.setattr(tokens, "_tokens", kept)

    server.send()
    now[0] = 3_569
    server.send()
    assert server.granted == 1

    now[0] = 3_571
    server.send()
    assert server.granted == 2


def test_a_token_that_is_not_taken_any_more_is_renewed_once(server: Server) -> None:
    server.send()
    server.is_revoked = True

    assert server.send() == Accepted(200)
    assert server.asked == ["/token", "/events", "/events", "/token", "/events"]


def test_where_a_new_one_is_not_taken_either_events_are_held(server: Server, httpserver: HTTPServer) -> None:
    httpserver.clear_all_handlers()
    httpserver.expect_request("/token").respond_with_json({"access_token": "t"})
    httpserver.expect_request("/events").respond_with_data("", 401)

    assert server.send() == Held("HTTP 401", 401)
    assert server.asked == ["/token", "/events", "/token", "/events"]


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (400, '{"error": "invalid_client s&cret"}',
         Held(f'authEndpoint: HTTP 400: {{"error": "invalid_client {MASK}"}}', 400)),
        (401, "", Held("authEndpoint: HTTP 401", 401)),
        (404, "", Held("authEndpoint: HTTP 404", 404)),
        (200, "no json", Held("authEndpoint: the answer holds no access_token.", 200)),
        (200, '{"token": "t"}', Held("authEndpoint: the answer holds no access_token.", 200)),
        (200, '{"access_token": ""}', Held("authEndpoint: the answer holds no access_token.", 200)),
        (200, '{"access_token": "a\\nb"}', Held("authEndpoint: the answer holds no access_token.", 200)),
        (503, "", Wait("authEndpoint: HTTP 503", 503)),
        (302, "", Wait("authEndpoint: HTTP 302: redirects are not followed.", 302)),
    ],
)  # fmt: skip
def test_without_a_token_no_event_is_sent(
    server: Server, httpserver: HTTPServer, status: int, body: str, expected: Answer
) -> None:
    httpserver.clear_all_handlers()
    httpserver.expect_request("/token").respond_with_data(body, status)

    assert server.send() == expected
    assert server.asked == ["/token"]


def test_a_token_is_asked_for_on_the_internet_alone(server: Server) -> None:
    answer = server.send(authEndpoint="http://169.254.169.254/token")

    assert answer == Wait("authEndpoint: The address is not on the public internet.")
    assert server.asked == []


def test_tokens_that_tell_no_end_are_kept_for_minutes(server: Server) -> None:
    server.answer = {}

    server.send()
    server.send()

    assert server.granted == 1

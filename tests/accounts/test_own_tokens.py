"""Revoking (RFC 7009) and asking about (RFC 7662) one's own tokens, and the metadata that tells how (RFC 8414)."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest
import time_machine
from authlib.oauth2.rfc8414 import AuthorizationServerMetadata
from django.test import Client
from limits import parse
from pytest_django import Settings

from accounts.authentication import principal_from_bearer
from accounts.models import AccessToken
from tests.accounts.token_requests import FORM, assert_refused, basic, body_of, post_urlencoded
from tests.base import HUB, Cast, bearer, graphql, snapshot

if TYPE_CHECKING:
    from django.test.client import _MonkeyPatchedWSGIResponse as Response

NOON = "2026-03-02T12:00:00Z"
REVOKE, INTROSPECT = "/clients/revoke", "/clients/introspect"
METADATA = "/.well-known/oauth-authorization-server"

both = pytest.mark.parametrize("url", [REVOKE, INTROSPECT])


def post(url: str, fields: dict[str, str], **headers: str) -> Response:
    return Client(enforce_csrf_checks=True).post(url, urlencode(fields), content_type=FORM, headers=headers)


@pytest.fixture
def credentials(shop: dict[str, str]) -> dict[str, str]:
    return {name: shop[name] for name in ("client_id", "client_secret")}


@pytest.fixture
def token(shop: dict[str, str]) -> str:
    return str(body_of(post_urlencoded(shop))["access_token"])


# --- Revocation ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("hint", [{}, {"token_type_hint": "access_token"}, {"token_type_hint": "of-tomorrow"}])
def test_a_revoked_token_ends_at_once(credentials: dict[str, str], token: str, hint: dict[str, str]) -> None:
    assert graphql(token, HUB, "{ viewer { kind } }").status == 200  # which remembers it

    response = post(REVOKE, credentials | {"token": token} | hint)

    assert (response.status_code, body_of(response)) == (200, {})
    assert response.headers["Cache-Control"] == "no-store"
    assert graphql(token, HUB, "{ viewer { kind } }").refused(401)
    assert post(REVOKE, credentials | {"token": token}).status_code == 200  # again


def test_revoking_leaves_the_accounts_other_tokens(
    shop: dict[str, str], credentials: dict[str, str], token: str
) -> None:
    other = body_of(post_urlencoded(shop))["access_token"]

    post(REVOKE, credentials | {"token": token})

    assert principal_from_bearer(other) is not None


def test_another_accounts_token_is_as_unknown_as_one_that_never_was(credentials: dict[str, str], cast: Cast) -> None:
    theirs = bearer(cast.robot)
    before = snapshot()

    answers = [post(REVOKE, credentials | {"token": text}) for text in (theirs, "never-was", "\0", "ü🤖")]

    assert {(answer.status_code, answer.content) for answer in answers} == {(200, b"{}")}
    assert snapshot() == before
    assert principal_from_bearer(theirs) is not None


# --- Introspection ---------------------------------------------------------------------------------------------------


def test_a_valid_token_is_told_with_its_account_and_its_end(shop: dict[str, str], credentials: dict[str, str]) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        token = body_of(post_urlencoded(shop))["access_token"]
        response = post(INTROSPECT, {"token": token}, Authorization=basic("Shop1", credentials["client_secret"]))
        assert body_of(response) == {
            "active": True,
            "client_id": "Shop1",
            "sub": "Shop1",
            "token_type": "Bearer",
            "scope": "agency-admin",
            "iat": 1772452800,
            "exp": 1772452800 + 36000,
            "iss": "http://localhost:8000",
        }
        assert response.headers["Cache-Control"] == "no-store"
        clock.shift(36000)
        assert body_of(post(INTROSPECT, credentials | {"token": token})) == {"active": False}


def test_of_any_other_token_nothing_is_told(credentials: dict[str, str], token: str, cast: Cast) -> None:
    ended = bearer(cast.robot, lifetime=timedelta(hours=-1))
    post(REVOKE, credentials | {"token": token})

    for text in (token, bearer(cast.robot), ended, "never-was", "\0"):
        response = post(INTROSPECT, credentials | {"token": text})
        assert (response.status_code, body_of(response)) == (200, {"active": False})


# --- Both ------------------------------------------------------------------------------------------------------------


@both
@pytest.mark.parametrize(
    ("change", "status", "error"),
    [
        ({"client_secret": "wrong"}, 401, "invalid_client"),
        ({"client_id": "Nobody"}, 401, "invalid_client"),
        ({"client_id": "", "client_secret": ""}, 401, "invalid_client"),
        ({"token": ""}, 400, "invalid_request"),
        ({"token": "x" * 501}, 400, "invalid_request"),
    ],
)
def test_a_wrong_request_is_refused_and_ends_nothing(
    credentials: dict[str, str], token: str, url: str, change: dict[str, str], status: int, error: str
) -> None:
    before = snapshot()

    assert_refused(post(url, credentials | {"token": token} | change), status, error)
    assert snapshot() == before


@both
def test_a_token_in_the_address_is_refused(credentials: dict[str, str], token: str, url: str) -> None:
    assert_refused(post(f"{url}?token={token}", credentials), 400, "invalid_request")


@both
def test_a_bearer_token_does_not_sign_in_here(token: str, url: str) -> None:
    assert_refused(post(url, {"token": token}, Authorization=f"Bearer {token}"), 401, "invalid_client")


@both
def test_guessing_the_secret_here_is_limited_as_at_the_token_endpoint(
    shop: dict[str, str], credentials: dict[str, str], token: str, url: str, settings: Settings
) -> None:
    settings.TOKEN_RATE_LIMIT = parse("3/minute")
    for _ in range(3):
        assert post(url, credentials | {"token": token, "client_secret": "wrong"}).status_code == 401

    assert_refused(post(url, credentials | {"token": token}), 429, "slow_down")
    assert_refused(post_urlencoded(shop), 429, "slow_down")


@both
def test_guessing_tokens_is_limited_as_other_requests_are(
    credentials: dict[str, str], url: str, settings: Settings
) -> None:
    settings.API_RATE_LIMIT = parse("3/minute")
    answers = [post(url, credentials | {"token": f"guess{n}"}) for n in range(4)]

    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert int(answers[-1].headers["Retry-After"]) > 0


@both
@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_other_methods_are_refused_in_json(url: str, method: str, db: None) -> None:
    response = Client().generic(method, url)

    assert (response.status_code, response.headers["Content-Type"]) == (405, "application/json")


@both
def test_a_fault_of_ours_is_told_in_the_same_form(
    credentials: dict[str, str], token: str, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(**_: Any) -> None:
        raise RuntimeError("the disk is full")

    monkeypatch.setattr("accounts.oauth.find_access_token", fail)

    assert_refused(post(url, credentials | {"token": token}), 500, "server_error")


@both
def test_no_token_and_no_secret_is_logged(
    credentials: dict[str, str], token: str, url: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        post(url, credentials | {"token": token})
        post(url, credentials | {"token": token, "client_secret": "a-wrong-one"})

    assert all(text not in caplog.text for text in (token, credentials["client_secret"], "a-wrong-one"))


# --- Metadata --------------------------------------------------------------------------------------------------------


def test_clients_find_the_addresses_by_themselves(db: None, settings: Settings) -> None:
    settings.BASE_URL = "https://gateway.example.com"

    response = Client().get(METADATA)

    told = body_of(response)
    assert (response.status_code, response.headers["Content-Type"]) == (200, "application/json")
    # Required, and empty without an authorization endpoint, for which Authlib's check has no case.
    assert told["response_types_supported"] == []
    AuthorizationServerMetadata(told | {"response_types_supported": ["none"]}).validate()
    assert told["issuer"] == "https://gateway.example.com"
    assert told["token_endpoint"] == "https://gateway.example.com/clients/token"
    assert told["revocation_endpoint"] == "https://gateway.example.com/clients/revoke"
    assert told["introspection_endpoint"] == "https://gateway.example.com/clients/introspect"
    assert told["scopes_supported"] == ["agency-admin", "agency-view"]
    assert told["grant_types_supported"] == ["client_credentials"]


def test_what_the_metadata_says_of_signing_in_holds(credentials: dict[str, str], shop: dict[str, str]) -> None:
    told = body_of(Client().get(METADATA))
    header = basic("Shop1", credentials["client_secret"])
    ways: dict[str, tuple[dict[str, str], dict[str, str]]] = {
        "client_secret_basic": ({}, {"Authorization": header}),
        "client_secret_post": (credentials, {}),
    }

    for endpoint in ("token", "revocation", "introspection"):
        path = told[f"{endpoint}_endpoint"].removeprefix(told["issuer"])
        for method in told[f"{endpoint}_endpoint_auth_methods_supported"]:
            fields, headers = ways[method]
            asked = {"grant_type": "client_credentials"} if endpoint == "token" else {"token": "x"}
            assert post(path, asked | fields, **headers).status_code == 200
    assert AccessToken.objects.count() == 2

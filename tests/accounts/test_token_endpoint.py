"""POST /clients/token: RFC 6749 to the letter. Sections (§) are its own."""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import timedelta
from unittest import mock
from urllib.parse import urlencode

import pytest
import time_machine
from django.test import Client
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart

from accounts.authentication import principal_from_bearer
from accounts.models import AccessToken, ApiAccount
from accounts.principals import OPERATOR
from accounts.services import api_accounts
from accounts.services.api_accounts import delete_api_account
from tests.accounts.token_requests import (
    FORM,
    URL,
    Sender,
    assert_refused,
    basic,
    body_of,
    both_forms,
    post_multipart,
    post_urlencoded,
)
from tests.base import Cast, bearer, snapshot

NOON = "2026-03-02T12:00:00Z"

# --- Success (§5.1) --------------------------------------------------------------------------------------------------


@both_forms
def test_the_right_secret_gets_a_token(shop: dict[str, str], post: Sender) -> None:
    response = post(shop)
    body = body_of(response)
    assert response.status_code == 200
    assert body == {
        "access_token": body["access_token"],
        "token": body["access_token"],
        "token_type": "Bearer",
        "expires_in": 36000,
    }
    assert response.headers["Content-Type"] == "application/json"
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["Pragma"] == "no-cache"
    assert "Set-Cookie" not in response.headers


def test_the_token_signs_the_account_in(shop: dict[str, str]) -> None:
    principal = principal_from_bearer(body_of(post_urlencoded(shop))["token"])
    assert principal is not None
    assert principal.api_account == ApiAccount.objects.get(name="Shop1")


def test_the_token_lasts_ten_hours(shop: dict[str, str]) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        token = body_of(post_urlencoded(shop))["token"]
        clock.shift(36000 - 1)
        assert principal_from_bearer(token) is not None
        clock.shift(1)
        assert principal_from_bearer(token) is None


def test_tokens_do_not_replace_each_other(shop: dict[str, str]) -> None:
    tokens = {body_of(post_urlencoded(shop))["token"] for _ in range(3)}
    assert len(tokens) == 3
    assert all(principal_from_bearer(token) for token in tokens)


def test_only_the_tokens_hash_is_kept(shop: dict[str, str]) -> None:
    token = body_of(post_urlencoded(shop))["token"]
    assert token not in repr(snapshot())
    assert AccessToken.objects.get().token_hash == hashlib.sha256(token.encode()).hexdigest()


@both_forms
def test_basic_signs_in_as_well(shop: dict[str, str], post: Sender) -> None:
    header = basic("Shop1", shop["client_secret"])
    response = post({"grant_type": "client_credentials"}, Authorization=header)
    assert response.status_code == 200


def test_basic_holds_form_urlencoded_parts(shop: dict[str, str]) -> None:
    pair = f"%53hop1:{''.join(f'%{ord(char):02X}' for char in shop['client_secret'])}"
    header = "basic " + base64.b64encode(pair.encode()).decode()
    assert post_urlencoded({"grant_type": "client_credentials"}, Authorization=header).status_code == 200


def test_basic_and_the_same_name_in_the_form_go_together(shop: dict[str, str]) -> None:
    header = basic("Shop1", shop["client_secret"])
    fields = {"grant_type": "client_credentials", "client_id": "Shop1"}
    assert post_urlencoded(fields, Authorization=header).status_code == 200


@both_forms
def test_parameters_without_a_value_count_as_not_sent(shop: dict[str, str], post: Sender) -> None:
    assert post(shop | {"scope": ""}).status_code == 200
    header = basic("Shop1", shop["client_secret"])
    empty = {"grant_type": "client_credentials", "client_id": "", "client_secret": ""}
    assert post(empty, Authorization=header).status_code == 200


@both_forms
@pytest.mark.parametrize("scope", ["admin", "read write", "openid profile", " "])
def test_a_scope_is_ignored_and_the_answer_says_which_holds(shop: dict[str, str], post: Sender, scope: str) -> None:
    """§3.3: what differs from what was asked for is told."""
    response = post(shop | {"scope": scope})

    assert (response.status_code, body_of(response)["scope"]) == (200, "agency-admin")


def test_unknown_parameters_are_ignored(shop: dict[str, str]) -> None:
    fields = [*shop.items(), ("resource", "one"), ("resource", "two"), ("audience", "x" * 1000)]
    assert post_urlencoded(fields).status_code == 200


def test_issuing_is_remembered_with_the_account(shop: dict[str, str]) -> None:
    with time_machine.travel(NOON, tick=False):
        post_urlencoded(shop)
    last_used_at = ApiAccount.objects.get(name="Shop1").last_used_at
    assert last_used_at is not None
    assert last_used_at.isoformat() == "2026-03-02T12:00:00+00:00"


def test_a_new_token_clears_away_the_accounts_expired_ones(shop: dict[str, str], cast: Cast) -> None:
    account = ApiAccount.objects.get(name="Shop1")
    valid = bearer(account)
    bearer(account, lifetime=-timedelta(seconds=1))
    bearer(cast.robot, lifetime=-timedelta(seconds=1))
    post_urlencoded(shop)
    assert account.tokens.count() == 2
    assert principal_from_bearer(valid) is not None
    assert cast.robot.tokens.count() == 1


def test_a_new_token_clears_away_what_has_just_expired_and_nothing_that_is_good(shop: dict[str, str]) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        token = body_of(post_urlencoded(shop))["token"]
        clock.shift(36000 - 1)
        post_urlencoded(shop)
        assert principal_from_bearer(token) is not None
        clock.shift(1)
        post_urlencoded(shop)
        assert AccessToken.objects.count() == 2


# --- Refusals (§5.2) -------------------------------------------------------------------------------------------------

#: What is wrong with the form, how it differs from a right one (None: left out), and the error.
FORM_CHECKS: list[tuple[str, dict[str, str | None], int, str]] = [
    ("no grant type", {"grant_type": None}, 400, "invalid_request"),
    ("empty grant type", {"grant_type": ""}, 400, "invalid_request"),
    ("another grant type", {"grant_type": "password"}, 400, "unsupported_grant_type"),
    ("grant type in capitals", {"grant_type": "CLIENT_CREDENTIALS"}, 400, "unsupported_grant_type"),
    ("grant type with text that is not ASCII", {"grant_type": "\u20ac\0"}, 400, "unsupported_grant_type"),
    ("no client", {"client_id": None, "client_secret": None}, 401, "invalid_client"),
    ("no name", {"client_id": None}, 401, "invalid_client"),
    ("no secret", {"client_secret": None}, 401, "invalid_client"),
    ("empty secret", {"client_secret": ""}, 401, "invalid_client"),
    ("unknown name", {"client_id": "Nobody"}, 401, "invalid_client"),
    ("name in small letters", {"client_id": "shop1"}, 401, "invalid_client"),
    ("name with a line break", {"client_id": "Shop1\n"}, 401, "invalid_client"),
    ("name with NUL", {"client_id": "Shop1\0"}, 401, "invalid_client"),
    ("name that is not ASCII", {"client_id": "Ⅳ🤖"}, 401, "invalid_client"),
    ("wrong secret", {"client_secret": "wrong"}, 401, "invalid_client"),
    ("secret with NUL", {"client_secret": "\0"}, 401, "invalid_client"),
    ("secret that is not ASCII", {"client_secret": "ü🤖"}, 401, "invalid_client"),
    ("a long name", {"client_id": "a" * 501}, 400, "invalid_request"),
    ("a long secret", {"client_secret": "a" * 501}, 400, "invalid_request"),
    ("a long scope", {"scope": "a" * 501}, 400, "invalid_request"),
    ("a long body", {"other": "a" * 10_000}, 400, "invalid_request"),
]


@both_forms
@pytest.mark.parametrize(
    ("change", "status", "error"), [pytest.param(*check[1:], id=check[0]) for check in FORM_CHECKS]
)
def test_a_wrong_form_is_refused(
    shop: dict[str, str], post: Sender, change: dict[str, str | None], status: int, error: str
) -> None:
    before = snapshot()
    fields = {name: value for name, value in (shop | change).items() if value is not None}
    response = post(fields)
    assert_refused(response, status, error)
    assert snapshot() == before


def encoded(pair: bytes) -> str:
    return "Basic " + base64.b64encode(pair).decode()


@pytest.mark.parametrize(
    "header",
    [
        pytest.param(basic("Shop1", "wrong"), id="wrong secret"),
        pytest.param(basic("Nobody", "wrong"), id="unknown name"),
        pytest.param(basic("Shop1", ""), id="empty secret"),
        pytest.param(encoded(b"Shop1"), id="no colon"),
        pytest.param(encoded(b""), id="nothing"),
        pytest.param(encoded(b"\xff:\xff"), id="not UTF-8"),
        pytest.param(encoded(b"Shop1%00:%00"), id="NUL"),
        pytest.param(encoded(b"%ED%A0%80:%ED%A0%80"), id="surrogates"),
        pytest.param(encoded(b"a" * 5000 + b":" + b"b" * 5000), id="long"),
        pytest.param("Basic", id="scheme alone"),
        pytest.param("Basic !!!", id="not base64"),
        pytest.param("Basic \xfc\xfc\xfc", id="not ASCII"),
        pytest.param("Bearer abc", id="another scheme"),
        pytest.param("nonsense", id="nonsense"),
    ],
)
def test_a_wrong_authorization_header_is_refused(shop: dict[str, str], header: str) -> None:
    before = snapshot()
    response = post_urlencoded({"grant_type": "client_credentials"}, Authorization=header)
    assert_refused(response, 401, "invalid_client")
    assert snapshot() == before


@pytest.mark.parametrize("parameter", ["grant_type", "client_id", "client_secret"])
def test_a_repeated_parameter_is_refused(shop: dict[str, str], parameter: str) -> None:
    response = post_urlencoded([*shop.items(), (parameter, shop[parameter])])
    assert_refused(response, 400, "invalid_request")
    assert body_of(response)["error_description"] == f"{parameter} is repeated."


def test_a_repeated_parameter_is_refused_in_multipart_too(shop: dict[str, str]) -> None:
    response = post_multipart(shop | {"client_id": ["Shop1", "Shop1"]})
    assert_refused(response, 400, "invalid_request")


@both_forms
def test_two_ways_of_signing_in_at_once_are_refused(shop: dict[str, str], post: Sender) -> None:
    response = post(shop, Authorization=basic("Shop1", shop["client_secret"]))
    assert_refused(response, 400, "invalid_request")


def test_basic_and_another_name_in_the_form_are_refused(shop: dict[str, str]) -> None:
    fields = {"grant_type": "client_credentials", "client_id": "Robot"}
    response = post_urlencoded(fields, Authorization=basic("Shop1", shop["client_secret"]))
    assert_refused(response, 400, "invalid_request")


@pytest.mark.parametrize("parameter", ["client_secret", "client_id", "grant_type", "scope"])
def test_parameters_in_the_address_are_refused(shop: dict[str, str], parameter: str) -> None:
    """§2.3.1: addresses end up in logs. The form is right, and the request is refused all the same."""
    response = Client().post(f"{URL}?{parameter}=x", urlencode(shop), content_type=FORM)
    assert_refused(response, 400, "invalid_request")
    assert "address" in body_of(response)["error_description"]


def test_a_sign_in_by_address_alone_is_refused(shop: dict[str, str]) -> None:
    response = Client().post(f"{URL}?{urlencode(shop)}", "", content_type=FORM)
    assert_refused(response, 400, "invalid_request")


@pytest.mark.parametrize("content_type", ["application/json", "text/plain", "", "application/xml", "multipart/mixed"])
def test_another_content_type_is_refused(shop: dict[str, str], content_type: str) -> None:
    response = Client().generic("POST", URL, json.dumps(shop), content_type=content_type)
    assert_refused(response, 400, "invalid_request")
    assert FORM in body_of(response)["error_description"]


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        pytest.param("multipart/form-data", b"x", id="no boundary"),
        pytest.param("multipart/form-data; boundary=\x00", b"x", id="bad boundary"),
        pytest.param(f"multipart/form-data; boundary={BOUNDARY}; charset=rot13", None, id="charset that is none"),
        pytest.param(f"{FORM}; charset=utf-16", b"x=1", id="charset that is not UTF-8"),
        pytest.param(FORM, b"a&" * 1500, id="too many parameters"),
        pytest.param(FORM, b"", id="empty"),
        pytest.param(FORM, b"\xff\xfe\x00=%ff%00", id="noise"),
    ],
)
def test_a_body_that_is_no_form_is_refused(shop: dict[str, str], content_type: str, body: bytes | None) -> None:
    sent = encode_multipart(BOUNDARY, shop) if body is None else body
    assert_refused(Client().generic("POST", URL, sent, content_type=content_type), 400, "invalid_request")


def test_surrogates_that_an_odd_charset_brings_sign_nobody_in(shop: dict[str, str]) -> None:
    body = encode_multipart(BOUNDARY, shop | {"client_id": "+2AA-", "client_secret": "+2AA-"})
    response = Client().generic("POST", URL, body, content_type=f"{MULTIPART_CONTENT}; charset=utf-7")
    assert response.status_code in (400, 401)


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_only_post_is_served(shop: dict[str, str], method: str) -> None:
    response = Client().generic(method, f"{URL}?{urlencode(shop)}")
    assert response.status_code == 405
    assert response.headers["Allow"] == "POST"


def test_a_session_does_not_help(shop: dict[str, str], cast: Cast) -> None:
    client = Client()
    client.force_login(cast.hanna)
    response = client.post(URL, urlencode({"grant_type": "client_credentials"}), content_type=FORM)
    assert_refused(response, 401, "invalid_client")


def test_an_account_deleted_between_the_check_and_the_issue_gets_no_token(shop: dict[str, str]) -> None:
    def check_then_delete(*, name: str, secret: str) -> ApiAccount | None:
        found = api_accounts.check_credentials(name=name, secret=secret)
        delete_api_account(principal=OPERATOR, name=name)
        return found

    with mock.patch("accounts.oauth.check_credentials", check_then_delete):
        assert_refused(post_urlencoded(shop), 401, "invalid_client")
    assert not AccessToken.objects.exists()


def test_a_fault_of_ours_is_told_in_the_form_of_the_other_errors(
    shop: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    with mock.patch("accounts.oauth.check_credentials", side_effect=RuntimeError("the disk is full")):
        response = post_urlencoded(shop)

    assert_refused(response, 500, "server_error")
    assert b"disk" not in response.content
    assert "A request about a token could not be answered." in caplog.text

"""POST /clients/token helps nobody who guesses: answers, time, the limit on failures, and the logs."""

from __future__ import annotations

import logging
from unittest import mock
from urllib.parse import urlencode

import pytest
import time_machine
from django.test import Client
from limits import parse
from pytest_django import Settings

from accounts.secret_hashes import hash_secret
from tests.accounts.token_requests import (
    FORM,
    URL,
    assert_refused,
    basic,
    body_of,
    cost_of,
    post_urlencoded,
)

NOON = "2026-03-02T12:00:00Z"

# --- No telling whether an account exists ----------------------------------------------------------------------------


def test_an_unknown_account_and_a_wrong_secret_get_the_same_answer(shop: dict[str, str]) -> None:
    wrong = post_urlencoded(shop | {"client_secret": "wrong"})
    unknown = post_urlencoded(shop | {"client_id": "Nobody"})
    impossible = post_urlencoded(shop | {"client_id": "no-such-name"})
    assert wrong.content == unknown.content == impossible.content
    assert wrong.headers == unknown.headers == impossible.headers


def test_an_unknown_account_and_a_wrong_secret_cost_the_same(shop: dict[str, str]) -> None:
    with mock.patch("accounts.services.api_accounts.hash_secret", wraps=hash_secret) as hashes:
        costs = [
            cost_of(shop | change) for change in ({"client_secret": "w"}, {"client_id": "Nobody"}, {"client_id": "-"})
        ]
    assert len(costs[0]) == 1
    assert costs[0] == costs[1] == costs[2]
    assert hashes.call_count == 3


def test_a_token_costs_two_look_ups_and_three_writes(shop: dict[str, str]) -> None:
    verbs = [sql.split()[0] for sql in cost_of(shop)]
    assert [verb for verb in verbs if verb in ("SELECT", "UPDATE", "DELETE", "INSERT")] == [
        "SELECT", "SELECT", "UPDATE", "DELETE", "INSERT",
    ]  # fmt: skip


# --- The limit on failures -------------------------------------------------------------------------------------------


@pytest.fixture
def three_a_minute(settings: Settings) -> None:
    settings.TOKEN_RATE_LIMIT = parse("3/minute")


def fail(shop: dict[str, str], times: int = 3, address: str = "127.0.0.1") -> None:
    for _ in range(times):
        response = Client(REMOTE_ADDR=address).post(
            URL, urlencode(shop | {"client_secret": "wrong"}), content_type=FORM
        )
        assert response.status_code == 401


@pytest.mark.usefixtures("three_a_minute")
def test_beyond_the_limit_even_the_right_secret_waits(shop: dict[str, str]) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        fail(shop)
        clock.shift(15)
        response = post_urlencoded(shop)
        assert_refused(response, 429, "slow_down")
        assert response.headers["Retry-After"] == "45"
        clock.shift(46)
        assert post_urlencoded(shop).status_code == 200


@pytest.mark.usefixtures("three_a_minute")
def test_beyond_the_limit_the_database_is_left_alone(shop: dict[str, str]) -> None:
    fail(shop)
    assert cost_of(shop) == []


@pytest.mark.usefixtures("three_a_minute")
def test_success_is_never_counted(shop: dict[str, str]) -> None:
    assert [post_urlencoded(shop).status_code for _ in range(8)] == [200] * 8


@pytest.mark.usefixtures("three_a_minute")
def test_requests_that_guess_nothing_are_not_counted(shop: dict[str, str]) -> None:
    for _ in range(5):
        post_urlencoded(shop | {"grant_type": "password"})
        post_urlencoded(shop | {"scope": "admin"})
    assert post_urlencoded(shop).status_code == 200


@pytest.mark.usefixtures("three_a_minute")
def test_basic_and_form_share_the_count(shop: dict[str, str]) -> None:
    fail(shop)
    response = post_urlencoded({"grant_type": "client_credentials"}, Authorization=basic("Shop1", "wrong"))
    assert response.status_code == 429


@pytest.mark.usefixtures("three_a_minute")
def test_other_addresses_and_other_accounts_go_on(shop: dict[str, str]) -> None:
    fail(shop, address="192.0.2.1")
    assert post_urlencoded(shop).status_code == 200
    fail(shop | {"client_id": "Nobody"})
    assert post_urlencoded(shop).status_code == 200


@pytest.mark.usefixtures("three_a_minute")
def test_a_forwarded_header_does_not_make_another_address(shop: dict[str, str]) -> None:
    fail(shop)
    assert post_urlencoded(shop, **{"X-Forwarded-For": "192.0.2.9"}).status_code == 429


@pytest.mark.usefixtures("three_a_minute")
def test_an_unknown_account_is_limited_alike(shop: dict[str, str]) -> None:
    fail(shop | {"client_id": "Nobody"})
    assert post_urlencoded(shop | {"client_id": "Nobody"}).status_code == 429


# --- Logs ------------------------------------------------------------------------------------------------------------


def test_no_secret_and_no_token_is_logged_at_debug(
    shop: dict[str, str], caplog: pytest.LogCaptureFixture, settings: Settings
) -> None:
    settings.DEBUG = True
    header = basic("Shop1", shop["client_secret"])
    with caplog.at_level(logging.DEBUG):
        token = body_of(post_urlencoded(shop))["token"]
        post_urlencoded({"grant_type": "client_credentials"}, Authorization=header)
        post_urlencoded(shop | {"client_secret": "a wrong secret"})
        Client().post(f"{URL}?{urlencode(shop)}", urlencode(shop), content_type=FORM)
    assert caplog.records, "a refusal at least is logged"
    for kept_quiet in (token, shop["client_secret"], header, "a wrong secret", "a+wrong+secret"):
        assert kept_quiet not in caplog.text

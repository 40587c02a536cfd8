"""Who may speak to a GraphQL endpoint: the holder of a token, or a person with a session and the CSRF token."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from cachetools import LRUCache
from django.test import Client
from django.utils import timezone
from graphql import get_introspection_query

from accounts import authentication
from accounts.models import AccessToken
from common.graphql import documents
from tests.base import bearer, client_of, login
from tests.factories import ApiAccountFactory, UserFactory
from tests.portal.graphql import toy
from tests.portal.graphql.toy import URL

CALLER = "{ caller }"


def post(client: Client, document: str = CALLER, **headers: str) -> Any:
    return client.post(URL, {"query": document}, content_type="application/json", headers=headers)


def csrf_token_of(client: Client) -> str:
    client.cookies["csrftoken"] = "a" * 32
    return "a" * 32


def assert_not_signed_in(response: Any, *, challenge: str = 'Bearer realm="gateway"') -> str:
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"] == challenge
    assert response.headers["Cache-Control"] == "no-store"
    body = response.json()
    assert list(body) == ["errors"]
    assert body["errors"][0]["extensions"] == {"code": 401}
    return str(body["errors"][0]["message"])


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_a_token_signs_its_api_account_in(client: Client, token: str, scheme: str) -> None:
    response = post(client, Authorization=f"{scheme} {token}")

    assert response.status_code == 200
    assert response.json() == {"data": {"caller": "API account Robot"}}


@pytest.mark.django_db
def test_without_credentials_the_answer_asks_for_a_token(client: Client) -> None:
    message = assert_not_signed_in(post(client))

    assert "/clients/token" in message


@pytest.mark.django_db
def test_an_unknown_token_is_an_invalid_token(client: Client) -> None:
    response = post(client, Authorization="Bearer abc")

    assert_not_signed_in(response, challenge='Bearer realm="gateway", error="invalid_token"')


@pytest.mark.django_db
def test_an_expired_token_is_an_invalid_token(client: Client) -> None:
    expired = bearer(ApiAccountFactory.create(), lifetime=timedelta(seconds=-1))

    response = post(client, Authorization=f"Bearer {expired}")

    assert_not_signed_in(response, challenge='Bearer realm="gateway", error="invalid_token"')


@pytest.mark.parametrize("header", ["Bearer", "Bearer ", "Bearer a b", "Bearer a,b", "Bearer käse", "Bearer a\0b"])
def test_a_malformed_authorization_is_an_invalid_request(client: Client, header: str) -> None:
    response = post(client, Authorization=header)

    assert response.status_code == 400
    assert response.headers["WWW-Authenticate"] == 'Bearer realm="gateway", error="invalid_request"'
    assert response.json()["errors"][0]["extensions"] == {"code": 400}


def test_the_token_costs_one_query(robot: Client, django_assert_num_queries: Any) -> None:
    for _ in range(2):  # it is remembered, and asked for all the same
        with django_assert_num_queries(1):
            post(robot)


def take_back() -> None:
    AccessToken.objects.all().delete()


def expire() -> None:
    AccessToken.objects.update(expires_at=timezone.now())


@pytest.mark.parametrize("end", [take_back, expire])
@pytest.mark.parametrize(
    "document",
    [
        CALLER,  # asks the database nothing
        "{ rows }",  # asks by the ORM
        "{ name }",  # asks with a statement
        "{ broken }",
        "{ __typename @skip(if: false) }",  # is not compiled
        "{ not GraphQL",
        'mutation { rename(name: "new") }',
    ],
)
def test_a_token_that_has_ended_is_worth_nothing_though_it_is_remembered(
    robot: Client, document: str, end: Callable[[], None]
) -> None:
    assert post(robot).status_code == 200
    end()

    response = post(robot, document)

    assert_not_signed_in(response, challenge='Bearer realm="gateway", error="invalid_token"')
    assert toy.renamed == []


@pytest.mark.parametrize("document", [CALLER, "{ rows }", "{ name }", "{ __typename @skip(if: false) }"])
@pytest.mark.parametrize(("seconds", "status"), [(-1, 200), (0, 401)])
def test_a_remembered_token_is_good_until_the_moment_it_expires(
    robot: Client, document: str, seconds: int, status: int
) -> None:
    assert post(robot).status_code == 200

    with time_machine.travel(AccessToken.objects.get().expires_at + timedelta(seconds=seconds), tick=False):
        assert post(robot, document).status_code == status


def test_a_read_takes_one_statement_the_look_up_of_a_remembered_token_included(
    robot: Client, django_assert_num_queries: Any
) -> None:
    post(robot)

    with django_assert_num_queries(1):
        assert post(robot, "{ name }").json() == {"data": {"name": "Robot"}}


def test_tokens_are_remembered_within_bounds(robot: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    remembered: LRUCache[str, Any] = LRUCache(2)
    monkeypatch.setattr(authentication, "_remembered", remembered)
    for _ in range(5):
        post(client_of(bearer(ApiAccountFactory.create())))

    assert len(remembered) == 2
    assert post(robot).status_code == 200


def test_what_a_valid_token_asks_of_a_missing_row_is_answered(robot: Client) -> None:
    for _ in range(2):
        assert post(robot, '{ name(of: "nobody") }').json() == {"data": {"name": None}}


@pytest.mark.django_db
def test_introspection_is_for_callers_who_are_signed_in(client: Client) -> None:
    assert_not_signed_in(post(client, get_introspection_query()))


@pytest.mark.django_db
def test_nothing_is_parsed_before_sign_in(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "parse", pytest.fail)

    assert_not_signed_in(client.post(URL, "{ not JSON", content_type="application/json"))
    assert_not_signed_in(post(client, "{ not GraphQL"))


@pytest.mark.django_db
def test_a_session_with_the_csrf_token_signs_its_person_in() -> None:
    browser = login(UserFactory.create(email="ada@example.com"), enforce_csrf_checks=True)

    response = post(browser, **{"X-CSRFToken": csrf_token_of(browser)})

    assert response.json() == {"data": {"caller": "ada@example.com"}}


@pytest.mark.django_db
def test_a_session_without_the_csrf_token_is_refused_in_words_that_say_so() -> None:
    browser = login(UserFactory.create(), enforce_csrf_checks=True)
    csrf_token_of(browser)

    assert "CSRF" in assert_not_signed_in(post(browser))


@pytest.mark.django_db
def test_a_session_from_another_site_is_refused() -> None:
    browser = login(UserFactory.create(), enforce_csrf_checks=True)

    response = post(browser, **{"X-CSRFToken": csrf_token_of(browser), "Origin": "https://evil.example.com"})

    assert "CSRF" in assert_not_signed_in(response)


@pytest.mark.django_db
def test_the_session_of_a_deactivated_person_is_worth_nothing() -> None:
    person = UserFactory.create()
    browser = login(person)
    person.status = person.Status.DEACTIVATED
    person.save(update_fields=["status"])

    assert_not_signed_in(post(browser))


def test_a_token_beats_a_session_and_needs_no_csrf_token(token: str) -> None:
    browser = login(UserFactory.create(), enforce_csrf_checks=True)

    response = post(browser, Authorization=f"Bearer {token}")

    assert response.json() == {"data": {"caller": "API account Robot"}}


@pytest.mark.django_db
def test_a_bad_token_is_not_saved_by_a_session() -> None:
    browser = login(UserFactory.create())

    assert_not_signed_in(
        post(browser, Authorization="Bearer abc"), challenge='Bearer realm="gateway", error="invalid_token"'
    )


@pytest.mark.django_db
def test_the_password_of_a_proxy_does_not_stand_in_the_way_of_a_session() -> None:
    browser = login(UserFactory.create(email="ada@example.com"))

    assert post(browser, Authorization="Basic c3RhZ2luZzpzdGFnaW5n").status_code == 200


@pytest.mark.django_db
def test_get_is_not_for_sessions() -> None:
    browser = login(UserFactory.create())

    assert "bearer token" in assert_not_signed_in(browser.get(URL, {"query": CALLER}))

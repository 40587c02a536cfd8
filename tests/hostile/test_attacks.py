"""What hostile requests get: a short refusal, at once, before anything is executed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.principals import OPERATOR
from accounts.services.people import add_user_with_role
from common.graphql import documents
from tests.base import CAPIG, HUB, Cast, client_of, graphql, login
from tests.cost import seconds_of
from tests.hostile.attacks import ATTACKS, GROUNDS

MOST_BYTES = 1_024
MOST_SECONDS = 0.25
ENDPOINTS = [HUB, CAPIG]


@pytest.fixture(autouse=True)
def _clean_cache() -> None:
    documents.forget_documents()


def post(client: Client, endpoint: str, body: str) -> Any:
    return client.post(endpoint, body, content_type="application/json")


@contextmanager
def about(*what: object) -> Iterator[None]:
    """Names what an assertion is about, of the many things that a test tries: subtests take long."""
    try:
        yield
    except AssertionError as error:
        error.add_note(f"about {what}")
        raise


def assert_refused_before_execution(client: Client, endpoint: str, body: str) -> dict[str, Any]:
    """Refused as bad input, in words that take no more than a kilobyte; the caller's token was all that was read."""
    with CaptureQueriesContext(connection) as queries:
        response = post(client, endpoint, body)

    assert response.status_code == 400, (response.status_code, response.content[:300])
    assert len(response.content) <= MOST_BYTES
    assert len(queries) <= 1, [query["sql"] for query in queries]
    answer: dict[str, Any] = response.json()
    assert list(answer) == ["errors"]
    assert {error["extensions"]["code"] for error in answer["errors"]} == {400}
    # An error of an execution says where in the answer it stands.
    assert all(error["message"] and "path" not in error for error in answer["errors"])
    return answer


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_an_attack_is_refused_in_few_words_and_runs_nothing(robot: Client, endpoint: str) -> None:
    for attack, made in ATTACKS.items():
        with about(attack):
            assert_refused_before_execution(robot, endpoint, made(GROUNDS[endpoint]))


def test_an_attack_is_refused_at_once(robot: Client) -> None:
    post(robot, HUB, '{"query": "{ __typename }"}')  # which loads the addresses
    for attack, made in ATTACKS.items():
        for endpoint, ground in GROUNDS.items():
            with about(attack, endpoint):
                ask = partial(post, robot, endpoint, made(ground))
                assert seconds_of(ask, enough=MOST_SECONDS) <= MOST_SECONDS


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_what_attacks_are_made_of_is_answered_where_it_is_no_attack(cast: Cast, endpoint: str) -> None:
    ground = GROUNDS[endpoint]
    field = ground.field.replace(": 1", f': "{cast.shoes.pk}"')
    argued = ground.argued % "$a"

    few = f"query q($a: ID!) {{ ...f ...f a: {field} {field} ... @include(if: true) {{ b: {argued} }} }}"
    answer = graphql(cast.robot, endpoint, few + f"fragment f on Query {{ {field} {field} }}", {"a": cast.shoes.pk})

    assert (answer.status, answer.errors) == (200, [])


# --- Callers who are not signed in, or not as they should be ----------------------------------------------------------


@pytest.mark.parametrize("endpoint", ENDPOINTS)
@pytest.mark.django_db
def test_whoever_is_not_signed_in_is_told_that_and_nothing_else(
    client: Client, monkeypatch: pytest.MonkeyPatch, endpoint: str
) -> None:
    monkeypatch.setattr(documents, "parse", pytest.fail)
    told = {"message": "Sign in: send a bearer token from POST /clients/token.", "extensions": {"code": 401}}
    for attack, made in ATTACKS.items():
        with about(attack), CaptureQueriesContext(connection) as queries:
            response = post(client, endpoint, made(GROUNDS[endpoint]))

            assert (response.status_code, len(queries)) == (401, 0)
            assert response.json() == {"errors": [told]}


@pytest.mark.parametrize("endpoint", ENDPOINTS)
@pytest.mark.parametrize("query", ["{ viewr { kind } }", "{ tenantQuerys { account } }", "{ __schema { typs } }"])
@pytest.mark.parametrize("authorization", ["", "Bearer unknown", "Basic Um9ib3Q6c2VjcmV0", "Bearer a b"])
@pytest.mark.django_db
def test_a_misspelt_name_tells_a_stranger_no_right_one(
    client: Client, query: str, endpoint: str, authorization: str
) -> None:
    headers = {"Authorization": authorization} if authorization else {}
    response = client.post(endpoint, {"query": query}, content_type="application/json", headers=headers)

    assert response.status_code in (400, 401)
    assert "mean" not in response.content.decode()
    assert not any(name in response.content.decode() for name in ("viewer", "tenantQueries", "types"))


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_a_session_without_the_csrf_token_learns_nothing_either(cast: Cast, endpoint: str) -> None:
    browser = login(cast.ada, enforce_csrf_checks=True)

    for query in ("{ viewr }", "{ __schema { types { name } } }", "{ not GraphQL"):
        response = browser.post(endpoint, {"query": query}, content_type="application/json")

        assert response.status_code == 401
        assert "CSRF" in response.json()["errors"][0]["message"]


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_get_is_for_queries_with_a_token(cast: Cast, endpoint: str) -> None:
    query = {"query": "{ __typename }"}
    mutation = {"query": "mutation { __typename }"}

    assert client_of(cast.robot).get(endpoint, query).json() == {"data": {"__typename": "Query"}}
    assert client_of(cast.robot).get(endpoint, mutation).status_code == 405
    assert login(cast.ada).get(endpoint, query).status_code == 401
    assert Client().get(endpoint, query).status_code == 401


# --- What is said of long and of many mistakes ------------------------------------------------------------------------


def test_the_last_error_tells_how_many_there_are(robot: Client) -> None:
    answer = graphql(robot, HUB, "{ viewer { " + " ".join(f"a{n}" for n in range(15)) + " } }")

    *told, last = answer.errors
    assert 5 <= len(told) < 15
    assert all("locations" in error for error in told)
    assert last == {"message": "15 errors in all.", "extensions": {"code": 400}}


def test_few_mistakes_are_told_in_full(robot: Client) -> None:
    answer = graphql(robot, HUB, "{ viewer { kimd emial } }")

    assert [error["message"] for error in answer.errors] == [
        "Cannot query field 'kimd' on type 'Viewer'. Did you mean 'kind'?",
        "Cannot query field 'emial' on type 'Viewer'. Did you mean 'email'?",
    ]


@pytest.mark.parametrize("character", ["x", "ä", "€", "😀", "\x01"])
def test_a_long_name_is_told_by_its_beginning(robot: Client, character: str) -> None:
    """However many bytes of JSON each of its characters takes."""
    body = json.dumps({"query": "{ __typename }", "variables": {character * 3_000: [0] * 501}}, ensure_ascii=False)

    answer = assert_refused_before_execution(robot, HUB, body)

    (error,) = answer["errors"]
    assert error["message"].startswith(character * 10)
    assert error["message"].endswith("…")
    assert error["extensions"]["field"].startswith(character * 10)


# --- Mutations that call out ------------------------------------------------------------------------------------------

LOOK_UP = 'upsertIngressDomain(tenantId: "%s", input: {ingress: "a.example.com", targetDomain: "b.example.com"}) { id }'


@pytest.mark.parametrize(
    "document", ["{ %s }", "{ %s %s }", "{ a: %s }", "{ ...f ...f } fragment f on Mutation { %s }"]
)
def test_a_mutation_that_calls_out_may_stand_once(cast: Cast, document: str) -> None:
    look_up = LOOK_UP % cast.shoes.pk

    answer = graphql(cast.robot, HUB, f"mutation {document.replace('%s', look_up)}")

    assert (answer.status, answer.errors) == (200, [])


@pytest.mark.parametrize(
    "document", ["{ a: %s %s }", "{ a: %s ... { b: %s } }", "{ ...f %s } fragment f on Mutation { b: %s }"]
)
def test_a_mutation_that_calls_out_may_not_stand_twice(cast: Cast, document: str) -> None:
    body = json.dumps({"query": f"mutation {document.replace('%s', LOOK_UP % cast.shoes.pk)}"})

    answer = assert_refused_before_execution(client_of(cast.robot), HUB, body)

    assert "only once" in answer["errors"][0]["message"]


INVITE = 'sendInvitation(input: {email: "nora@example.com", userType: AGENCY})'


@pytest.mark.parametrize(
    "document",
    [
        "{ userMutations { a: %s b: %s } }",
        "{ a: userMutations { %s } b: userMutations { %s } }",
        "{ a: userMutations { ...f } b: userMutations { ...f } } fragment f on UserMutations { %s }",
        "{ ...g } fragment g on Mutation { userMutations { ...f ... { b: %s } } } fragment f on UserMutations { %s }",
    ],
)
def test_a_document_sends_one_invitation(cast: Cast, document: str) -> None:
    body = json.dumps({"query": f"mutation {document.replace('%s', INVITE)}"})

    answer = assert_refused_before_execution(client_of(cast.robot), HUB, body)

    assert "'sendInvitation' may stand only once in a document: it sends a mail." in answer["errors"][0]["message"]


@pytest.mark.parametrize(
    "document",
    [
        "{ userMutations { %s } }",
        "{ userMutations { %s %s } }",
        "{ userMutations { ...f ...f } } fragment f on UserMutations { %s }",
    ],
)
def test_an_invitation_that_stands_once_is_sent(cast: Cast, document: str) -> None:
    add_user_with_role(principal=OPERATOR, email="nora@example.com", role_name="agency-view")

    answer = graphql(cast.robot, HUB, f"mutation {document.replace('%s', INVITE)}")

    assert "/auth/verify/?token=" in answer.data["userMutations"]["sendInvitation"]

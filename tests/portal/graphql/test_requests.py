"""GraphQL over HTTP: methods, media types and the members of a request."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.http.request import UnreadablePostError
from django.test import Client, RequestFactory

from portal.graphql.view import PortalGraphQLView
from tests.portal.graphql import toy
from tests.portal.graphql.toy import URL

JSON = "application/json; charset=utf-8"
GRAPHQL_JSON = "application/graphql-response+json; charset=utf-8"
HELLO = {"query": "{ hello }"}
HELLO_WORLD = {"data": {"hello": "Hello world"}}


def send(client: Client, body: Any, content_type: str = "application/json", **headers: str) -> Any:
    # Django's client leaves the header out where the body is empty; other clients do not.
    return client.post(URL, body, content_type=content_type, headers=headers, CONTENT_TYPE=content_type)


def assert_refused(response: Any, code: int = 400) -> str:
    """A well-formed GraphQL answer without data, that says ``code`` in its status and in its one error."""
    assert response.status_code == code
    assert response.headers["Cache-Control"] == "no-store"
    body = response.json()
    assert list(body) == ["errors"]
    (error,) = body["errors"]
    assert error["extensions"]["code"] == code
    return str(error["message"])


# --- Media types ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        (None, JSON),
        ("*/*", JSON),
        ("", JSON),
        ("application/*", JSON),
        ("application/json", JSON),
        ("APPLICATION/JSON; Charset=UTF-8", JSON),
        ("application/graphql-response+json", GRAPHQL_JSON),
        ("application/graphql-response+json; charset=utf-8, application/json; charset=utf-8", GRAPHQL_JSON),
        ("application/json, application/graphql-response+json", JSON),
        ("application/json;q=0.9, application/graphql-response+json", GRAPHQL_JSON),
        ("application/graphql-response+json;q=0.1, application/json;q=0.2", JSON),
        ("text/html, application/graphql-response+json;q=0.5, */*;q=0.1", GRAPHQL_JSON),
        ("*/*, application/json;q=0", GRAPHQL_JSON),
    ],
)
def test_the_answer_is_written_as_the_client_prefers(robot: Client, accept: str | None, expected: str) -> None:
    response = send(robot, HELLO) if accept is None else send(robot, HELLO, Accept=accept)

    assert response.status_code == 200
    assert response.headers["Content-Type"] == expected
    assert response.headers["Cache-Control"] == "no-store"
    assert response.json() == HELLO_WORLD


@pytest.mark.parametrize(
    "accept", ["text/html", "application/xml", "*/*;q=0", "application/json; charset=utf-16", ";;", "application"]
)
def test_a_client_that_accepts_neither_is_told_so(robot: Client, accept: str) -> None:
    response = send(robot, HELLO, Accept=accept)

    assert "application/graphql-response+json" in assert_refused(response, 406)


@pytest.mark.parametrize("accept", [JSON, GRAPHQL_JSON])
def test_errors_are_written_as_the_client_prefers_too(robot: Client, accept: str) -> None:
    response = send(robot, {"query": "{ unknown }"}, Accept=accept)

    assert_refused(response)
    assert response.headers["Content-Type"] == accept


@pytest.mark.parametrize(
    "content_type",
    ["application/json", "application/json; charset=utf-8", 'Application/JSON; charset="UTF-8"', "application/json;"],
)
def test_json_in_utf_8_is_read(robot: Client, content_type: str) -> None:
    body = json.dumps({"query": '{ hello(name: "Zoë") }'}, ensure_ascii=False).encode()

    response = robot.generic("POST", URL, body, content_type)

    assert response.json() == {"data": {"hello": "Hello Zoë"}}


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json; charset=latin-1",
        "application/json; charset=utf-16",
        "application/graphql",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "text/plain",
        "",
    ],
)
def test_other_bodies_are_not_read(robot: Client, content_type: str) -> None:
    response = robot.generic("POST", URL, json.dumps(HELLO), content_type)

    assert "application/json" in assert_refused(response, 415)


# --- Methods ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])
def test_other_methods_are_refused(robot: Client, method: str) -> None:
    response = robot.generic(method, URL, json.dumps(HELLO), "application/json")

    assert_refused(response, 405)
    assert response.headers["Allow"] == "GET, POST"


def test_get_answers_a_query(robot: Client) -> None:
    parameters = {
        "query": "query a($name: String) { hello(name: $name) } query b { nothing }",
        "operationName": "a",
        "variables": '{"name": "Ada"}',
        "extensions": "{}",
        "somethingElse": "1",
    }

    assert robot.get(URL, parameters).json() == {"data": {"hello": "Hello Ada"}}


HASH = {
    "persistedQuery": {"version": 1, "sha256Hash": "ecf4edb46db40b5132295c0291d62fb65d6759a9eedfa4d5d612dd5ec54a6b38"}
}
#: What clients of automatic persisted queries look for before they send the document itself.
NOT_SUPPORTED = {
    "errors": [{"message": "PersistedQueryNotSupported", "extensions": {"code": "PERSISTED_QUERY_NOT_SUPPORTED"}}]
}


@pytest.mark.parametrize("query", [{}, {"query": None}, {"query": ""}])
@pytest.mark.parametrize("accept", [JSON, GRAPHQL_JSON])
def test_a_document_named_by_its_hash_is_not_known(robot: Client, query: dict[str, Any], accept: str) -> None:
    body = {**query, "operationName": "Hello", "variables": {}, "extensions": HASH}

    response = send(robot, body, Accept=accept)

    assert (response.status_code, response.json()) == (200, NOT_SUPPORTED)
    assert response.headers["Content-Type"] == accept


def test_a_document_named_by_its_hash_is_not_known_by_get_either(robot: Client) -> None:
    response = robot.get(URL, {"operationName": "Hello", "variables": "{}", "extensions": json.dumps(HASH)})

    assert (response.status_code, response.json()) == (200, NOT_SUPPORTED)


def test_a_document_beside_its_hash_is_run(robot: Client) -> None:
    assert send(robot, {**HELLO, "extensions": HASH}).json() == HELLO_WORLD


@pytest.mark.parametrize("extensions", [{}, None, {"persistedQuery": None}, {"persistedQuery": "x"}, []])
def test_without_a_document_and_a_hash_there_is_nothing_to_run(robot: Client, extensions: Any) -> None:
    assert "query: must be a string" in assert_refused(send(robot, {"extensions": extensions}))


def test_a_hash_is_answered_to_those_alone_who_are_signed_in(client: Client) -> None:
    assert client.post(URL, json.dumps({"extensions": HASH}), content_type="application/json").status_code == 401


def test_get_takes_an_empty_operation_name_for_none(robot: Client) -> None:
    assert robot.get(URL, {"query": "{ hello }", "operationName": ""}).json() == HELLO_WORLD


def test_get_changes_nothing(robot: Client) -> None:
    response = robot.get(URL, {"query": 'mutation { rename(name: "x") }'})

    assert_refused(response, 405)
    assert response.headers["Allow"] == "POST"
    assert toy.renamed == []


def test_get_runs_a_query_that_stands_beside_a_mutation(robot: Client) -> None:
    document = 'mutation m { rename(name: "x") } query q { hello }'

    assert robot.get(URL, {"query": document, "operationName": "q"}).json() == HELLO_WORLD
    assert_refused(robot.get(URL, {"query": document, "operationName": "m"}), 405)
    assert toy.renamed == []


@pytest.mark.parametrize(
    ("query_string", "named"),
    [
        ("", "query"),
        ("query=", "query"),
        ("query={hello}&query={hello}", "query"),
        ("query={hello}&variables={}&variables={}", "variables"),
        ("query={hello}&variables=[1]", "variables"),
        ("query={hello}&variables={", "variables"),
        ("query={hello}&variables=", "variables"),
        ("query={hello}&extensions=1", "extensions"),
        ("query={hello}&variables=%ff", "UTF-8"),
        ("query=%ff", "UTF-8"),
        ("query={hello}&" + "&".join(f"p{n}=1" for n in range(20)), "parameters"),
    ],
)
def test_a_malformed_get_request_is_told_what_is_wrong(robot: Client, query_string: str, named: str) -> None:
    response = robot.generic("GET", URL, QUERY_STRING=query_string)

    assert named in assert_refused(response)


# --- Members ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        {"query": "{ hello }", "variables": None, "operationName": None, "extensions": None},
        {"query": "{ hello }", "variables": {}, "operationName": "", "extensions": {"trace": [1]}},
        {"query": "{ hello }", "id": 7, "somethingElse": []},
        {"query": "query q { hello }", "operationName": "q"},
        {"query": "{ hello }", "variables": {"notDeclared": 1}},
    ],
)
def test_optional_members_may_be_null_and_unknown_ones_mean_nothing(robot: Client, body: dict[str, Any]) -> None:
    assert send(robot, body).json() == HELLO_WORLD


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({}, "query"),
        ({"qeury": "{ hello }"}, "query"),
        ({"query": None}, "query"),
        ({"query": ""}, "query"),
        ({"query": " \n"}, "query"),
        ({"query": ["{ hello }"]}, "query"),
        ({"query": "{ hello }\0"}, "query"),
        ({"query": "{ hello } # \ud800"}, "query"),
        ({"query": "{ hello }", "variables": []}, "variables"),
        ({"query": "{ hello }", "variables": "{}"}, "variables"),
        ({"query": "{ hello }", "variables": 0}, "variables"),
        ({"query": "{ hello }", "variables": {"a\0": 1}}, "variables"),
        ({"query": "{ hello }", "variables": {"ids": ["a\0b"]}}, "ids"),
        ({"query": "{ hello }", "variables": {"box": {"name": "\ud800"}}}, "name"),
        ({"query": "{ hello }", "variables": {"box": {"\udfff": 1}}}, "box"),
        ({"query": "{ hello }", "operationName": 1}, "operationName"),
        ({"query": "{ hello }", "operationName": {}}, "operationName"),
        ({"query": "{ hello }", "operationName": "\ud800"}, "operationName"),
        ({"query": "{ hello }", "operationName": "other"}, "operationName"),
        ({"query": "query a { hello } query b { hello }"}, "operationName"),
        ({"query": "{ hello }", "extensions": []}, "extensions"),
        ({"query": "{ hello }", "extensions": False}, "extensions"),
        ({"query": r'{ hello(name: "a\u0000b") }'}, "name"),
        ([{"query": "{ hello }"}], "batches"),
        ([], "object"),
        ("{ hello }", "object"),
        (None, "object"),
        (1, "object"),
    ],
)
def test_a_malformed_member_is_named(robot: Client, body: Any, named: str) -> None:
    response = send(robot, json.dumps(body))

    assert named in assert_refused(response)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"NONSENSE",
        b'{"query":',
        b'{"query": "{ hello }"} x',
        b"\xef\xbb\xbf" + b'{"query": "{ hello }"}',
        b'{"query": "\xff"}',
        '{"query": "{ hello }"}'.encode("utf-16"),
        b'{"query": "{ hello }", "variables": {"a": NaN}}',
        b'{"query": "{ hello }", "variables": {"a": -Infinity}}',
        b'{"query": "{ hello }", "variables": {"a": ' + b"1" * 5000 + b"}}",
        b'{"query": "{ hello }", "variables": {"a": ' + b"[" * 40_000 + b"]" * 40_000 + b"}}",
        b"[" * 90_000,
        b'{"query": "a\nb"}',
    ],
)
def test_a_body_that_is_not_json_is_refused(robot: Client, body: bytes) -> None:
    assert "body" in assert_refused(send(robot, body))


def test_a_whole_number_keeps_all_its_digits(robot: Client) -> None:
    body = b'{"query": "query($id: ID!) { byId(id: $id) }", "variables": {"id": 12345678901234567890123}}'

    assert send(robot, body).json() == {"data": {"byId": "'12345678901234567890123'"}}


@pytest.mark.parametrize("number", ["1e400", "-1e400", "1.5", "true"])
def test_what_is_no_id_is_refused(robot: Client, number: str) -> None:
    body = f'{{"query": "query($id: ID!) {{ byId(id: $id) }}", "variables": {{"id": {number}}}}}'

    assert "$id" in assert_refused(send(robot, body))


def test_deep_variables_are_refused(robot: Client) -> None:
    box: dict[str, Any] = {"name": "innermost"}
    for _ in range(400):
        box = {"name": "box", "inner": box}

    response = send(robot, {"query": "query($box: Box!) { box(box: $box) }", "variables": {"box": box}})

    assert "nested too deeply" in assert_refused(response)


def test_a_client_that_hangs_up_is_answered_all_the_same(
    rf: RequestFactory, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def hang_up(size: int) -> bytes:
        raise UnreadablePostError("connection lost")

    request = rf.post(URL, HELLO, content_type="application/json", headers={"Authorization": f"Bearer {token}"})
    monkeypatch.setattr(request, "read", hang_up)
    view: Callable[..., Any] = PortalGraphQLView.as_view(schema=toy.schema)

    response = view(request)

    assert response.status_code == 400
    assert json.loads(response.content)["errors"][0]["extensions"] == {"code": 400}

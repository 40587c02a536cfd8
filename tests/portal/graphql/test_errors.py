"""What a client reads when something went wrong, and what the log keeps."""

from __future__ import annotations

import json
import logging
import re
from typing import Any

import pytest
from django.core.exceptions import BadRequest, SuspiciousOperation
from django.db import DatabaseError, OperationalError
from django.test import Client

from portal import logs
from portal.graphql import sign_in
from tests.base import Answer
from tests.portal.graphql.conftest import Ask
from tests.portal.graphql.toy import SECRET, URL

INTERNAL = re.compile(r"Internal error ([0-9a-f]{16})\.")


def records(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    """What is logged, but for the line that graphql-core answers, which is no fault."""
    ours = (record for record in caplog.records if record.name.startswith(("common.", "portal.")))
    return [record for record in ours if not record.name.endswith(".fallbacks")]


def logged(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Their lines, as they are written."""
    formatter = logs.json_formatter()
    return [formatter.format(record) for record in records(caplog)]


def error_id_of(message: str) -> str:
    match = INTERNAL.fullmatch(message)
    assert match, message
    return match[1]


# --- Our own refusals -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (401, "You may not do this in this account, or the account does not exist."),
        (404, "There is no such pixel."),
        (409, "This person is in the account already."),
    ],
)
def test_a_refusal_says_its_code_twice(ask: Ask, code: int, message: str) -> None:
    answer = ask(f"{{ it: refused(code: {code}) }}")

    assert answer.status == code
    assert answer.body == {
        "errors": [
            {
                "message": message,
                "locations": [{"line": 1, "column": 3}],
                "path": ["it"],
                "extensions": {"code": code},
            }
        ],
        "data": None,
    }


def test_a_refusal_of_an_input_names_the_field(ask: Ask) -> None:
    answer = ask("{ refused(code: 400) }")

    assert answer.refused(400)
    assert answer.message == "name: must not be empty."
    assert answer.errors[0]["extensions"] == {"code": 400, "field": "name"}


def test_a_401_carries_a_challenge(robot: Client) -> None:
    response = robot.post(URL, {"query": "{ refused(code: 401) }"}, content_type="application/json")

    assert response.headers["WWW-Authenticate"] == 'Bearer realm="gateway"'


# --- Status and data --------------------------------------------------------------------------------------------------


def test_what_could_be_answered_is_answered(ask: Ask) -> None:
    answer = ask("{ hello refused(code: 404) shop { id hidden } }")

    assert answer.status == 200
    assert answer.data == {"hello": "Hello world", "refused": None, "shop": {"id": "1", "hidden": None}}
    assert [error["extensions"]["code"] for error in answer.errors] == [404, 401]
    assert answer.errors[1]["path"] == ["shop", "hidden"]


@pytest.mark.parametrize(
    "document",
    [
        "{ shop { hidden } }",
        "{ shop { shop { hidden name } } nothing }",
        "{ shop { shops { hidden } } }",
        "{ __typename shop { __typename hidden } }",
    ],
)
def test_data_without_a_value_in_it_is_no_data(ask: Ask, document: str) -> None:
    answer = ask(document)

    assert answer.refused(401)
    assert "data" in answer.body


def test_an_empty_list_is_an_answer(ask: Ask) -> None:
    answer = ask("{ none refused(code: 404) }")

    assert (answer.status, answer.data) == (200, {"none": [], "refused": None})


def test_nulls_without_an_error_are_an_answer(ask: Ask) -> None:
    answer = ask("{ nothing shop { name } }")

    assert (answer.status, answer.body) == (200, {"data": {"nothing": None, "shop": {"name": None}}})


def test_the_first_error_gives_the_status(ask: Ask) -> None:
    assert ask("{ a: refused(code: 409) b: refused(code: 404) }").status == 409


def test_a_fault_of_ours_beats_the_other_errors(ask: Ask) -> None:
    answer = ask("{ refused(code: 409) shop { broken } }")

    assert answer.status == 500
    assert [error["extensions"]["code"] for error in answer.errors] == [409, 500]


# --- What the client got wrong ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("document", "variables", "message"),
    [
        ("{", {}, "Syntax Error: Expected Name, found <EOF>."),
        ("{ hello(name: ) }", {}, "Syntax Error: Unexpected ')'."),
        ("{ unknown }", {}, "Cannot query field 'unknown' on type 'Query'."),
        ("{ shop }", {}, "Field 'shop' of type 'Shop' must have a selection of subfields."),
        ("query($n: Int!) { count(first: $n) }", {}, "Variable '$n' of required type 'Int!' was not provided."),
        (
            "query($n: Int!) { count(first: $n) }",
            {"n": None},
            "Variable '$n' of non-null type 'Int!' must not be null.",
        ),
        (
            "query($b: Box!) { box(box: $b) }",
            {"b": {"name": "x", "inner": {"token": 5, "name": "y"}}},
            "Variable '$b' at 'b.inner.token': String cannot represent a non string value: …",
        ),
        (
            "query($b: Box!) { box(box: $b) }",
            {"b": {"token": SECRET}},
            "Variable '$b': Field 'name' of required type 'String!' was not provided.",
        ),
        (
            "query($b: Box!) { box(box: $b) }",
            {"b": {"name": "x", "size": "HUGE"}},
            "Variable '$b' at 'b.size': Value 'HUGE' does not exist in 'Size' enum.",
        ),
        ("subscription { hello }", {}, "Schema is not configured to execute subscription operation."),
        ("type T { a: Int }", {}, "The 'T' definition is not executable."),
    ],
)
def test_errors_before_execution_are_400_without_data(
    ask: Ask, document: str, variables: dict[str, Any], message: str, caplog: pytest.LogCaptureFixture
) -> None:
    answer = ask(document, variables)

    assert answer.refused(400)
    assert "data" not in answer.body
    assert answer.message.startswith(message)
    assert logged(caplog) == []


def test_errors_in_the_document_say_where(ask: Ask) -> None:
    assert ask("{ hello\n  unknown }").errors[0]["locations"] == [{"line": 2, "column": 3}]


@pytest.mark.parametrize(
    ("document", "variables"),
    [
        ("query($n: Int = 1) { count(first: $n) hello }", {"n": None}),
        ("query($v: ID) { byIds(ids: [$v]) hello }", {}),
        ("query($on: Boolean = true) { shop { name @skip(if: $on) } hello }", {"on": None}),
    ],
)
def test_a_variable_that_turns_out_not_to_fit_is_the_clients_fault(
    ask: Ask, document: str, variables: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    answer = ask(document, variables)

    assert answer.code == 400
    assert logged(caplog) == []


def test_the_number_of_errors_is_bounded(ask: Ask) -> None:
    assert len(ask("{" + "unknown " * 400 + "}").errors) <= 21


@pytest.mark.parametrize(
    ("document", "variables"),
    [
        ("query($b: Box!) { box(box: $b) }", {"b": {"token": SECRET}}),
        ("query($b: Box!) { box(box: $b) }", {"b": {"token": [SECRET], "name": "x"}}),
        ("query($b: Box!) { box(box: $b) }", {"b": {"token": {"t": SECRET}, "name": "x"}}),
        ("query($b: Box!) { box(box: $b) }", {"b": {"token": SECRET, "name": "x", "more": 1}}),
        ("query($b: Box!) { box(box: $b) }", {"b": SECRET}),
        ("query($b: [Box!]!) { box(box: $b) }", {"b": [SECRET]}),
        ("query($n: Int!) { count(first: $n) }", {"n": SECRET}),
        ("query($n: Int!) { count(first: $n) }", {"n": f"; {SECRET} at 'x'; y"}),
        ("query($n: Boolean!) { hello @skip(if: $n) }", {"n": SECRET}),
        ("query($l: Long) { long(value: $l) }", {"l": SECRET}),
        (f'{{ count(first: "{SECRET}") }}', {}),
        (f"{{ box(box: {{name: {SECRET}}}) }}", {}),
        (f'{{ box(box: {{name: "x", token: ["{SECRET}"]}}) }}', {}),
        (f'{{ box(box: {{token: "{SECRET}"}}) }}', {}),
        (f'{{ box(box: "{SECRET}") }}', {}),
        (f'{{ hello(name: ["{SECRET}"]) }}', {}),
        (f'{{ long(value: "{SECRET}") }}', {}),
        (f'{{ box("{SECRET}") }}', {}),
        (f'{{ hello """{SECRET}""" }}', {}),
        (f'{{ hello(name: "{SECRET}" }}', {}),
        (f'{{ hello(name: "{SECRET}', {}),
        (f'{{ a: hello(name: "{SECRET}") a: hello(name: "x") }}', {}),
        (f'query($n: Int = "{SECRET}") {{ count(first: $n) }}', {}),
    ],
)
def test_no_answer_repeats_a_value(ask: Ask, document: str, variables: dict[str, Any]) -> None:
    """It may be an access token that stands in the wrong place."""
    answer = ask(document, variables)

    assert answer.refused(400)
    assert SECRET not in json.dumps(answer.body)


# --- What we got wrong ------------------------------------------------------------------------------------------------


def test_an_unexpected_error_is_logged_under_the_id_that_the_client_reads(
    ask: Ask, caplog: pytest.LogCaptureFixture
) -> None:
    answer = ask("query($name: String) { hello(name: $name) shop { it: broken } }", {"name": SECRET})

    assert (answer.status, answer.code) == (200, 500)
    assert answer.errors[0]["path"] == ["shop", "it"]
    (line,) = logged(caplog)
    assert error_id_of(answer.message) in line
    assert "RuntimeError" in line
    assert "shop.it" in line
    assert "resolve_broken" in line


def test_neither_the_client_nor_the_log_reads_what_an_unexpected_error_says(
    ask: Ask, caplog: pytest.LogCaptureFixture
) -> None:
    answer = ask("{ shop { broken } }")

    assert answer.refused(500)
    assert SECRET not in json.dumps(answer.body)
    assert SECRET not in "".join(logged(caplog))


def test_each_answer_has_its_own_id(ask: Ask) -> None:
    assert error_id_of(ask("{ shop { broken } }").message) != error_id_of(ask("{ shop { broken } }").message)


def test_a_list_of_faults_is_one_line_in_the_log(ask: Ask, caplog: pytest.LogCaptureFixture) -> None:
    answer = ask("{ shop { shops { broken } } }")

    assert len(answer.errors) == 3
    assert len({error["message"] for error in answer.errors}) == 1
    assert len(logged(caplog)) == 1


@pytest.mark.parametrize("document", ["{ shop { needed } }", "{ number }"])
def test_a_resolver_that_breaks_the_schema_is_our_fault(
    ask: Ask, document: str, caplog: pytest.LogCaptureFixture
) -> None:
    answer = ask(document)

    assert answer.refused(500)
    assert error_id_of(answer.message) in logged(caplog)[0]


def test_data_that_json_cannot_hold_is_our_fault(ask: Ask, caplog: pytest.LogCaptureFixture) -> None:
    answer = ask("{ unwritable }")

    assert answer.refused(500)
    assert error_id_of(answer.message) in logged(caplog)[0]


@pytest.mark.django_db(transaction=True)
def test_an_error_of_the_database_leaves_the_other_fields_alone(ask: Ask) -> None:
    answer = ask("{ missingTable rows }")

    assert (answer.status, answer.code) == (200, 500)
    assert answer.data == {"missingTable": None, "rows": 1}


def signed_in_raises(error: Exception, client: Client, monkeypatch: pytest.MonkeyPatch) -> Answer:
    def fail(token: str) -> None:
        raise error

    monkeypatch.setattr(sign_in, "principal_from_bearer", fail)
    response = client.post(
        URL, {"query": "{ hello }"}, content_type="application/json", headers={"Authorization": "Bearer x"}
    )
    return Answer(response.status_code, response.headers["Content-Type"], response.json())


def test_a_fault_outside_the_resolvers_is_answered_alike(
    client: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    answer = signed_in_raises(DatabaseError(f"the server at {SECRET} is ours"), client, monkeypatch)

    assert answer.refused(500)
    assert "data" not in answer.body
    (line,) = logged(caplog)
    assert error_id_of(answer.message) in line
    assert "DatabaseError" in line
    assert SECRET not in line


def test_while_the_database_is_away_the_answer_asks_to_come_again(
    client: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    answer = signed_in_raises(OperationalError(f"the server at {SECRET} is away"), client, monkeypatch)

    assert answer.refused(503)
    assert SECRET not in answer.message
    assert "The database did not answer a request." in logged(caplog)[0]


@pytest.mark.parametrize("error", [SuspiciousOperation("x"), BadRequest("x")])
def test_what_django_calls_a_bad_request_is_one(
    client: Client, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    assert signed_in_raises(error, client, monkeypatch).refused(400)


def test_errors_that_cause_each_other_are_logged_and_end(
    client: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    cause, effect = KeyError("x"), RuntimeError("x")
    cause.__cause__, effect.__cause__ = effect, cause

    assert signed_in_raises(effect, client, monkeypatch).refused(500)
    (line,) = logged(caplog)
    assert "KeyError" in line


def test_the_log_level_of_a_fault_is_error(ask: Ask, caplog: pytest.LogCaptureFixture) -> None:
    ask("{ hello shop { broken } }")

    assert [record.levelno for record in records(caplog)] == [logging.ERROR]

"""``ID`` and ``String`` stand for each other: the reference declares the one and samples the other."""

from __future__ import annotations

from typing import Any

import pytest

from tests.portal.graphql.conftest import Ask


@pytest.mark.parametrize(
    ("document", "variables", "data"),
    [
        ("query($v: String!) { byId(id: $v) }", {"v": "x"}, {"byId": "'x'"}),
        ("query($v: ID!) { byText(text: $v) }", {"v": "x"}, {"byText": "'x'"}),
        ("query($v: ID!) { byText(text: $v) }", {"v": 5}, {"byText": "'5'"}),
        ("query($v: ID!) { byId(id: $v) }", {"v": 5}, {"byId": "'5'"}),
        ('query($v: String = "d") { byId(id: $v) }', {}, {"byId": "'d'"}),
        ("query($v: ID = 7) { byText(text: $v) }", {}, {"byText": "'7'"}),
        ("query($v: [String!]) { byIds(ids: $v) }", {"v": ["a", "b"]}, {"byIds": "['a', 'b']"}),
        ("query($v: [String!]! = []) { byIds(ids: $v) }", {}, {"byIds": "[]"}),
        ("query($v: String!) { byIds(ids: [$v, 1]) }", {"v": "a"}, {"byIds": "['a', '1']"}),
        ("query($v: ID!) { box(box: {name: $v}) }", {"v": "a"}, {"box": "a"}),
        ("query($v: String!) { ...f } fragment f on Query { byId(id: $v) }", {"v": "x"}, {"byId": "'x'"}),
    ],
)
def test_one_stands_for_the_other(ask: Ask, document: str, variables: dict[str, Any], data: dict[str, str]) -> None:
    answer = ask(document, variables)

    assert (answer.status, answer.body) == (200, {"data": data})


@pytest.mark.parametrize(
    ("document", "variables"),
    [
        ("query($v: String) { byId(id: $v) }", {"v": "x"}),
        ("query($v: Int!) { byId(id: $v) }", {"v": 1}),
        ("query($v: ID!) { count(first: $v) }", {"v": 1}),
        ("query($v: [ID!]!) { byText(text: $v) }", {"v": ["x"]}),
        ("query($v: [String]) { byIds(ids: $v) }", {"v": ["x"]}),
        ("query($v: Boolean!) { byText(text: $v) }", {"v": True}),
    ],
)
def test_nothing_else_became_looser(ask: Ask, document: str, variables: dict[str, Any]) -> None:
    answer = ask(document, variables)

    assert answer.refused(400)
    assert "Variable '$v' of type" in answer.message


@pytest.mark.parametrize("value", [5, True, 1.5, ["x"], {}])
def test_a_string_variable_takes_strings_alone(ask: Ask, value: Any) -> None:
    assert ask("query($v: String!) { byId(id: $v) }", {"v": value}).refused(400)


def test_a_variable_that_nothing_uses_does_no_harm(ask: Ask) -> None:
    answer = ask("query($v: String, $other: ID!) { byId(id: $other) }", {"v": "x", "other": "y"})

    assert (answer.status, answer.body) == (200, {"data": {"byId": "'y'"}})


def test_a_variable_that_is_unknown_is_reported(ask: Ask) -> None:
    assert "not defined" in ask("{ byId(id: $v) }").message

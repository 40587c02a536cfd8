"""What a resolver is told of the fields below its own."""

from __future__ import annotations

from typing import Any

import pytest

from common.graphql.selection import Selection
from tests.portal.graphql import toy
from tests.portal.graphql.conftest import Ask


@pytest.mark.parametrize(
    ("below", "variables", "expected"),
    [
        ("id", {}, {"id": {}}),
        ("id shop { id }", {}, {"id": {}, "shop": {"id": {}}}),
        ("shop { id } shop { name }", {}, {"shop": {"id": {}, "name": {}}}),
        ("a: shop { id } b: shop { name }", {}, {"shop": {"id": {}, "name": {}}}),
        ("... { id } ... on Shop { shop { id } }", {}, {"id": {}, "shop": {"id": {}}}),
        ("...f shop { ...f }", {}, {"name": {}, "shop": {"name": {}, "shops": {"id": {}}}, "shops": {"id": {}}}),
        ("id @skip(if: true) name @include(if: false) shop { id }", {}, {"shop": {"id": {}}}),
        ("id @skip(if: false) name @include(if: true)", {}, {"id": {}, "name": {}}),
        ("id name @skip(if: $on)", {"on": True}, {"id": {}}),
        ("id name @include(if: $on)", {"on": False}, {"id": {}}),
        ("id ... @include(if: $on) { name }", {"on": False}, {"id": {}}),
        ("id ...f @include(if: $on)", {"on": False}, {"id": {}}),
        ("id ...f @include(if: $on)", {"on": True}, {"id": {}, "name": {}, "shops": {"id": {}}}),
        ("id __typename", {}, {"id": {}, "__typename": {}}),
    ],
)
def test_the_fields_below(ask: Ask, below: str, variables: dict[str, Any], expected: dict[str, Any]) -> None:
    arguments = "($on: Boolean!)" if "$on" in below else ""
    fragment = "fragment f on Shop { name shops { id } }" if "...f" in below else ""

    answer = ask(f"query q{arguments} {{ shop {{ {below} }} }} {fragment}", variables)

    assert answer.status == 200
    assert toy.selections == [expected]


def test_the_field_itself_may_stand_twice(ask: Ask) -> None:
    ask("{ shop { id } shop { name } }")

    assert toy.selections == [{"id": {}, "name": {}}]


def test_what_was_not_asked_for_is_empty() -> None:
    selection = Selection({"shop": Selection({"id": Selection()})})

    assert "shop" in selection
    assert "id" in selection["shop"]
    assert "users" not in selection
    assert selection["users"]["roles"] == {}
    assert "users" not in selection

"""Wrong types wherever a value may stand: the members of a request, and every argument and input field of both schemas.

The places are found in the schemas, so that a new argument is tried as well.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest
from django.test import Client
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    get_named_type,
    is_required_input_field,
)

from portal.graphql.reference import Operation, operations
from portal.graphql.samples import Known, sample_document, sample_variables
from tests.base import CAPIG, HUB
from tests.hostile.test_attacks import about, assert_refused_before_execution

pytestmark = pytest.mark.slow  # every place there is, many times

MEMBERS: dict[str, list[Any]] = {
    "query": [None, True, 0, 1.5, "", [], ["{ __typename }"], {}, {"query": "{ __typename }"}],
    "variables": [True, 0, 1.5, "", "{}", [], [{}]],
    "operationName": [True, 0, 1.5, [], ["q"], {}, "other"],
    "extensions": [True, 0, 1.5, "", [], [{}]],
}
#: By the name of a type: values of every JSON type that are none of it.
WRONG: dict[str, list[Any]] = {
    "String": [True, 7, 1.5, {}, {"a": 1}, ["a"], []],
    "ID": [True, 1.5, {}, {"a": 1}, ["a"], []],
    "Int": [True, 1.5, "7", "", {}, [7], 2**31, -(2**31) - 1, 10**30],
    "Boolean": [0, 1, "true", "", {}, [True], 1.5],
}
OPERATIONS = operations()


def wrong_values(type_: GraphQLInputType) -> list[Any]:
    """What the place does not take; a single value stands for a list of one."""
    if isinstance(type_, GraphQLNonNull):
        return [None, *wrong_values(type_.of_type)]
    if isinstance(type_, GraphQLList):
        inner = wrong_values(type_.of_type)
        return [[value] for value in inner] + [value for value in inner if not isinstance(value, list | None)]
    if isinstance(type_, GraphQLEnumType):
        return [True, 0, 1.5, {}, ["PUBLISH"], "", "NONE_SUCH", next(iter(type_.values)).lower()]
    if isinstance(type_, GraphQLInputObjectType):
        empty: list[Any] = [{}] if any(map(is_required_input_field, type_.fields.values())) else []
        return [True, 0, "", "{}", [], [1], *empty, {"noSuchField": 1}]
    return WRONG[str(type_)]


def places(operation: Operation) -> Iterator[tuple[tuple[str, ...], GraphQLInputType]]:
    """Every argument, and every field of an input object, by its path into the variables."""
    for name, argument in operation.arguments.items():
        yield from _places_in((name,), argument.type)


def _places_in(path: tuple[str, ...], type_: GraphQLInputType) -> Iterator[tuple[tuple[str, ...], GraphQLInputType]]:
    yield path, type_
    named = get_named_type(type_)
    if isinstance(named, GraphQLInputObjectType):
        for name, field in named.fields.items():
            yield from _places_in((*path, name), field.type)


def changed(variables: dict[str, Any], path: tuple[str, ...], value: Any) -> dict[str, Any]:
    """The variables with the value at the place."""
    copy = deepcopy(variables)
    target = copy
    for name in path[:-1]:
        target = target.setdefault(name, {})
    target[path[-1]] = value
    return copy


def written(value: Any, type_: GraphQLInputType | None = None) -> str:
    """The value as a document writes it out."""
    named = get_named_type(type_) if type_ else None
    if isinstance(value, dict):
        fields = named.fields if isinstance(named, GraphQLInputObjectType) else {}
        inner = (f"{key}: {written(item, fields[key].type if key in fields else None)}" for key, item in value.items())
        return f"{{{', '.join(inner)}}}"
    if isinstance(value, list):
        return f"[{', '.join(written(item, type_) for item in value)}]"
    if isinstance(named, GraphQLEnumType) and isinstance(value, str) and value.isidentifier():
        return value
    return json.dumps(value)


def with_literals(operation: Operation, variables: dict[str, Any]) -> str:
    """The operation's document with every argument written out."""
    document = sample_document(operation)
    head, _, rest = document.partition("{")
    for name, argument in operation.arguments.items():
        rest = rest.replace(f"{name}: ${name}", f"{name}: {written(variables.get(name), argument.type)}")
    return f"{head.partition('(')[0]} {{{rest}"


@pytest.mark.parametrize("endpoint", [HUB, CAPIG])
def test_a_member_of_the_wrong_type_is_named(robot: Client, endpoint: str) -> None:
    for member, values in MEMBERS.items():
        for value in values:
            with about(member, value):
                body = json.dumps({"query": "query q { __typename }", member: value})

                answer = assert_refused_before_execution(robot, endpoint, body)

                assert member in answer["errors"][0]["message"]


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_a_variable_of_the_wrong_type_is_refused(robot: Client, operation: Operation) -> None:
    document, right = sample_document(operation), sample_variables(operation, Known())
    for path, type_ in places(operation):
        for value in wrong_values(type_):
            with about(path, value):
                body = json.dumps({"query": document, "variables": changed(right, path, value)})

                answer = assert_refused_before_execution(robot, operation.address, body)

                assert f"'${path[0]}'" in answer["errors"][0]["message"]


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_a_literal_of_the_wrong_type_is_refused(robot: Client, operation: Operation) -> None:
    right = sample_variables(operation, Known())
    for path, type_ in places(operation):
        for value in wrong_values(type_):
            with about(path, value):
                body = json.dumps({"query": with_literals(operation, changed(right, path, value))})

                assert_refused_before_execution(robot, operation.address, body)


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_misspelt_names_are_refused(robot: Client, operation: Operation) -> None:
    """All of the document's names at once: more mistakes than an answer tells of."""
    document = sample_document(operation)
    for name in {*operation.arguments, *(name for name, _ in operation.path)}:
        body = json.dumps({"query": document.replace(name, f"{name}s"), "variables": {}})
        assert_refused_before_execution(robot, operation.address, body)
    everything = "".join(f"{line}x\n" if line.strip().isidentifier() else f"{line}\n" for line in document.splitlines())
    if everything != f"{document}\n":
        assert_refused_before_execution(robot, operation.address, json.dumps({"query": everything}))


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_the_right_types_are_taken(robot: Client, operation: Operation) -> None:
    """Or the refusals above would show nothing: the same documents with the samples' own values are executed."""
    right = sample_variables(operation, Known())
    bodies = [{"query": sample_document(operation), "variables": right}, {"query": with_literals(operation, right)}]
    for body in bodies:
        answer = robot.post(operation.address, body, content_type="application/json").json()

        assert answer["data"] is not None or "path" in answer["errors"][0]

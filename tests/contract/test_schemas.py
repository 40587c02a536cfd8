"""The served schemas are the files beside this test, and speak for themselves."""

from __future__ import annotations

from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLObjectType,
    GraphQLSchema,
    build_client_schema,
    get_introspection_query,
    is_introspection_type,
    is_specified_scalar_type,
)

from portal.graphql import capig, hub
from portal.management.commands import export_schemas
from tests.base import CAPIG, HUB, Cast, graphql

_ALL_BUT_DEPTH = {
    "specified_by_url": True,
    "directive_is_repeatable": True,
    "schema_description": True,
    "input_value_deprecation": True,
    "experimental_directive_deprecation": True,
    "input_object_one_of": True,
}
#: What tools ask with: graphql-core writes the queries as graphql-js does, on which they are built.
INTROSPECTIONS: dict[str, dict[str, Any]] = {
    "graphql-js": {},
    "graphql-js without descriptions": {"descriptions": False},
    "GraphiQL": {"input_value_deprecation": True, "schema_description": True},
    "graphql-codegen": {
        "specified_by_url": True,
        "directive_is_repeatable": True,
        "schema_description": True,
        "input_value_deprecation": True,
        "input_object_one_of": True,
    },
    "every option": _ALL_BUT_DEPTH,
    "every option, types 15 deep": {**_ALL_BUT_DEPTH, "type_depth": 15},
}

SCHEMAS = {"hub": hub.schema.graphql_schema, "capig": capig.schema.graphql_schema}


def test_the_served_schemas_are_those_on_file() -> None:
    call_command("export_schemas", check=True, stdout=StringIO())


def test_a_difference_is_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export_schemas, "FOLDER", tmp_path)
    call_command("export_schemas", stdout=StringIO())
    file = tmp_path / "hub.graphql"
    file.write_text(file.read_text(encoding="utf-8").replace("canPartnerManage", "canManage"), encoding="utf-8")

    with pytest.raises(CommandError) as refusal:
        call_command("export_schemas", check=True, stdout=StringIO())

    assert "hub.graphql" in str(refusal.value)
    assert "-  canManage: Boolean!" in str(refusal.value)
    assert "+  canPartnerManage: Boolean!" in str(refusal.value)


def test_a_missing_file_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export_schemas, "FOLDER", tmp_path)

    with pytest.raises(CommandError, match=r"hub\.graphql"):
        call_command("export_schemas", check=True, stdout=StringIO())


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_type_field_argument_and_value_has_a_description(name: str) -> None:
    silent = [place for place, description in _descriptions(SCHEMAS[name]) if not (description or "").strip()]

    assert silent == []


def _descriptions(schema: GraphQLSchema) -> Iterator[tuple[str, str | None]]:
    for name, type_ in schema.type_map.items():
        if is_introspection_type(type_) or is_specified_scalar_type(type_):
            continue
        yield name, type_.description
        if isinstance(type_, GraphQLEnumType):
            for value_name, value in type_.values.items():
                yield f"{name}.{value_name}", value.description
        if isinstance(type_, GraphQLObjectType | GraphQLInputObjectType):
            for field_name, field in type_.fields.items():
                yield f"{name}.{field_name}", field.description
                for argument_name, argument in getattr(field, "args", {}).items():
                    yield f"{name}.{field_name}({argument_name}:)", argument.description


@pytest.mark.parametrize("endpoint", [HUB, CAPIG])
@pytest.mark.parametrize("options", INTROSPECTIONS.values(), ids=INTROSPECTIONS.keys())
def test_the_introspection_queries_of_tools_pass_the_limits(cast: Cast, endpoint: str, options: dict[str, Any]) -> None:
    query = get_introspection_query(**options)

    answer = graphql(cast.robot, endpoint, query)

    assert (answer.status, answer.errors) == (200, [])
    read = build_client_schema(answer.data)
    assert {*read.type_map} == {*SCHEMAS["hub" if endpoint == HUB else "capig"].type_map}


@pytest.mark.parametrize("endpoint", [HUB, CAPIG])
def test_nobody_may_introspect_without_signing_in(db: None, endpoint: str) -> None:
    assert graphql(None, endpoint, get_introspection_query()).refused(401)

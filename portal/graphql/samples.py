"""A request for every operation that can be sent as it is, and the answer to expect: both made from the schema.

The document asks for everything that the operation can answer. The values stand with the schemas' arguments and fields
(common.graphql.samples); a new one needs a sample, and a test says so.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cache
from string import Template
from typing import Any, cast

from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLResolveInfo,
    GraphQLSchema,
    build_schema,
    execute_sync,
    get_named_type,
    parse,
    print_ast,
    print_schema,
)

from common.graphql.samples import sample_of
from portal.graphql.reference import Operation


@dataclass(frozen=True, slots=True)
class Known:
    """What the samples are about: things of the signed-in person's where there are such, else made up."""

    tenant_id: str = "hU2koC34"
    tenant_name: str = "Shoes"
    pixel_id: str = "18904456377094531"
    user_id: str = "992bc489-a799-4374-8933-0109eed60e3d"
    user_level: str = "view"
    invited_email: str = "ada@example.com"
    dead_letter_id: str = "42"
    destination_letter_id: str = "42"
    pipeline_id: str = "sg_v1_pl_3f0cfd4c-8c6f-4f05-9d5b-2c1c1a6f2d10"
    source_id: str = "4611686018427387904"
    destination_id: str = "sg_v1_dd_9b2f6c1e-53f5-4e55-8f0a-6d0b1f7a9c21"
    ingress: str = "events.example.com"
    target_domain: str = "gateway.example.com"
    api_version: str = "v24.0"

    def in_place(self, sample: object) -> Any:
        """The sample with what is known in it."""
        return Template(sample).substitute(asdict(self)) if isinstance(sample, str) else sample


def sample_document(operation: Operation) -> str:
    """The operation with every argument as a variable, asking for every field; a type is not repeated inside itself."""
    declared = ", ".join(f"${name}: {argument.type}" for name, argument in operation.arguments.items())
    selection = _selection(operation.path[-1][1].type)
    for name, field in reversed(operation.path):
        passed = ", ".join(f"{argument}: ${argument}" for argument in field.args)
        selection = f"{{ {name}{_in_brackets(passed)} {selection} }}"
    title = operation.field[:1].upper() + operation.field[1:]
    return print_ast(parse(f"{operation.kind} {title}{_in_brackets(declared)} {selection}"))


def _in_brackets(text: str) -> str:
    return f"({text})" if text else ""


def _selection(type_: GraphQLOutputType, around: tuple[str, ...] = ()) -> str:
    """Every field of the type, but for those of a type that it stands in; nothing for a plain value."""
    named = get_named_type(type_)
    if not isinstance(named, GraphQLObjectType):
        return ""
    around = (*around, named.name)
    fields = {name: field for name, field in named.fields.items() if get_named_type(field.type).name not in around}
    return f"{{ {' '.join(f'{name} {_selection(field.type, around)}' for name, field in fields.items())} }}"


def sample_variables(operation: Operation, known: Known) -> dict[str, Any]:
    """The samples of the arguments, and of the fields of input objects; an argument without one is left out."""
    return _samples(operation.arguments, known)


def _samples(inputs: Mapping[str, GraphQLArgument | GraphQLInputField], known: Known) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, each in inputs.items():
        type_ = get_named_type(each.type)
        if isinstance(type_, GraphQLInputObjectType):
            found[name] = _samples(type_.fields, known)
        else:
            found[name] = known.in_place(sample_of(each))
    return {name: sample for name, sample in found.items() if sample is not None}


def sample_answer(operation: Operation, known: Known) -> dict[str, Any]:
    """What the sample is answered, in the form that the schema promises: it is executed over the fields' samples."""
    types = operation.schema.type_map

    def sample(source: Any, info: GraphQLResolveInfo, **arguments: Any) -> Any:
        field = cast(GraphQLObjectType, types[info.parent_type.name]).fields[info.field_name]
        named = get_named_type(info.return_type)
        value: Any = {}
        if not isinstance(named, GraphQLObjectType):
            value = known.in_place(sample_of(field))
            value = _plain(named) if value is None else value
        type_ = info.return_type.of_type if isinstance(info.return_type, GraphQLNonNull) else info.return_type
        return [value] if isinstance(type_, GraphQLList) else value

    result = execute_sync(
        _without_resolvers(operation.schema),
        parse(sample_document(operation)),
        variable_values=sample_variables(operation, known),
        field_resolver=sample,
    )
    if result.errors:
        raise result.errors[0]
    return {"data": result.data}


@cache
def _without_resolvers(schema: GraphQLSchema) -> GraphQLSchema:
    return build_schema(print_schema(schema))


def _plain(type_: Any) -> Any:
    """What a field without a sample shows: numbers, yes and no need none."""
    if isinstance(type_, GraphQLEnumType):
        return next(iter(type_.values.values())).value
    return {"Boolean": True, "Int": 3, "Float": 0.0, "Long": 1234}.get(type_.name)


def as_json(value: Any) -> str:
    """Indented, with characters as they are."""
    return json.dumps(value, indent=2, ensure_ascii=False)

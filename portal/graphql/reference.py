"""The operations of both endpoints as the served schemas describe them: what the API Reference page shows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from typing import cast

from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    Undefined,
    get_named_type,
    is_non_null_type,
)

from portal.graphql.capig import schema as capig_schema
from portal.graphql.hub import schema as hub_schema

SCHEMAS: dict[str, GraphQLSchema] = {"hub": hub_schema.graphql_schema, "capig": capig_schema.graphql_schema}

#: A type of that name holds operations; it is none itself.
_GROUP = re.compile(r"(Queries|Mutations)\Z")
_CODES = re.compile(r"\s*Codes: (.*)\.\Z", re.DOTALL)
#: What every operation may answer, and what a code means where its operation says nothing of its own.
_MEANINGS = {
    400: "Invalid input: the message names the field and the rule.",
    401: "Not signed in, or not allowed.",
    404: "Not found.",
    409: "It stands already.",
    500: "Internal error, logged under the id in the message.",
}
_ALWAYS = (400, 401, 500)


@dataclass(frozen=True, slots=True)
class Described:
    """An argument, a field or an enum's value, with its type as the schema writes it."""

    name: str
    description: str
    type: str = ""
    required: bool = False
    default: str | None = None


@dataclass(frozen=True, slots=True)
class DescribedType:
    """A type and what it consists of."""

    name: str
    description: str
    members: list[Described]


@dataclass(frozen=True, slots=True)
class Code:
    """A code that an operation may answer, as HTTP status and in ``extensions.code``."""

    code: int
    meaning: str


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation; ``path`` are the fields that lead to it, groups first, the operation's own last."""

    endpoint: str
    kind: str
    path: tuple[tuple[str, GraphQLField], ...]
    #: Has an operation before it a field of the same name, in another group?
    is_namesake: bool = False

    @property
    def field(self) -> str:
        """The name of the operation's field."""
        return self.path[-1][0]

    @property
    def name(self) -> str:
        """What the operation is called: by its field, with its group where another one is called so already."""
        return f"{self.path[-2][0]}-{self.field}" if self.is_namesake else self.field

    @property
    def address(self) -> str:
        """Where it is sent to."""
        return f"/{self.endpoint}/graphql/"

    @property
    def schema(self) -> GraphQLSchema:
        """The schema that it belongs to."""
        return SCHEMAS[self.endpoint]

    @property
    def description(self) -> str:
        """What it does, without its codes."""
        return _CODES.sub("", self._description)

    @property
    def returns(self) -> str:
        """The type of its answer."""
        return str(self.path[-1][1].type)

    @property
    def arguments(self) -> dict[str, GraphQLArgument]:
        """The arguments, those of the groups included."""
        return {name: argument for _, field in self.path for name, argument in field.args.items()}

    @property
    def described_arguments(self) -> list[Described]:
        """The arguments in words, each followed by the fields of its input type, ``input.name``."""
        return [each for name, argument in self.arguments.items() for each in _described_with_fields(name, argument)]

    @property
    def types(self) -> list[DescribedType]:
        """The types that an answer is made of, from the outside in, and the enums of the arguments."""
        found: dict[str, GraphQLNamedType] = {}
        waiting = [get_named_type(self.path[-1][1].type), *self._enums_of_arguments()]
        while waiting:
            type_ = waiting.pop(0)
            if type_.name in found:
                continue
            if isinstance(type_, GraphQLObjectType):
                waiting += [get_named_type(field.type) for field in type_.fields.values()]
            if isinstance(type_, GraphQLObjectType | GraphQLEnumType):
                found[type_.name] = type_
        return [_described_type(type_) for type_ in found.values()]

    @property
    def codes(self) -> list[Code]:
        """The codes that its description names, and those that every operation may answer."""
        named = _CODES.search(self._description)
        meanings = {code: _MEANINGS[code] for code in _ALWAYS}
        for part in named[1].split(", ") if named else ():
            code, _, words = part.partition(" ")
            meaning = f"{words[:1].upper()}{words[1:]}." if words else _MEANINGS[int(code)]
            meanings[int(code)] = meaning
        return [Code(code, meaning) for code, meaning in sorted(meanings.items())]

    @property
    def _description(self) -> str:
        return self.path[-1][1].description or ""

    def _enums_of_arguments(self) -> list[GraphQLNamedType]:
        waiting = [get_named_type(argument.type) for argument in self.arguments.values()]
        found = []
        while waiting:
            type_ = waiting.pop(0)
            if isinstance(type_, GraphQLInputObjectType):
                waiting += [get_named_type(field.type) for field in type_.fields.values()]
            found.append(type_)
        return found


@cache
def operations() -> tuple[Operation, ...]:
    """Every operation of both endpoints, in the schemas' order."""
    found = [
        operation
        for endpoint, schema in SCHEMAS.items()
        for kind, root in (("query", schema.query_type), ("mutation", schema.mutation_type))
        for operation in _operations_of(endpoint, kind, cast(GraphQLObjectType, root))
    ]
    first: dict[tuple[str, str], Operation] = {}
    for operation in found:
        first.setdefault((operation.endpoint, operation.field), operation)
    return tuple(replace(each, is_namesake=first[each.endpoint, each.field] is not each) for each in found)


def find_operation(endpoint: str, name: str) -> Operation | None:
    """The endpoint's operation of that name."""
    return next((each for each in operations() if (each.endpoint, each.name) == (endpoint, name)), None)


def _operations_of(
    endpoint: str, kind: str, parent: GraphQLObjectType, path: tuple[tuple[str, GraphQLField], ...] = ()
) -> Iterator[Operation]:
    for name, field in parent.fields.items():
        here = (*path, (name, field))
        if _GROUP.search(get_named_type(field.type).name):
            yield from _operations_of(endpoint, kind, cast(GraphQLObjectType, get_named_type(field.type)), here)
        else:
            yield Operation(endpoint, kind, here)


def _described_with_fields(name: str, value: GraphQLArgument | GraphQLInputField) -> Iterator[Described]:
    """An argument or a field, and what is in it: ``input``, ``input.apiKeyAuth``, ``input.apiKeyAuth.name``."""
    yield _described_input(name, value)
    type_ = get_named_type(value.type)
    if isinstance(type_, GraphQLInputObjectType):
        for inner, field in type_.fields.items():
            yield from _described_with_fields(f"{name}.{inner}", field)


def _described_input(name: str, value: GraphQLArgument | GraphQLInputField) -> Described:
    # graphene gives some fields None for a default; that is none.
    default = None if value.default_value in (Undefined, None) else str(value.default_value)
    required = is_non_null_type(value.type) and default is None
    return Described(name, value.description or "", str(value.type), required, default)


def _described_type(type_: GraphQLNamedType) -> DescribedType:
    if isinstance(type_, GraphQLEnumType):
        members = [Described(name, value.description or "") for name, value in type_.values.items()]
    else:
        fields = cast(GraphQLObjectType, type_).fields
        members = [Described(name, field.description or "", str(field.type)) for name, field in fields.items()]
    return DescribedType(type_.name, type_.description or "", members)

"""Queries made up from a schema: valid ones, of any shape that a client may write."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from graphql import GraphQLObjectType, GraphQLSchema, get_named_type, is_leaf_type
from hypothesis import strategies as st

#: By argument: what to write there, literals or names of variables.
Arguments = Mapping[str, Sequence[str]]

_DIRECTIVES = ("@include(if: $yes)", "@skip(if: $yes)", "@include(if: true)", "@skip(if: false)")


@dataclass
class _Writer:
    draw: Callable[[st.SearchStrategy[Any]], Any]
    arguments: Arguments
    directives: bool
    numbers: count[int] = field(default_factory=count)
    fragments: list[str] = field(default_factory=list)

    def chance(self, one_in: int) -> bool:
        return bool(self.draw(st.integers(1, one_in)) == 1)

    def selections(self, type_: GraphQLObjectType, depth: int) -> str:
        """What stands between the braces."""
        names = [name for name, one in type_.fields.items() if depth or is_leaf_type(get_named_type(one.type))]
        chosen = self.draw(st.lists(st.sampled_from([*names, "__typename"]), min_size=1, max_size=5))
        return " ".join(self.wrapped(type_, self.selection(type_, name, depth)) for name in chosen)

    def selection(self, type_: GraphQLObjectType, name: str, depth: int) -> str:
        if name == "__typename":
            return name
        one = type_.fields[name]
        given = self.given(one.args)
        # Two fields of one key must have the same arguments.
        alias = f"x{next(self.numbers)}: " if given or self.chance(8) else ""
        below = get_named_type(one.type)
        selections = f" {{ {self.selections(below, depth - 1)} }}" if isinstance(below, GraphQLObjectType) else ""
        return f"{alias}{name}{given}{self.directive()}{selections}"

    def given(self, arguments: Mapping[str, Any]) -> str:
        texts = []
        for name, argument in arguments.items():
            required = str(argument.type).endswith("!")
            if name in self.arguments and (required or self.chance(2)):
                texts.append(f"{name}: {self.draw(st.sampled_from(self.arguments[name]))}")
        return f"({', '.join(texts)})" if texts else ""

    def directive(self) -> str:
        return f" {self.draw(st.sampled_from(_DIRECTIVES))}" if self.directives and self.chance(3) else ""

    def wrapped(self, type_: GraphQLObjectType, text: str) -> str:
        """The selection as it is, or in a fragment."""
        way = self.draw(st.integers(0, 9))
        if way == 0:
            return f"... {{ {text} }}"
        if way == 1:
            return f"... on {type_.name}{self.directive()} {{ {text} }}"
        if way == 2:
            name = f"F{next(self.numbers)}"
            self.fragments.append(f"fragment {name} on {type_.name} {{ {text} }}")
            return f"...{name}{self.directive()}"
        return text


@st.composite
def queries(
    draw: Any, schema: GraphQLSchema, arguments: Arguments, *, variables: str, depth: int = 5, directives: bool = False
) -> str:
    """A query that declares the ``variables``; optional arguments are given half of the time."""
    assert schema.query_type
    writer = _Writer(draw, arguments, directives)
    selections = writer.selections(schema.query_type, depth)
    used = " ".join([selections, *writer.fragments])
    declared = [variable for variable in variables.split(", ") if f"{variable.partition(':')[0]}" in used]
    return " ".join(
        [f"query({', '.join(declared)})" if declared else "query", f"{{ {selections} }}", *writer.fragments]
    )

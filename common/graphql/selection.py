"""What a document asks for below the current field, so that a read fetches that and nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, cast

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLIncludeDirective,
    GraphQLResolveInfo,
    GraphQLSkipDirective,
    InlineFragmentNode,
    SelectionNode,
    SelectionSetNode,
    get_directive_values,
)


class Selection(dict[str, "Selection"]):
    """Field name → what is asked below that field; a field that is not asked for has an empty selection.

    So ``"users" in selection`` tells whether to load them, and ``selection["users"]["roles"]`` needs no checks. It is a
    key, too: what was worked out for a selection serves equal ones. So it is not changed once it is complete.
    """

    _hash: int | None = None

    def __hash__(self) -> int:  # type: ignore[override]  # of a dictionary, which may change
        if self._hash is None:
            self._hash = hash(frozenset(self.items()))
        return self._hash

    def __missing__(self, name: str) -> Selection:
        return Selection()


def selected(info: GraphQLResolveInfo) -> Selection:
    """The fields below the current one, by name: aliases, duplicates and fragments merged, skipped ones left out.

    Type conditions are not looked at, since no type of ours is abstract.
    """
    if is_compiled(info):
        return cast(Selection, cast(Any, info).selection)
    return selection_of(info.field_nodes, info.fragments, info.variable_values)


def is_compiled(info: GraphQLResolveInfo) -> bool:
    """Does a compiled query run (common.graphql.compiler), and not graphql-core?"""
    return not isinstance(info, GraphQLResolveInfo)


def selection_of(
    nodes: Iterable[FieldNode], fragments: Mapping[str, FragmentDefinitionNode], variables: dict[str, Any]
) -> Selection:
    """The fields below these ones."""
    selection = Selection()

    def add(selection: Selection, selection_set: SelectionSetNode | None) -> None:
        for node in selection_set.selections if selection_set else ():
            if _is_skipped(node, variables):
                continue
            if isinstance(node, FieldNode):
                add(selection.setdefault(node.name.value, Selection()), node.selection_set)
            elif isinstance(node, InlineFragmentNode):
                add(selection, node.selection_set)
            elif isinstance(node, FragmentSpreadNode):
                add(selection, fragments[node.name.value].selection_set)

    for node in nodes:
        add(selection, node.selection_set)
    return selection


def _is_skipped(node: SelectionNode, variables: dict[str, Any]) -> bool:
    skip = get_directive_values(GraphQLSkipDirective, node, variables)
    include = get_directive_values(GraphQLIncludeDirective, node, variables)
    return bool(skip and skip["if"]) or bool(include and not include["if"])

"""What a document asks for below the current field, so that a read fetches that and nothing else."""

from __future__ import annotations

from typing import Any

from graphql import (
    FieldNode,
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

    So ``"users" in selection`` tells whether to load them, and ``selection["users"]["roles"]`` needs no checks.
    """

    def __missing__(self, name: str) -> Selection:
        return Selection()


def selected(info: GraphQLResolveInfo) -> Selection:
    """The fields below the current one, by name: aliases, duplicates and fragments merged, skipped ones left out.

    Type conditions are not looked at, since no type of ours is abstract.
    """
    selection = Selection()
    for node in info.field_nodes:
        _add(selection, node.selection_set, info)
    return selection


def _add(selection: Selection, selection_set: SelectionSetNode | None, info: GraphQLResolveInfo) -> None:
    for node in selection_set.selections if selection_set else ():
        if _is_skipped(node, info.variable_values):
            continue
        if isinstance(node, FieldNode):
            _add(selection.setdefault(node.name.value, Selection()), node.selection_set, info)
        elif isinstance(node, InlineFragmentNode):
            _add(selection, node.selection_set, info)
        elif isinstance(node, FragmentSpreadNode):
            _add(selection, info.fragments[node.name.value].selection_set, info)


def _is_skipped(node: SelectionNode, variables: dict[str, Any]) -> bool:
    skip = get_directive_values(GraphQLSkipDirective, node, variables)
    include = get_directive_values(GraphQLIncludeDirective, node, variables)
    return bool(skip and skip["if"]) or bool(include and not include["if"])

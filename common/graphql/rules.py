"""The validation rules of both endpoints: GraphQL's, with one relaxed, one left out and one added."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from graphql import (
    ASTValidationRule,
    FieldNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLID,
    GraphQLList,
    GraphQLNonNull,
    GraphQLString,
    InlineFragmentNode,
    NoUnusedVariablesRule,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    ValidationRule,
    VariablesInAllowedPositionRule,
    specified_rules,
    type_from_ast,
)
from graphql.validation.rules.variables_in_allowed_position import allowed_variable_usage

#: Names in an answer, from the top down.
ResponsePath = tuple[str, ...]


class VariablesInAllowedPosition(VariablesInAllowedPositionRule):
    """GraphQL §5.8.5, with ``ID`` and ``String`` taken for one type.

    The published reference declares an argument ``ID!`` and samples it with a ``String!`` variable; its clients do too.
    """

    def leave_operation_definition(self, operation: OperationDefinitionNode, *_args: Any) -> None:
        """Report every variable whose type does not fit where it stands."""
        schema = self.context.schema
        for usage in self.context.get_recursive_variable_usages(operation):
            definition = self.var_def_map.get(usage.node.name.value)
            declared = type_from_ast(schema, definition.type) if definition else None
            if definition is None or declared is None or usage.type is None:
                continue  # other rules report these
            if not allowed_variable_usage(
                schema, _unified(declared), definition.default_value, _unified(usage.type), usage.default_value
            ):
                text = f"Variable '${usage.node.name.value}' of type '{declared}' cannot stand for '{usage.type}'."
                self.report_error(GraphQLError(text, [definition, usage.node]))


def _unified(type_: Any) -> Any:
    """The type with ``ID`` wherever it says ``String``."""
    if isinstance(type_, GraphQLNonNull):
        return GraphQLNonNull(_unified(type_.of_type))
    if isinstance(type_, GraphQLList):
        return GraphQLList(_unified(type_.of_type))
    return GraphQLID if type_ is GraphQLString else type_


#: Mutations that reach outside: one asks servers, which may take seconds and keeps a thread waiting, one sends a mail.
CALLING_OUT = {"upsertIngressDomain": "it asks servers outside", "sendInvitation": "it sends a mail"}


class OneCallOut(ValidationRule):
    """A document may ask once for each mutation that reaches outside: with aliases, one request would make many."""

    def enter_operation_definition(self, operation: OperationDefinitionNode, *_args: Any) -> None:
        """Report the fields that stand at a second place of the answer, wherever fragments put them."""
        if operation.operation is not OperationType.MUTATION:
            return
        paths: dict[str, set[ResponsePath]] = {name: set() for name in CALLING_OUT}
        for path, node in self._fields(operation.selection_set, ()):
            of_name = paths.get(node.name.value)
            if of_name is not None and of_name != {path}:
                of_name.add(path)
                if len(of_name) == 2:
                    text = f"'{node.name.value}' may stand only once in a document: {CALLING_OUT[node.name.value]}."
                    self.report_error(GraphQLError(text, node))

    def _fields(self, selection_set: SelectionSetNode, path: ResponsePath) -> Iterator[tuple[ResponsePath, FieldNode]]:
        """The fields of the operation's first two levels, where mutations are."""
        for node in selection_set.selections:
            if isinstance(node, FieldNode):
                here = (*path, (node.alias or node.name).value)
                yield here, node
                if node.selection_set and len(here) < 2:
                    yield from self._fields(node.selection_set, here)
            elif isinstance(node, InlineFragmentNode):
                yield from self._fields(node.selection_set, path)
            elif isinstance(node, FragmentSpreadNode):
                fragment = self.context.get_fragment(node.name.value)
                if fragment:
                    yield from self._fields(fragment.selection_set, path)


#: By the rule of graphql-core that is replaced; None where nothing replaces it.
_REPLACED: dict[type[ASTValidationRule], type[ASTValidationRule] | None] = {
    VariablesInAllowedPositionRule: VariablesInAllowedPosition,
    # GraphQL §5.8.4. A variable that nothing uses does no harm, and the reference prints documents that declare one.
    NoUnusedVariablesRule: None,
}

RULES = (*filter(None, (_REPLACED.get(rule, rule) for rule in specified_rules)), OneCallOut)

"""The validation rules of both endpoints: GraphQL's, with one relaxed, one left out and one added."""

from __future__ import annotations

from typing import Any

from graphql import (
    ASTValidationRule,
    FieldNode,
    GraphQLError,
    GraphQLID,
    GraphQLList,
    GraphQLNonNull,
    GraphQLString,
    NoUnusedVariablesRule,
    OperationDefinitionNode,
    ValidationContext,
    ValidationRule,
    VariablesInAllowedPositionRule,
    specified_rules,
    type_from_ast,
)
from graphql.validation.rules.variables_in_allowed_position import allowed_variable_usage


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


#: Mutations that ask a server outside, which may take seconds to answer, and keep a thread waiting.
CALLING_OUT = frozenset({"upsertIngressDomain"})


class OneCallOut(ValidationRule):
    """A document may ask once for a mutation that calls out: with aliases, one request would make many of them."""

    def __init__(self, context: ValidationContext) -> None:
        super().__init__(context)
        self.places: set[str] = set()

    def enter_field(self, node: FieldNode, *_args: Any) -> None:
        """Report the field where it stands at a second place of the answer."""
        parent = self.context.get_parent_type()
        if node.name.value in CALLING_OUT and parent is self.context.schema.mutation_type:
            self.places.add((node.alias or node.name).value)
            if len(self.places) > 1:
                text = f"'{node.name.value}' may stand only once in a document: it asks servers outside."
                self.report_error(GraphQLError(text, node))


#: By the rule of graphql-core that is replaced; None where nothing replaces it.
_REPLACED: dict[type[ASTValidationRule], type[ASTValidationRule] | None] = {
    VariablesInAllowedPositionRule: VariablesInAllowedPosition,
    # GraphQL §5.8.4. A variable that nothing uses does no harm, and the reference prints documents that declare one.
    NoUnusedVariablesRule: None,
}

RULES = (*filter(None, (_REPLACED.get(rule, rule) for rule in specified_rules)), OneCallOut)

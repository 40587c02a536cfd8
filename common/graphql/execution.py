"""graphql-core's execution within a budget (common.budget)."""

from __future__ import annotations

from typing import Any

from graphql import (
    ExecutionContext,
    FieldNode,
    GraphQLError,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLResolveInfo,
    is_leaf_type,
)
from graphql.pyutils import Path
from graphql.type import GraphQLList, get_named_type

from common.budget import SCALARS_PER_OBJECT, TooLarge, current_budget
from common.errors import PortalError, TimedOut, unavailable


class BoundedExecution(ExecutionContext):
    """Counts the objects in lists as they are completed; a query ends where its budget does."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.budget = current_budget()

    def complete_list_value(
        self,
        return_type: GraphQLList[Any],
        field_nodes: list[FieldNode],
        info: GraphQLResolveInfo,
        path: Path,
        result: Any,
    ) -> Any:
        """Complete the list, as long as the answer stays within the budget."""
        if isinstance(result, list | tuple):
            share = SCALARS_PER_OBJECT if is_leaf_type(get_named_type(return_type)) else 1
            self.budget.answer(len(result) // share, info.field_name)
        return super().complete_list_value(return_type, field_nodes, info, path, result)

    def execute_fields(
        self, parent_type: GraphQLObjectType, source: Any, path: Path | None, fields: dict[str, list[FieldNode]]
    ) -> Any:
        """Count an object's values, and answer them."""
        self.budget.answer(0, next(iter(fields), ""), len(fields))
        return super().execute_fields(parent_type, source, path, fields)

    def handle_field_error(self, error: GraphQLError, return_type: GraphQLOutputType, path: Path) -> None:
        """Go on without the field, but for a query that has asked for too much: its other fields would, too.

        A mutation has happened, and tells what it can.
        """
        refusal = ends_query(error.original_error)
        if refusal and not self.budget.has_written:
            raise refusal
        super().handle_field_error(error, return_type, path)


def ends_query(error: BaseException | None) -> PortalError | None:
    """The refusal of a query that asks for too much, or reads for too long; None for every other error."""
    while isinstance(error, GraphQLError):
        error = error.original_error
    refusal = error if isinstance(error, TooLarge) else unavailable(error)
    return refusal if isinstance(refusal, TooLarge | TimedOut) else None

"""graphql-core's execution with a bound on what one answer may hold.

The limits on a document cannot know how much the database has: people of accounts of people of accounts multiply.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from graphql import ExecutionContext, FieldNode, GraphQLResolveInfo, OperationType, is_leaf_type
from graphql.pyutils import Path
from graphql.type import GraphQLList, get_named_type

from portal.errors import InvalidInput


class BoundedExecution(ExecutionContext):
    """Counts the objects in lists as they are completed, and refuses the field that goes beyond the limit."""

    objects = 0

    def complete_list_value(
        self,
        return_type: GraphQLList[Any],
        field_nodes: list[FieldNode],
        info: GraphQLResolveInfo,
        path: Path,
        result: Any,
    ) -> Any:
        """Complete the list, as long as the answer stays within GRAPHQL_MAX_OBJECTS."""
        bounded = self.operation.operation is OperationType.QUERY  # a mutation has happened: its answer is given
        if bounded and isinstance(result, list) and not is_leaf_type(get_named_type(return_type)):
            self.objects += len(result)
            if self.objects > settings.GRAPHQL_MAX_OBJECTS:
                raise InvalidInput(
                    info.field_name,
                    f"the answer would hold more than {settings.GRAPHQL_MAX_OBJECTS} objects; ask for less at a time.",
                )
        return super().complete_list_value(return_type, field_nodes, info, path, result)

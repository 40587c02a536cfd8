"""Documents, parsed and validated once.

``prepare_document`` is the only way from a document's text to its execution. Whatever makes that faster belongs
behind it.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

from cachetools import LRUCache
from django.conf import settings
from graphql import (
    DocumentNode,
    ExecutionResult,
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
    execute_sync,
    get_operation_ast,
    parse,
    validate,
)

from common.budget import Budget, spending
from common.graphql.compiler import Compiled, compile_query
from common.graphql.errors import RequestError
from common.graphql.execution import BoundedExecution, ends_query
from common.graphql.fallbacks import note_fallback
from common.graphql.limits import Limits, check_document, too_deep
from common.graphql.rules import RULES

#: An answer names no more faults of a document, or of its variables, than this.
MAX_ERRORS = 20


@dataclass(frozen=True, slots=True)
class Prepared:
    """A document that may be executed: within the limits, and valid for its schema."""

    schema: GraphQLSchema
    document: DocumentNode
    #: Of the text, in characters.
    length: int
    #: By name, the queries that were executed; None where graphql-core has to.
    compiled: dict[str | None, Compiled | None] = field(default_factory=dict, init=False)

    def operation(self, name: str | None) -> OperationDefinitionNode:
        """The operation to execute: the one of that name, or the only one."""
        operation = get_operation_ast(self.document, name)
        if operation is None:
            raise RequestError(
                f"operationName: the document has no operation named '{name}'."
                if name
                else "operationName: the document has several operations; name the one to execute."
            )
        return operation

    def execute_compiled(
        self, operation_name: str | None, variables: dict[str, Any], context: object
    ) -> ExecutionResult | None:
        """Run the operation as a compiled query; ``context`` is what its resolvers find in ``info.context``.

        graphql-core is the reference. A compiled query answers as it would, or raises an exception: then, and for
        whatever is not compiled, there is no answer yet, and ``execute_as_reference`` gives it, so that errors, their
        places and partial data are graphql-core's own. Nothing has been written until then. A query that asks for too
        much, or reads for too long, is refused at once: it would cost the same again.
        """
        if operation_name not in self.compiled:
            operation = self.operation(operation_name)
            self.compiled[operation_name] = compile_query(self.schema, self.document, operation)
        run = self.compiled[operation_name]
        if run is None:
            return None
        budget = Budget()
        try:
            with spending(budget):
                return ExecutionResult(run(context, variables, budget), None)
        except Exception as error:  # whatever it is, graphql-core says it
            if refusal := ends_query(error):
                raise refusal from error
            note_fallback(error)
        return None

    def execute(self, operation_name: str | None, variables: dict[str, Any], context: object) -> ExecutionResult:
        """Run the operation, compiled where it can be."""
        done = self.execute_compiled(operation_name, variables, context)
        return done or self.execute_as_reference(operation_name, variables, context)

    def execute_as_reference(
        self, operation_name: str | None, variables: dict[str, Any], context: object
    ) -> ExecutionResult:
        """Let graphql-core run the operation."""
        is_query = self.operation(operation_name).operation is OperationType.QUERY
        with spending(Budget(has_written=not is_query)):
            return execute_sync(
                self.schema,
                self.document,
                context_value=context,
                variable_values=variables,
                operation_name=operation_name,
                max_coercion_errors=MAX_ERRORS,
                execution_context_class=BoundedExecution,
            )


def prepare_document(schema: GraphQLSchema, source: str, limits: Limits | None = None) -> Prepared:
    """The document of that text, from the cache where it has been seen; RequestError for one not to be executed."""
    key = (schema, source, limits or Limits.current())
    with _lock:
        prepared = _cache.get(key)
    if prepared is None:
        prepared = _prepare(*key)
        with _lock, suppress(ValueError):  # a document that is larger than the cache is not kept
            _cache[key] = prepared
    return prepared


def _prepare(schema: GraphQLSchema, source: str, limits: Limits) -> Prepared:
    document = _parse(source, limits)
    check_document(document, limits)
    errors = validate(schema, document, RULES, max_errors=MAX_ERRORS)
    if errors:
        raise RequestError(*errors)
    return Prepared(schema, document, len(source))


def _parse(source: str, limits: Limits) -> DocumentNode:
    try:
        return parse(
            source,
            max_lexical_tokens=limits.tokens,
            max_comments=limits.tokens,
            max_source_length=limits.source,
        )
    except GraphQLError as error:
        # The parser stops at 200 levels and does not say how many are allowed.
        raise (too_deep(limits) if "nested too deeply" in error.message else RequestError(error)) from None


#: Measured with graphql-core 3.2: syntax nodes, their locations and compiled functions, by token.
BYTES_PER_TOKEN = 1_600
#: The cache has room for GRAPHQL_DOCUMENT_CACHE_SIZE documents of this size, some hundred tokens.
BYTES_PER_DOCUMENT = 100_000


def _weight(prepared: Prepared) -> int:
    # A character takes up to four bytes, in the text and again in a string's value.
    return prepared.document.token_count * BYTES_PER_TOKEN + prepared.length * 8


def _cache_of(documents: int) -> LRUCache[tuple[GraphQLSchema, str, Limits], Prepared]:
    return LRUCache(documents * BYTES_PER_DOCUMENT, getsizeof=_weight)


#: The documents used last, bounded by the memory that they take, not by their number: a client that makes up documents
#: can push out those of others, not fill the memory.
_cache = _cache_of(settings.GRAPHQL_DOCUMENT_CACHE_SIZE)
_lock = Lock()


def forget_documents() -> None:
    """Empty the cache."""
    with _lock:
        _cache.clear()

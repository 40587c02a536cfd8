"""The one view behind both GraphQL endpoints (docs/decisions/0003-graphql-over-http.md)."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from typing import Any

import orjson
from django.core.exceptions import BadRequest, SuspiciousOperation
from django.http import HttpRequest, HttpResponse
from django.utils.decorators import method_decorator
from django.views.decorators.csrf import csrf_exempt
from graphene_django.views import GraphQLView
from graphql import ExecutionResult, FieldNode, GraphQLError, GraphQLSchema, OperationDefinitionNode, OperationType

from accounts.authentication import BEARER_CHALLENGE
from accounts.schema.context import SignedIn
from common import tracing
from common.errors import PortalError, Unavailable
from common.graphql.documents import prepare_document
from common.graphql.errors import RequestError, expected, render_errors, report, status_of, trimmed
from common.graphql.limits import Limits, check_variables
from common.graphql.requests import (
    JSON,
    PersistedQueryNotSupported,
    check_headers,
    preferred_media_type,
    read_request,
)
from common.http import Request, Response, from_django
from common.metrics import note_graphql
from common.query_timeout import limited_reads
from portal.graphql.sign_in import sign_in


@dataclass(frozen=True, slots=True)
class GraphQLResponse:
    """What is answered, whatever it is written as."""

    body: Mapping[str, Any]
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


#: As Apollo Server writes it. Clients look for these words in an answer of 200, and send the whole document then.
PERSISTED_QUERY_NOT_SUPPORTED = GraphQLResponse(
    {"errors": [{"message": "PersistedQueryNotSupported", "extensions": {"code": "PERSISTED_QUERY_NOT_SUPPORTED"}}]}
)


@method_decorator(csrf_exempt, name="dispatch")
class PortalGraphQLView(GraphQLView):
    """GraphQL over HTTP for callers who are signed in.

    Exempt from Django's CSRF check since a bearer token needs none; ``sign_in`` makes it for sessions.
    """

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Answer the request."""
        status, headers, body = respond(from_django(request), self.schema.graphql_schema, browser=request)
        return HttpResponse(body, status=status, headers=dict(headers))


def respond(request: Request, schema: GraphQLSchema, browser: HttpRequest | None = None) -> Response:
    """Answer a request, which may have the session of a ``browser``.

    No exception passes, so that every client reads well-formed GraphQL errors.
    """
    media_type = JSON
    try:
        media_type = preferred_media_type(request)
        return _written(_execute(request, schema, browser), media_type)
    except Exception as error:  # noqa: BLE001  # logged by `refusal`
        return _written(refusal(error), media_type)


def _execute(request: Request, schema: GraphQLSchema, browser: HttpRequest | None) -> GraphQLResponse:
    check_headers(request)
    caller = sign_in(request, browser)
    context = SignedIn(caller.principal)
    with ExitStack() as stack:
        try:
            asked = read_request(request)
            limits = Limits.current()
            check_variables(asked.variables, limits)
            prepared = prepare_document(schema, asked.query, limits)
            operation = prepared.operation(asked.operation_name)
            is_query = operation.operation is OperationType.QUERY
            if request.method == "GET" and not is_query:
                raise RequestError("Send mutations as POST requests.", code=405, headers={"Allow": "POST"})
            if is_query:
                stack.enter_context(limited_reads())
            step = stack.enter_context(_step(operation))
            started = time.perf_counter()
            result = prepared.execute_compiled(asked.operation_name, asked.variables, context)
        finally:
            caller.confirm()  # whatever there is to tell, a refusal too, is for those alone who are known
        way = "reference" if result is None else "compiled"
        if result is None:
            context.principal = caller.principal  # which may have been looked up anew
            result = prepared.execute_as_reference(asked.operation_name, asked.variables, context)
        note_graphql(_first_field(operation), way, time.perf_counter() - started)
        step.set_attribute("portal.way", way)
    return executed(result)


def _step(operation: OperationDefinitionNode) -> AbstractContextManager[tracing.Span]:
    """By the schema's names: what a caller calls an operation is the caller's."""
    kind, field = operation.operation.value, _first_field(operation)
    return tracing.step(f"{kind} {field}", {"graphql.operation.type": kind, "graphql.field": field})


def _first_field(operation: OperationDefinitionNode) -> str:
    """A name of the schema's, since the document was validated: there are as many as it has fields at its top."""
    first = operation.selection_set.selections[0]
    return first.name.value if isinstance(first, FieldNode) else "fragment"


def executed(result: ExecutionResult) -> GraphQLResponse:
    """The answer to an executed operation: an error where no data came back, else 200 with the data there is."""
    if not result.errors:
        return GraphQLResponse({"data": result.data})
    errors = render_errors(result.errors)
    if all(error.path is None for error in result.errors):
        return GraphQLResponse({"errors": trimmed(errors)}, status_of(errors))  # the variables did not fit
    if _holds_data(result.data):
        return GraphQLResponse({"errors": errors, "data": result.data})
    return GraphQLResponse({"errors": errors, "data": None}, status_of(errors))


def _holds_data(value: Any) -> bool:
    """Did any field answer? A list did, even an empty one; ``__typename`` tells nothing of the data."""
    if isinstance(value, dict):
        return any(_holds_data(item) for name, item in value.items() if name != "__typename")
    if isinstance(value, list):
        return not value or any(map(_holds_data, value))
    return value is not None


def refusal(error: BaseException) -> GraphQLResponse:
    """The answer to a request that could not be executed."""
    if isinstance(error, PersistedQueryNotSupported):
        return PERSISTED_QUERY_NOT_SUPPORTED
    if isinstance(error, (SuspiciousOperation, BadRequest)):
        error = RequestError("The request could not be read.")
    error = expected(error)
    if isinstance(error, PortalError):
        error = RequestError(GraphQLError(error.message, original_error=error), code=error.code)
    if not isinstance(error, RequestError):
        error = RequestError(f"Internal error {report(error)}.", code=500)
    return GraphQLResponse({"errors": trimmed(render_errors(error.errors, code=error.code))}, error.code, error.headers)


def _written(response: GraphQLResponse, media_type: str) -> Response:
    headers = {"Content-Type": f"{media_type}; charset=utf-8", "Cache-Control": "no-store", **response.headers}
    if response.status == 401:
        headers.setdefault("WWW-Authenticate", BEARER_CHALLENGE)  # RFC 9110 §15.5.2
    if response.status == Unavailable.code:
        headers.setdefault("Retry-After", str(Unavailable.retry_after))
    return Response(response.status, list(headers.items()), orjson.dumps(response.body))

"""GraphQL typed into a page: the same limits, checks and answers as at the endpoints, without a request of its own."""

from __future__ import annotations

import json
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from graphql import GraphQLSchema, OperationType

from accounts.principals import Principal
from accounts.schema.context import SignedIn
from common.errors import InvalidInput
from common.graphql.documents import prepare_document
from common.graphql.errors import RequestError
from common.graphql.limits import Limits, check_text, check_variables
from common.query_timeout import limited_reads
from portal.graphql.view import GraphQLResponse, executed, refusal


@dataclass(frozen=True, slots=True)
class Asked:
    """What was typed; ``confirmed`` says that a mutation may run."""

    query: str
    variables: str
    confirmed: bool = False


def run(schema: GraphQLSchema, principal: Principal, asked: Asked) -> GraphQLResponse | None:
    """The answer to what was typed, with the rights of the person who is signed in.

    None where it is a mutation that nobody has confirmed: nothing was executed.
    """
    try:
        variables = _read(asked)
        prepared = prepare_document(schema, asked.query)
        operation = prepared.operation(None)
        is_query = operation.operation is OperationType.QUERY
        if not is_query and not asked.confirmed:
            return None
        with limited_reads() if is_query else nullcontext():
            return executed(prepared.execute(None, variables, SignedIn(principal)))
    except Exception as error:  # noqa: BLE001  # logged by `refusal`
        return refusal(error)


def _read(asked: Asked) -> dict[str, Any]:
    limit = settings.GRAPHQL_MAX_BODY_BYTES
    if len(asked.query) + len(asked.variables) > limit:
        raise RequestError(f"The request is too large: the limit is {limit} characters.")
    check_text("query", asked.query)
    try:
        variables = json.loads(asked.variables or "{}")
    except (ValueError, RecursionError):
        raise InvalidInput("variables", "must be valid JSON.") from None
    if not isinstance(variables, dict):
        raise InvalidInput("variables", "must be a JSON object.")
    check_variables(variables, Limits.current())
    return variables

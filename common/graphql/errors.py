"""From exceptions to what a GraphQL client reads (docs/decisions/0003-graphql-over-http.md).

A refusal of ours keeps its words and code. What the client's document or variables got wrong is 400. Where the database
is away it is 503. Everything else is our fault: logged under a random id, answered with that id and nothing else.
"""

from __future__ import annotations

import logging
import re
import secrets
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar, cast

import orjson
from graphql import GraphQLError, ValueNode

from common.errors import PortalError, Unavailable, unavailable

logger = logging.getLogger(__name__)

_INTERNAL = 500

#: Bytes of JSON that an answer spends on errors in the request itself, and on the text and the field of one of them:
#: a request of many or long mistakes is not answered at length.
_MAX_BYTES, _MAX_MESSAGE_BYTES, _MAX_FIELD_BYTES = 1_000, 500, 100
_MAX_LOCATIONS = 2

# graphql-core quotes the value that it refuses. It may be an access token, which no answer may hold.
_QUOTED_LITERAL = re.compile(
    r"(cannot represent [^:]*?value:|has invalid value|Expected value of type '[^']*', found"
    r"|(?:found|Unexpected) (?:Block)?String) .*",
    re.DOTALL,
)
_QUOTED_VARIABLE = re.compile(r"(Variable '\$\w+') got invalid value .*?( at '[^']*')?", re.DOTALL)


E = TypeVar("E", bound=BaseException)


class RequestError(Exception):
    """The request ends before anything is executed, with ``code`` as its HTTP status."""

    def __init__(self, *errors: GraphQLError | str, code: int = 400, headers: Mapping[str, str] | None = None) -> None:
        self.errors = [GraphQLError(error) if isinstance(error, str) else error for error in errors]
        self.code = code
        self.headers = headers or {}
        super().__init__(*(error.message for error in self.errors))


def render_errors(errors: Sequence[GraphQLError], *, code: int = 400) -> list[dict[str, Any]]:
    """The ``errors`` of an answer; ``code`` is for those that came before execution.

    All unexpected errors of an answer share one id, and the first of them is logged: a fault in a list's items would
    otherwise fill the log.
    """
    rendered = []
    error_id = ""
    for error in errors:
        cause = expected(_cause(error))
        if isinstance(cause, PortalError):
            message = cause.message
            extensions: dict[str, Any] = {"code": cause.code} | ({"field": cause.field} if cause.field else {})
        elif _is_clients_fault(error):
            message, extensions = _without_values(error), {"code": code}
        else:
            error_id = error_id or report(cause, error.path)
            message, extensions = f"Internal error {error_id}.", {"code": _INTERNAL}
        rendered.append({**error.formatted, "message": message, "extensions": extensions})
    return rendered


def trimmed(rendered: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The first of the rendered errors, as many as take a thousand bytes, with their texts cut to a readable length.

    For a request that ended before anything was executed. The last error tells how many more there are.
    """
    kept: list[dict[str, Any]] = []
    rest = {"message": f"{len(rendered)} errors in all.", "extensions": {"code": status_of(rendered)}}
    size = len(orjson.dumps({"errors": [rest]}))
    for error in map(_cut, rendered):
        size += len(orjson.dumps(error)) + 1
        if size > _MAX_BYTES:
            return [*kept, rest]
        kept.append(error)
    return kept


def _cut(error: dict[str, Any]) -> dict[str, Any]:
    cut = {**error, "message": _shortened(error["message"], _MAX_MESSAGE_BYTES)}
    if "locations" in error:
        cut["locations"] = error["locations"][:_MAX_LOCATIONS]
    if "field" in error["extensions"]:
        cut["extensions"] = {**error["extensions"], "field": _shortened(error["extensions"]["field"], _MAX_FIELD_BYTES)}
    return cut


def _shortened(text: str, limit: int) -> str:
    """The beginning of the text that takes ``limit`` bytes of JSON: control characters take six."""
    while (size := len(orjson.dumps(text))) > limit:
        text = f"{text[: max(1, (len(text) - 1) * (limit - 5) // size)]}…"
    return text


def status_of(rendered: Sequence[Mapping[str, Any]]) -> int:
    """The HTTP status of an answer without data: what went wrong at our side, if anything did, else the first code."""
    codes = [cast(int, error["extensions"]["code"]) for error in rendered]
    return next((ours for ours in (_INTERNAL, Unavailable.code) if ours in codes), codes[0])


def expected(error: E) -> E | Unavailable:
    """The error; where the database is away, the refusal that says so, and a line in the log."""
    refusal = unavailable(error)
    if refusal is None:
        return error
    logger.warning("The database did not answer a request.", exc_info=error)
    return refusal


def report(error: BaseException, path: Sequence[str | int] | None = None) -> str:
    """Log an unexpected error and return the random id under which it is found."""
    error_id = secrets.token_hex(8)
    where = ".".join(map(str, path)) if path else "the request"
    logger.error("Internal error %s at %s", error_id, where, exc_info=error, extra={"error_id": error_id})
    return error_id


def _cause(error: GraphQLError) -> BaseException:
    """What was raised first: graphql-core wraps it, sometimes twice."""
    cause: BaseException = error
    while isinstance(cause, GraphQLError) and cause.original_error is not None:
        cause = cause.original_error
    return cause


def _is_clients_fault(error: GraphQLError) -> bool:
    """Errors without a path came before execution; of the later ones, those about an argument's value."""
    return error.path is None or bool(error.nodes and isinstance(error.nodes[0], ValueNode))


def _without_values(error: GraphQLError) -> str:
    reason = error.original_error
    if isinstance(reason, GraphQLError) and error.message.endswith(f"; {reason.message}"):
        head = error.message.removesuffix(f"; {reason.message}")
        match = _QUOTED_VARIABLE.fullmatch(head)
        if match:
            return f"{match[1]}{match[2] or ''}: {_without_literals(reason)}"
    return _without_literals(error)


def _without_literals(error: GraphQLError) -> str:
    if error.original_error and not isinstance(error.original_error, GraphQLError):
        return "A value has the wrong form."
    return _QUOTED_LITERAL.sub(r"\1 …", error.message)

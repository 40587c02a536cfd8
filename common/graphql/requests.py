"""GraphQL over HTTP: what a request must look like (https://graphql.github.io/graphql-over-http/draft/)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NoReturn
from urllib.parse import parse_qsl

from django.conf import settings
from django.http.request import MediaType
from django.utils.http import parse_header_parameters

from common.errors import InvalidInput
from common.graphql.errors import RequestError
from common.graphql.limits import check_text
from common.http import Request, check_host

GRAPHQL_JSON = "application/graphql-response+json"
JSON = "application/json"
#: What an answer can be written as; the first where the client does not care.
MEDIA_TYPES = (JSON, GRAPHQL_JSON)

_MAX_PARAMETERS = 20


@dataclass(frozen=True, slots=True)
class GraphQLRequest:
    """The parameters of a well-formed request; ``extensions`` are allowed and mean nothing beside a query."""

    query: str
    variables: dict[str, Any]
    operation_name: str | None


class PersistedQueryNotSupported(Exception):
    """The request names its document by a hash: Apollo's automatic persisted queries. None are kept here."""


def preferred_media_type(request: Request) -> str:
    """What the client wants the answer as; RequestError (406) where it accepts nothing that we can write.

    The most specific range of ``Accept`` decides a type's quality (RFC 9110 §12.5.1), the order of the header between
    equals. Django's ``get_preferred_type`` does not see ``q=0`` behind ``*/*``.
    """
    return _preferred(request.headers.get("accept", "").strip().lower() or "*/*")


@lru_cache(maxsize=64)
def _preferred(header: str) -> str:
    ranges = [MediaType(text) for text in header.split(",")]

    def preference(name: str) -> tuple[float, int]:
        offered = MediaType(f"{name}; charset=utf-8")
        matching = [index for index, accepted in enumerate(ranges) if offered.match(str(accepted))]
        if not matching:
            return 0, 0
        best = max(matching, key=lambda index: ranges[index].specificity)
        return ranges[best].quality, -best

    favourite = max(MEDIA_TYPES, key=preference)
    if preference(favourite)[0] == 0:
        raise RequestError(f"Accept {' or '.join(MEDIA_TYPES)}.", code=406)
    return favourite


def check_headers(request: Request) -> None:
    """Refuse hosts that are not ours (400), other methods than GET and POST (405), bodies but JSON in UTF-8 (415)."""
    check_host(request)
    if request.method not in ("GET", "POST"):
        raise RequestError(
            "Send a POST request, or a GET request for a query.", code=405, headers={"Allow": "GET, POST"}
        )
    if request.method == "POST" and not _is_json(request.headers.get("content-type", "")):
        raise RequestError(f"Send the request as Content-Type: {JSON}, in UTF-8.", code=415)


@lru_cache(maxsize=64)
def _is_json(content_type: str) -> bool:
    media_type, parameters = parse_header_parameters(content_type)
    return media_type == JSON and parameters.get("charset", "utf-8").lower() in ("utf-8", "utf8")


def read_request(request: Request) -> GraphQLRequest:
    """The GraphQL request that the HTTP request carries; members of other names are ignored."""
    return _read_get(request) if request.method == "GET" else _read_post(request)


def _read_post(request: Request) -> GraphQLRequest:
    limit = settings.GRAPHQL_MAX_BODY_BYTES
    try:
        body = request.body.read(min(request.content_length or 0, limit + 1))
    except OSError:
        raise RequestError("The request could not be read.") from None
    if max(len(body), request.content_length or 0) > limit:
        raise RequestError(f"The body is too large: the limit is {limit} bytes.")
    members = _decode("body", body)
    if not isinstance(members, dict):
        raise RequestError("The body must be one JSON object; batches are not supported.")
    return _checked(members)


def _read_get(request: Request) -> GraphQLRequest:
    limit = settings.GRAPHQL_MAX_BODY_BYTES
    text = request.query
    if len(text) > limit:
        raise RequestError(f"The query string is too large: the limit is {limit} bytes.")
    try:
        text.encode("ascii")
        # Not request.GET: that puts question marks where the text is not UTF-8.
        pairs = parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=_MAX_PARAMETERS)
    except ValueError:
        raise RequestError(
            f"The query string must be URL-encoded UTF-8 of at most {_MAX_PARAMETERS} parameters."
        ) from None
    members: dict[str, Any] = {}
    for name, value in pairs:
        if name in members:
            raise InvalidInput(name, "must not be given twice.")
        members[name] = value
    for name in members.keys() & {"variables", "extensions"}:
        members[name] = _decode(name, members[name])
    return _checked(members)


def _decode(name: str, text: str | bytes) -> Any:
    """JSON to the letter (RFC 8259). orjson would round whole numbers of more than 64 bits, and ids may be such."""
    try:
        return _decoder.decode(text if isinstance(text, str) else text.decode())
    except RecursionError:
        raise InvalidInput(name, "is nested too deeply.") from None
    except ValueError:
        raise InvalidInput(name, "must be valid JSON in UTF-8.") from None


def _refuse_constant(name: str) -> NoReturn:
    """NaN and Infinity, which Python reads and JSON does not know."""
    raise ValueError(name)


_decoder = json.JSONDecoder(parse_constant=_refuse_constant)


def _checked(members: dict[str, Any]) -> GraphQLRequest:
    query, operation_name = members.get("query"), members.get("operationName")
    if not query and _names_a_persisted_query(members.get("extensions")):
        raise PersistedQueryNotSupported
    if not isinstance(query, str) or not query.strip():
        raise InvalidInput("query", "must be a string that holds a GraphQL document.")
    if not isinstance(operation_name, str | None):
        raise InvalidInput("operationName", "must be a string or null.")
    check_text("query", query)
    check_text("operationName", operation_name or "")
    for name in ("variables", "extensions"):
        if not isinstance(members.get(name), dict | None):
            raise InvalidInput(name, "must be a JSON object or null.")
    return GraphQLRequest(query, members.get("variables") or {}, operation_name or None)


def _names_a_persisted_query(extensions: object) -> bool:
    return isinstance(extensions, dict) and isinstance(extensions.get("persistedQuery"), dict)

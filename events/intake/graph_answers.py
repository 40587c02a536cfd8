"""Answers in the Graph API's form, which the senders of events read."""

from __future__ import annotations

import secrets

import orjson

from common.http import Response

#: By HTTP status: the Graph API's code and subcode for what is wrong.
_CODES = {
    400: (100, 2804019),
    401: (190, 467),
    413: (100, 2804019),
    415: (100, 2804019),
    429: (4, 0),
    500: (1, 99),
    503: (2, 0),
}
_OTHERS = (100, 33)
_JSON = ("Content-Type", "application/json")


def accepted(status: int, count: int, messages: list[str]) -> Response:
    """All events of a request are stored; the messages tell what was left out of them or filled in."""
    content = {"events_received": count, "messages": messages, "fbtrace_id": _trace_id()}
    return Response(status, [_JSON], orjson.dumps(content))


def refusal(status: int, message: str, *headers: tuple[str, str]) -> Response:
    """Nothing of a request is stored, and ``message`` says why."""
    return Response(status, [_JSON, *headers], as_graph_api(status, message))


def as_graph_api(status: int, message: str) -> bytes:
    """The body of a refusal."""
    code, subcode = _CODES.get(status, _OTHERS)
    error = {"message": message, "type": "OAuthException", "code": code, "error_subcode": subcode}
    return orjson.dumps({"error": {**error, "fbtrace_id": _trace_id()}})


def _trace_id() -> str:
    return secrets.token_urlsafe(12)

"""How a refusal is written for callers of each API, where the API itself does not come to answer.

From an HTTP status and a sentence; the Graph API's form is in ``events.intake.graph_answers``.
"""

from __future__ import annotations

import orjson


def as_graphql(status: int, message: str) -> bytes:
    """As ``common.graphql.errors``."""
    return orjson.dumps({"errors": [{"message": message, "extensions": {"code": status}}]})


def as_oauth(status: int, message: str) -> bytes:
    """RFC 6749 §5.2. It has no word for an address where nothing is; "invalid_request" would blame the body."""
    error = {404: "not_found", 500: "server_error", 503: "temporarily_unavailable"}.get(status, "invalid_request")
    return orjson.dumps({"error": error, "error_description": message})


def as_rest(status: int, message: str) -> bytes:
    """As ``accounts.rest.Refused``."""
    return orjson.dumps({"error": {"message": message, "code": status}})

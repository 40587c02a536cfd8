"""The sandbox's edge ``openbridge_configurations``: which gateways are registered for which pixels.

Over HTTP, as Meta's SDKs ask for it: ``GET`` the edge of a pixel or a business, ``POST`` to that of a business
(``/<version>/<id>/openbridge_configurations``), and ``GET``, ``POST`` and ``DELETE /<version>/<node>``.
``GET /_registrations`` is for people.
"""

from __future__ import annotations

import itertools
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from cachetools import FIFOCache

from events.sandbox import rules
from events.sandbox.faults import MESSAGES, Fault, Faults
from events.sandbox.rules import GraphError

EDGE = "openbridge_configurations"
KEPT = 10_000
KEPT_REQUESTS = 10_000

#: Access tokens that start like this may publish events, and register nothing; or meet Meta's limit each time.
FORBIDDEN_TOKEN_PREFIX = "forbidden"  # noqa: S105  # nosec B105  # the start of a word that stands for such a token
FORBIDDEN_WORDS = "(#200) Requires business_management permission to manage the object."
LIMITED_TOKEN_PREFIX = "limited"  # noqa: S105  # nosec B105  # the same

_FLAGS = {"active"}
_TEXTS = {"pixel_id", "endpoint", "fallback_domain", "instance_id", "instance_version", "partner_name"}
_LISTS = {"blocked_event_types", "blocked_websites"}
_CHOICES = {
    "capi_publishing_state": ("DISABLED", "ENABLED", "NOT_INITIALIZED"),
    "event_enrichment_state": ("NO", "NOT_INITIALIZED", "YES"),
}

Node = dict[str, Any]


class Request(NamedTuple):
    """A request to the edge, and the code that it was answered; 0 is success, -1 a closed connection."""

    method: str
    subject: str
    fields: Mapping[str, Any]
    code: int


class Registrations:
    """What is registered, by Meta's ids; everything is in memory and bounded."""

    def __init__(self, faults: Faults) -> None:
        self.faults = faults
        self.requests: list[Request] = []
        self._nodes: FIFOCache[str, Node] = FIFOCache(KEPT)
        self._ids = itertools.count(7_000_000_000_000_001)
        self._lock = threading.Lock()

    def of_pixel(self, pixel_id: str) -> list[Node]:
        """The pixel's configurations."""
        return self.all(lambda node: bool(node["pixel_id"] == pixel_id))

    def all(self, fits: Callable[[Node], bool] = lambda node: True) -> list[Node]:
        """Those that fit, oldest first."""
        with self._lock:
            return [dict(node) for node in self._nodes.values() if fits(node)]

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._nodes.clear()
            self.requests.clear()

    def answer(
        self, method: str, subject: str, is_edge: bool, token: str, fields: Mapping[str, Any]
    ) -> tuple[int, dict[str, Any] | None]:
        """Status and body, as Meta would answer; no body means that the connection is closed instead."""
        trace_id = secrets.token_urlsafe(16)
        fault = self.faults.next_for(self._pixel_of(subject, fields), EDGE) or Fault()
        if fault.delay_seconds:
            time.sleep(fault.delay_seconds)
        body: dict[str, Any] | None = None
        error = fault.error
        if fault.accept or not (error or fault.close):
            try:
                _check_token(token)
                body = self._act(method, subject, is_edge, fields)
            except GraphError as refusal:
                error = error or refusal
        code = -1 if fault.close else error.code if error else 0
        with self._lock:
            self.requests.append(Request(method, subject, fields, code))
            del self.requests[:-KEPT_REQUESTS]
        if fault.close:
            return 0, None
        return (error.http_status, error.as_json(trace_id)) if error else (200, body)

    def _pixel_of(self, subject: str, fields: Mapping[str, Any]) -> str:
        with self._lock:
            node = self._nodes.get(subject)
        return str(node["pixel_id"] if node else fields.get("pixel_id", subject))

    def _act(self, method: str, subject: str, is_edge: bool, fields: Mapping[str, Any]) -> dict[str, Any]:
        if is_edge and method == "GET":
            return {"data": self.all(lambda node: subject in (node["pixel_id"], node["business_id"]))}
        fields = _clean(fields)
        with self._lock:
            if is_edge:
                return self._create(subject, fields)
            node = self._nodes.get(subject)
            if node is None:
                raise _no_such_object(subject, method)
            if method == "DELETE":
                del self._nodes[subject]
            elif method == "POST":
                node.update(fields)
            else:
                return dict(node)
        return {"success": True}

    def _create(self, business_id: str, fields: Mapping[str, Any]) -> dict[str, Any]:
        if not fields.get("pixel_id"):
            raise GraphError(100, "(#100) The parameter pixel_id is required.")
        node = {"id": str(next(self._ids)), "business_id": business_id, **fields}
        self._nodes[node["id"]] = node
        return {"id": node["id"]}


def _check_token(token: str) -> None:
    rules.check_token(token)
    if token.startswith(FORBIDDEN_TOKEN_PREFIX):
        raise GraphError(200, FORBIDDEN_WORDS, http_status=403)
    if token.startswith(LIMITED_TOKEN_PREFIX):
        raise GraphError(17, MESSAGES[17])


def _clean(fields: Mapping[str, Any]) -> Node:
    """The fields, ids as texts. GraphError for a field of another kind than Meta's SDKs name; unknown ones pass."""
    cleaned = {name: str(value) if type(value) is int else value for name, value in fields.items()}
    for name, value in cleaned.items():
        if name in _FLAGS:
            fits = isinstance(value, bool)
        elif name in _TEXTS:
            fits = isinstance(value, str)
        elif name in _LISTS:
            fits = isinstance(value, list) and all(isinstance(each, str) for each in value)
        else:
            fits = value in _CHOICES.get(name, (value,))
        if not fits:
            raise GraphError(100, f"(#100) Param {name} is invalid.")
    return cleaned


def _no_such_object(subject: str, method: str) -> GraphError:
    return GraphError(
        100,
        f"Unsupported {method.lower()} request. Object with ID '{subject}' does not exist, cannot be loaded due to"
        " missing permissions, or does not support this operation.",
        subcode=33,
    )

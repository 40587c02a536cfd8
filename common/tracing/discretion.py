"""What a trace may tell: what is named here, and nothing else.

Libraries note addresses, query strings, callers and the messages of exceptions, and may note more with each release.
What leaves the process passes here, so that it does not depend on them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache

from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.trace import Link, Status
from opentelemetry.util.types import AttributeValue

from common.tracing import known_method

#: Names that a caller, a row or a person has no part in.
_TOLD = frozenset(
    (
        *("portal.answer", "portal.count", "portal.kind", "portal.road", "portal.way"),
        *("http.method", "http.request.method", "http.route", "http.status_code", "http.response.status_code"),
        *("db.system", "db.system.name", "error.type", "graphql.field", "graphql.operation.type"),
        *("celery.action", "celery.state", "celery.task_name", "messaging.destination", "messaging.destination.name"),
    )
)
_STATEMENTS = ("db.statement", "db.query.text")
STATEMENT_MAX_LENGTH = 2_000
#: What a statement is made of besides words and signs; the end may have cut it off. Left to right, so that a quotation
#: mark in a name or a remark begins no text.
_TOKEN = re.compile(
    r"""
      (?P<name>"(?:[^"]|"")*(?:"|$))
    | --[^\n]*  |  /\*.*?(?:\*/|$)                      # remarks are left out
    | (?P<value>
        \b[eE]'(?:\\.|''|[^'\\])*(?:'|\\?$)           # a text in which a backslash hides the sign after it
      | '(?:[^']|'')*(?:'|$)
      | (?<![\w$])\$(?P<tag>\w*)\$.*?(?:\$(?P=tag)\$|$)
      | (?<![\w$.])\.?\d[\w.]*                          # a number that is no part of a name or placeholder
      )
    """,
    re.VERBOSE | re.DOTALL,
)
_TABLE = re.compile(r"\b(?:FROM|INTO|UPDATE)\s+(?:ONLY\s+)?\"?(\w+)", re.IGNORECASE)


class Discreet(SpanExporter):
    """Hands spans on to an exporter, without what nobody may be told."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        return self._exporter.export([discreet(span) for span in spans])

    def shutdown(self) -> None:
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self._exporter.force_flush(timeout_millis)


def discreet(span: ReadableSpan) -> ReadableSpan:
    """The span, with what may be told of it: of an exception its class, and no more."""
    told = _told(span.attributes or {})
    return ReadableSpan(
        name=_name(span, told),
        context=span.context,
        parent=span.parent,
        resource=span.resource,
        attributes=told,
        events=[_raised(event) for event in span.events if event.name == "exception"],
        links=[Link(link.context) for link in span.links],
        kind=span.kind,
        status=Status(span.status.status_code),
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )


def _told(attributes: Mapping[str, AttributeValue]) -> dict[str, AttributeValue]:
    told = {key: value for key, value in attributes.items() if key in _TOLD}
    for key in ("http.method", "http.request.method"):
        if key in told:
            told[key] = known_method(str(told[key]))
    statements = {key: str(attributes[key])[:STATEMENT_MAX_LENGTH] for key in _STATEMENTS if key in attributes}
    return told | {key: _without_values(statement) for key, statement in statements.items()}


def _name(span: ReadableSpan, told: Mapping[str, AttributeValue]) -> str:
    """Of a statement what it does to which table; of Django's the route, beside which a caller's method may stand."""
    for key in _STATEMENTS:
        if key in told:
            return _summary(str(told[key]))
    if span.instrumentation_scope and span.instrumentation_scope.name.endswith(".django"):
        method = told.get("http.method") or told.get("http.request.method") or "HTTP"
        return " ".join(str(part) for part in (method, told.get("http.route")) if part)
    return span.name


def _raised(event: Event) -> Event:
    kind = (event.attributes or {}).get("exception.type", "")
    return Event(event.name, {"exception.type": kind}, event.timestamp)


@lru_cache(maxsize=500)
def _without_values(statement: str) -> str:
    """The statement with a question mark for each value that is written into it."""
    return _TOKEN.sub(lambda found: found["name"] or ("?" if found["value"] else " "), statement)


def _summary(statement: str) -> str:
    words = statement.lstrip("( \n").split(maxsplit=1)
    table = _TABLE.search(statement)
    return " ".join([*(word.upper() for word in words[:1]), *([table[1]] if table else [])]) or "statement"

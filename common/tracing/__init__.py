"""Traces: which steps a request or a task took, and how long each of them (docs/decisions/0044-traces.md).

Nobody loads OpenTelemetry by this: ``trace_by`` gets what does the work, where traces are asked for. Elsewhere each of
these functions does nothing, in no time worth speaking of.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Protocol

Told = Mapping[str, str | int]

#: Under this name Django's requests have the span of the door that they came in by.
DOOR = "portal.door"
_METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"))


class Span(Protocol):
    """A step that has begun. What it tells names no person, account or pixel, and quotes no caller."""

    def set_attribute(self, key: str, value: str | int, /) -> object:
        """Tell something of it."""

    def update_name(self, name: str, /) -> object:
        """Call it otherwise."""


class Tracer(Protocol):
    """What does the work."""

    def begin(self, name: str, told: Told) -> Span: ...

    def finish(self, span: Span, status: int) -> None: ...

    def current(self) -> Span: ...

    def under(self, span: Span) -> AbstractContextManager[object]: ...

    def step(self, name: str, told: Told) -> AbstractContextManager[Span]: ...

    def together(self, name: str, spans: Sequence[Span], told: Told) -> AbstractContextManager[object]: ...

    def statement(self, text: bytes) -> AbstractContextManager[object]: ...


class _Nothing:
    """A step that nobody is told of."""

    def set_attribute(self, key: str, value: str | int, /) -> None:
        pass

    def update_name(self, name: str, /) -> None:
        pass


NOTHING: Span = _Nothing()
_NO_STEP: AbstractContextManager[Span] = nullcontext(NOTHING)
_tracer: Tracer | None = None


def trace_by(tracer: Tracer | None) -> None:
    """Have a tracer do the work from now on, or nobody."""
    global _tracer  # noqa: PLW0603  # one for the process
    _tracer = tracer


def is_traced() -> bool:
    """Does this process trace?"""
    return _tracer is not None


def known_method(method: str) -> str:
    """The method of HTTP that it is; a caller may write anything."""
    return method if method in _METHODS else "_OTHER"


def begin(name: str, told: Told) -> Span:
    """Begin the trace of what comes in at a door. A caller's own trace is not gone on with."""
    return _tracer.begin(name, told) if _tracer else NOTHING


def finish(span: Span, status: int) -> None:
    """What came in at a door is answered, with this status of HTTP."""
    if _tracer and span is not NOTHING:
        _tracer.finish(span, status)


def current() -> Span:
    """The step that this thread is at, if somebody is told of it."""
    return _tracer.current() if _tracer else NOTHING


def under(span: Span) -> AbstractContextManager[object]:
    """What this thread does in the block are steps of ``span``, which is not over at the block's end."""
    return _tracer.under(span) if _tracer else _NO_STEP


def step(name: str, told: Told) -> AbstractContextManager[Span]:
    """What this thread does in the block is a step."""
    return _tracer.step(name, told) if _tracer else _NO_STEP


def together(name: str, spans: Sequence[Span], told: Told) -> AbstractContextManager[object]:
    """A step that several spans have in common: it is the first one's, and refers to the others."""
    if _tracer is None:
        return _NO_STEP
    return _tracer.together(name, spans, told)


def statement(text: bytes) -> AbstractContextManager[object]:
    """A statement that the database is given past its cursors, which are traced by themselves."""
    return _tracer.statement(text) if _tracer else _NO_STEP

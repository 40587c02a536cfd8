"""The tracer that OpenTelemetry does the work for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import cast

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import INVALID_SPAN, Link, SpanKind, StatusCode, set_span_in_context, use_span

from common.tracing import NOTHING, Span, Told

#: The portal's own steps, by which they are told from those of libraries.
SCOPE = "portal"


class OtelTracer:
    """Spans of a provider's."""

    def __init__(self, provider: TracerProvider) -> None:
        self._tracer = provider.get_tracer(SCOPE)

    def begin(self, name: str, told: Told) -> Span:
        return self._tracer.start_span(name, Context(), SpanKind.SERVER, told)

    def finish(self, span: Span, status: int) -> None:
        own = _own(span)
        own.set_attribute("http.status_code", status)
        if status >= 500:
            own.set_status(StatusCode.ERROR)
        own.end()

    def current(self) -> Span:
        span = trace.get_current_span()
        return span if span.is_recording() else NOTHING

    def under(self, span: Span) -> AbstractContextManager[object]:
        # What is raised within is the span's owner's to tell.
        return use_span(_own(span), record_exception=False, set_status_on_exception=False)

    def step(self, name: str, told: Told) -> AbstractContextManager[Span]:
        return self._tracer.start_as_current_span(name, attributes=told)

    def together(self, name: str, spans: Sequence[Span], told: Told) -> AbstractContextManager[object]:
        # Those that are told of come first: where the sampler has left out one, the others are as good.
        begun = [_own(span) for span in spans]
        first, *others = [span for span in begun if span.is_recording()] or begun[:1] or [INVALID_SPAN]
        links = [Link(other.get_span_context()) for other in others]
        return self._tracer.start_as_current_span(name, set_span_in_context(first), links=links, attributes=told)

    @contextmanager
    def statement(self, text: bytes) -> Iterator[None]:
        told = {"db.system": "postgresql", "db.statement": text.decode()}
        with self._tracer.start_as_current_span("statement", kind=SpanKind.CLIENT, attributes=told):
            yield


def _own(span: Span) -> trace.Span:
    """It was begun here, or is none."""
    return INVALID_SPAN if span is NOTHING else cast(trace.Span, span)

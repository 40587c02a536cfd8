"""Setting OpenTelemetry up: what it traces, whom it tells, and how it ends. Its own variables (OTEL_…) hold."""

from __future__ import annotations

import os
import socket
import threading
from multiprocessing.util import Finalize
from typing import Any

from django.http import HttpRequest, HttpResponse
from opentelemetry import propagate, trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.celery import CeleryInstrumentor
from opentelemetry.instrumentation.django import DjangoInstrumentor
from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor
from opentelemetry.instrumentation.psycopg import PsycopgInstrumentor
from opentelemetry.propagators.textmap import CarrierT, Getter, Setter, default_getter, default_setter
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from common.tracing import DOOR, known_method, trace_by
from common.tracing.discretion import Discreet
from common.tracing.otel import OtelTracer

SERVICE = "gateway-portal"
#: A process that ends has this long to send what it has not sent yet.
STOP_SECONDS = 2.0


def start(process: str) -> None:
    """Trace this process from now on."""
    provider = TracerProvider(resource=_resource(process), shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(Discreet(OTLPSpanExporter())))
    trace.set_tracer_provider(provider)
    propagate.set_global_textmap(WithinPortal())
    # Behind the portal's own first middleware, which puts refusals right where software asks.
    DjangoInstrumentor().instrument(middleware_position=1, response_hook=_tell_door)
    for instrumentor in (PsycopgInstrumentor, HTTPXClientInstrumentor, TaskInstrumentor):
        instrumentor().instrument()
    trace_by(OtelTracer(provider))
    _Ending(provider).begin()


def _tell_door(_span: trace.Span, request: HttpRequest, _response: HttpResponse) -> None:
    """The door did not know yet which page is asked for."""
    match, door = request.resolver_match, request.META.get(DOOR)
    if match is not None and door is not None:
        door.set_attribute("http.route", match.route)
        door.update_name(f"{known_method(request.method or '')} {match.route}")


def _resource(process: str) -> Resource:
    """Who tells; what OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES say holds."""
    ours = {"service.name": SERVICE, "service.instance.id": f"{socket.gethostname()}:{os.getpid()}"}
    return Resource.create({**ours, "portal.process": process, **OTELResourceDetector().detect().attributes})


class TaskInstrumentor(CeleryInstrumentor):
    """Celery's, whose step for the sending of a task is over at once.

    It would be over when the broker has taken the task: where that fails, it would never be, and be kept for good.
    """

    def _trace_before_publish(self, *args: Any, **kwargs: Any) -> None:
        super()._trace_before_publish(*args, **kwargs)  # type: ignore[no-untyped-call]
        CeleryInstrumentor._trace_after_publish(*args, **kwargs)  # type: ignore[no-untyped-call]

    @staticmethod
    def _trace_after_publish(*args: Any, **kwargs: Any) -> None:
        pass


class WithinPortal(TraceContextTextMapPropagator):
    """Which trace it is goes along with the portal's tasks, and to nobody else; nor is a caller believed."""

    def extract(
        self, carrier: CarrierT, context: Context | None = None, getter: Getter[CarrierT] = default_getter
    ) -> Context:
        """Read it from a task; what comes by HTTP is a dictionary."""
        return Context() if isinstance(carrier, dict) else super().extract(carrier, context, getter)

    def inject(
        self, carrier: CarrierT, context: Context | None = None, setter: Setter[CarrierT] = default_setter
    ) -> None:
        """Tell it where a task is sent."""
        span = trace.get_current_span(context)
        if getattr(span, "kind", None) is SpanKind.PRODUCER:
            super().inject(carrier, context, setter)


class _Ending:
    """Sends the rest when the process ends, and does not let it wait for a collector that does not answer.

    A process that ends can start no thread: this one has its thread from the beginning.
    """

    def __init__(self, provider: TracerProvider) -> None:
        self._provider = provider
        self._asked = threading.Event()
        self._done = threading.Event()

    def begin(self) -> None:
        threading.Thread(target=self._run, name="traces", daemon=True).start()
        # After all others, whose last steps are told, too; it also runs where atexit does not (multiprocessing).
        Finalize(None, self._end, exitpriority=-1)

    def _run(self) -> None:
        self._asked.wait()
        self._provider.shutdown()
        self._done.set()

    def _end(self) -> None:
        self._asked.set()
        self._done.wait(STOP_SECONDS)

"""Traces: which steps are told, and what nobody is told."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.instrumentation.celery import celery_getter
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from common import env, tracing
from common.tracing.discretion import Discreet
from common.tracing.otel import OtelTracer
from events.delivery.publishing import drain
from events.intake.wakeups import Wakeups
from events.sandbox import Sandbox
from events.sandbox.server import serve
from portal.otel import WithinPortal, _resource
from tests.base import Cast, bearer
from tests.events.outbox import purchase, put
from tests.factories import PixelFactory
from tests.told import Told

pytestmark = pytest.mark.django_db


class Traces:
    """What is told, as it leaves the process."""

    def __init__(self) -> None:
        self.exporter = InMemorySpanExporter()
        self.provider = TracerProvider(shutdown_on_exit=False)
        self.provider.add_span_processor(SimpleSpanProcessor(Discreet(self.exporter)))

    @property
    def spans(self) -> list[ReadableSpan]:
        return list(self.exporter.get_finished_spans())

    def names(self) -> list[str]:
        return [span.name for span in self.spans]

    def one(self, name: str) -> ReadableSpan:
        (span,) = (span for span in self.spans if span.name == name)
        return span

    def library(self, name: str) -> trace.Tracer:
        return self.provider.get_tracer(f"opentelemetry.instrumentation.{name}")


@pytest.fixture
def traces() -> Iterator[Traces]:
    traces = Traces()
    tracing.trace_by(OtelTracer(traces.provider))
    yield traces
    tracing.trace_by(None)


def parent(span: ReadableSpan) -> int | None:
    return span.parent.span_id if span.parent else None


def id_of(span: ReadableSpan) -> int:
    context = span.get_span_context()
    assert context is not None
    return int(context.span_id)


# --- Where nobody is to be told --------------------------------------------------------------------------------------
def test_nothing_of_opentelemetry_is_loaded_where_nobody_is_told() -> None:
    code = (
        "import os, sys; import portal.tracing as tracing; tracing.trace_from_now_on('web')\n"
        "import portal.rsgi, portal.celery, events.tasks, portal.metrics_port\n"
        "from portal.warm_up import load_before_serving; load_before_serving()\n"
        "print(sorted(name for name in sys.modules if name.startswith('opentelemetry')))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=env.ROOT, capture_output=True, text=True, check=False)

    assert (done.stdout, done.stderr) == ("[]\n", "")


def test_without_a_tracer_nothing_happens() -> None:
    span = tracing.begin("GET", {})
    with tracing.under(span), tracing.step("a step", {}) as step, tracing.statement(b"SELECT 1"):
        step.set_attribute("portal.answer", "accepted")
    with tracing.together("all", [span], {}):
        assert tracing.current() is tracing.NOTHING
    tracing.finish(span, 200)


def test_what_the_environment_says_of_a_process_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    ours = _resource("web").attributes
    assert (ours["service.name"], ours["portal.process"]) == ("gateway-portal", "web")

    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "service.instance.id=pod-1,deployment.environment=shop")
    theirs = _resource("web").attributes
    found = [theirs[name] for name in ("service.name", "service.instance.id", "deployment.environment")]
    assert found == ["gateway-portal", "pod-1", "shop"]

    monkeypatch.setenv("OTEL_SERVICE_NAME", "shoes")
    assert _resource("web").attributes["service.name"] == "shoes"


# --- Doors -----------------------------------------------------------------------------------------------------------
def test_a_request_with_an_event_goes_from_its_door_to_the_statement(traces: Traces) -> None:
    pixel = PixelFactory.create()

    told = Told("POST", f"/capi/{pixel.pixel_id}/events", json.dumps({"data": [purchase()]}))

    assert told.status == 202
    door, taken = traces.one("POST /capi/{id}/events"), traces.one("take events")
    assert (door.kind, door.parent) == (SpanKind.SERVER, None)
    assert door.attributes == {
        "http.method": "POST",
        "http.route": "/capi/{id}/events",
        "http.status_code": 202,
        "portal.road": "server",
    }
    assert parent(taken) == id_of(door)
    if connection.vendor == "postgresql":
        statement = traces.one("INSERT events_outboxrow")
        assert (parent(statement), statement.kind) == (id_of(taken), SpanKind.CLIENT)
        assert "VALUES ($1, $2" in str((statement.attributes or {})["db.statement"])


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/events", "POST /events"),
        ("/v24.0/4711/events", "POST /{version}/{id}/events"),
        ("/4711/events", "POST /{id}/events"),
        ("/clients/token", "POST /clients/token"),
        ("/hub/graphql", "POST /hub/graphql"),
    ],
)
def test_an_address_is_told_as_a_template(traces: Traces, path: str, name: str) -> None:
    Told("POST", path, "{}", Authorization="Bearer nobody")

    assert name in traces.names()


def test_a_refusal_by_the_portal_is_an_error_and_one_of_the_callers_fault_is_none(
    traces: Traces, monkeypatch: pytest.MonkeyPatch
) -> None:
    Told("POST", "/clients/token", "{}")
    assert traces.spans[-1].status.is_unset

    monkeypatch.setattr("portal.addresses.answer", lambda *_: 1 / 0)
    Told("POST", "/clients/token", "{}")

    assert traces.spans[-1].status.status_code is StatusCode.ERROR


@pytest.mark.parametrize("path", ["/livez", "/healthz", "/metrics"])
def test_what_watches_the_portal_is_not_traced(traces: Traces, path: str) -> None:
    Told("GET", path)

    assert [name for name in traces.names() if name.startswith("GET")] == []


def test_a_callers_method_is_not_told(traces: Traces) -> None:
    Told("ANNA", "/hub/graphql")

    assert "_OTHER /hub/graphql" in traces.names()
    assert traces.spans[-1].attributes is not None
    assert traces.spans[-1].attributes["http.method"] == "_OTHER"


def test_graphql_is_told_by_the_names_of_the_schema(traces: Traces, cast: Cast) -> None:
    document = '{"query": "query OfAnna { mine: tenants { totalCount } }"}'

    Told("POST", "/hub/graphql", document, Authorization=f"Bearer {bearer(cast.robot)}")

    step = traces.one("query tenants")
    assert step.attributes == {
        "graphql.operation.type": "query",
        "graphql.field": "tenants",
        "portal.way": "compiled",
    }
    assert parent(step) == id_of(traces.one("POST /hub/graphql"))


def test_requests_that_share_a_commit_are_all_referred_to(traces: Traces) -> None:
    first, second = tracing.begin("POST", {}), tracing.begin("POST", {})

    with tracing.together("take events", [tracing.NOTHING, first, second], {"portal.count": 3}):
        pass
    tracing.finish(first, 202)
    tracing.finish(second, 202)

    taken, first_told, second_told = traces.spans
    assert (parent(taken), [link.context for link in taken.links]) == (id_of(first_told), [second_told.context])


# --- From web to worker ----------------------------------------------------------------------------------------------
def test_a_wake_up_is_sent_under_the_request_that_brought_the_news(traces: Traces) -> None:
    sent: list[tracing.Span] = []
    wakeups = Wakeups(lambda pks: sent.append(tracing.current()), interval=60)
    request = tracing.begin("POST", {})
    with tracing.under(request):
        wakeups.wake(1)
    wakeups.wake(2)

    wakeups.flush()
    wakeups.flush()
    with tracing.under(request):
        wakeups.hand_on(wakeups.nothing())

    assert sent[0] is request
    assert sent[-1] is tracing.NOTHING


def test_a_trace_goes_along_with_tasks_and_with_nothing_else(traces: Traces) -> None:
    within: dict[SpanKind, dict[str, str]] = {}
    for kind in SpanKind:
        with traces.provider.get_tracer("test").start_as_current_span("a span", kind=kind):
            WithinPortal().inject(within.setdefault(kind, {}))

    assert [kind for kind, headers in within.items() if headers] == [SpanKind.PRODUCER]


def test_a_task_is_believed_of_which_trace_it_is_and_a_caller_is_not() -> None:
    from_outside = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    task = type("Context", (), {"traceparent": from_outside})()

    of_task = WithinPortal().extract(task, getter=celery_getter)
    of_caller = WithinPortal().extract({"HTTP_TRACEPARENT": from_outside, "traceparent": from_outside})

    assert trace.get_current_span(of_task).get_span_context().span_id == 0xB7AD6B7169203331
    assert of_caller == Context()


def test_each_request_to_a_receiver_is_a_step(traces: Traces, settings: Any) -> None:
    pixel = PixelFactory.create()
    put(pixel, purchase(), purchase())
    with serve(Sandbox()) as settings.GRAPH_API_URL:
        drain(pixel.pk)

    assert traces.one("send meta_conversions_api").attributes == {
        "portal.road": "pixel",
        "portal.kind": "meta_conversions_api",
        "portal.count": 2,
        "portal.answer": "accepted",
    }


# --- What nobody is told ---------------------------------------------------------------------------------------------
def test_what_libraries_note_is_left_out_unless_it_is_known(traces: Traces) -> None:
    noted: dict[str, str | int] = {
        "http.method": "GET",
        "http.status_code": 200,
        "http.url": "https://graph.example.com/v24.0/4711/events?access_token=secret",
        "net.peer.ip": "203.0.113.7",
        "http.user_agent": "Anna's phone",
        "messaging.message.id": "a-task",
        "celery.task_name": "events.tasks.drain",
    }
    with traces.library("httpx").start_as_current_span("GET", attributes=noted):
        pass

    assert traces.spans[0].attributes == {
        "http.method": "GET",
        "http.status_code": 200,
        "celery.task_name": "events.tasks.drain",
    }


def test_of_an_exception_the_class_is_told_alone(traces: Traces) -> None:
    with pytest.raises(ValueError, match="anna"), tracing.step("a step", {}):
        raise ValueError("anna@example.com is no number")

    (span,) = traces.spans
    assert (span.status.status_code, span.status.description) == (StatusCode.ERROR, None)
    assert [event.attributes for event in span.events] == [{"exception.type": "ValueError"}]


def test_a_page_is_told_by_its_route(traces: Traces) -> None:
    noted = {"http.method": "ANNA", "http.route": "hub/pixels/<str:pixel_id>/"}
    with traces.library("django").start_as_current_span("ANNA /hub/pixels/4711/", attributes=noted):
        pass

    assert traces.names() == ["_OTHER hub/pixels/<str:pixel_id>/"]


@pytest.mark.parametrize(
    ("statement", "told", "name"),
    [
        ("SELECT a FROM t WHERE id = $1 AND n = %s", "SELECT a FROM t WHERE id = $1 AND n = %s", "SELECT t"),
        ("SELECT 'O''Neil', 4711, 9.50 FROM \"t2\"", 'SELECT ?, ?, ? FROM "t2"', "SELECT t2"),
        ("INSERT INTO t VALUES ('anna''s", "INSERT INTO t VALUES (?", "INSERT t"),
        ("select count(*) from (SELECT 1 FROM only_here) x", "select count(*) from (SELECT ? FROM only_here) x", ""),
        (r"SELECT E'it\'s anna', 'x' FROM t", "SELECT ?, ? FROM t", "SELECT t"),
        ("SELECT $$anna's$$, $a$anna$a$, $1 FROM t", "SELECT ?, ?, $1 FROM t", "SELECT t"),
        ("SELECT \"o'clock\", 'anna' FROM t", 'SELECT "o\'clock", ? FROM t', "SELECT t"),
        ("SELECT 1 -- anna's\nFROM t WHERE a = 'anna'", "SELECT ?  \nFROM t WHERE a = ?", "SELECT t"),
        ("SELECT 0x4711, 1e5, .5 FROM t /* anna", "SELECT ?, ?, ? FROM t  ", "SELECT t"),
        ("(SELECT a FROM t) UNION ALL (SELECT 1)", "(SELECT a FROM t) UNION ALL (SELECT ?)", "SELECT t"),
        ("COMMIT", "COMMIT", "COMMIT"),
        ("", "", "statement"),
    ],
)
def test_a_statement_is_told_without_values(traces: Traces, statement: str, told: str, name: str) -> None:
    with tracing.statement(statement.encode()):
        pass

    (span,) = traces.spans
    assert span.attributes == {"db.system": "postgresql", "db.statement": told}
    assert span.name == (name or "SELECT only_here")


def test_a_long_statement_is_cut_before_it_tells_half_of_a_value(traces: Traces) -> None:
    with tracing.statement(b"SELECT %b 'anna@example.com, and more" % (b"a, " * 600)):
        pass

    assert "anna" not in str((traces.spans[0].attributes or {})["db.statement"])

"""A collector of traces, served over HTTP: what a process sends it is kept, and read as the protocol says."""

from __future__ import annotations

import gzip
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

WAIT_SECONDS = 60


class Told(NamedTuple):
    """A span."""

    name: str
    trace: bytes
    span: bytes
    parent: bytes
    scope: str
    resource: dict[str, Any]
    attributes: dict[str, Any]


class TraceCollector:
    """What has come. While ``answers`` is not set, whoever posts waits."""

    def __init__(self) -> None:
        self.url = ""
        self.bodies: list[bytes] = []
        self.paths: list[str] = []
        self.answers = threading.Event()
        self.answers.set()

    def spans(self) -> list[Told]:
        return [span for body in list(self.bodies) for span in _read(body)]

    def wait_for(self, found: Callable[[list[Told]], bool]) -> list[Told]:
        """The spans, once they are as a test waits for."""
        deadline = time.monotonic() + WAIT_SECONDS
        while not found(spans := self.spans()):
            assert time.monotonic() < deadline, sorted(span.name for span in spans)
            time.sleep(0.1)
        return spans


def _read(body: bytes) -> Iterator[Told]:
    for of_resource in ExportTraceServiceRequest.FromString(body).resource_spans:
        resource = _values(of_resource.resource.attributes)
        for of_scope in of_resource.scope_spans:
            for span in of_scope.spans:
                ids = span.trace_id, span.span_id, span.parent_span_id
                yield Told(span.name, *ids, of_scope.scope.name, resource, _values(span.attributes))


def _values(attributes: Any) -> dict[str, Any]:
    return {each.key: getattr(each.value, each.value.WhichOneof("value")) for each in attributes}


@contextmanager
def collecting() -> Iterator[TraceCollector]:
    """A collector that answers at its ``url``."""
    collector = TraceCollector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            collector.paths.append(self.path)
            collector.answers.wait()
            is_packed = self.headers.get("Content-Encoding") == "gzip"
            collector.bodies.append(gzip.decompress(body) if is_packed else body)
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    collector.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield collector
    finally:
        collector.answers.set()
        server.shutdown()
        server.server_close()
        thread.join()

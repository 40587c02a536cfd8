"""Traces of what this process does, by OpenTelemetry, where OTEL_EXPORTER_OTLP_ENDPOINT says whom to send them to."""

from __future__ import annotations

from portal import settings


def trace_from_now_on(process: str) -> None:
    """Trace this process, which is called ``process``; to be called before it loads Django, and after it was forked.

    Where nobody is to be told, nothing of OpenTelemetry is loaded.
    """
    if settings.OTEL_EXPORTER_OTLP_ENDPOINT:
        from portal.otel import start

        start(process)

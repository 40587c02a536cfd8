"""What the fuzzers have in common: fixed seeds, a bounded number of examples, and the portal as a server calls it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from hypothesis import HealthCheck, Phase, settings
from werkzeug.test import Client

from portal.wsgi import application


def bounded(examples: int) -> Callable[[Any], Any]:
    """So many examples, the same ones in every run: what fails at one place fails at the other."""
    return settings(
        max_examples=examples,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.explicit, Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )


@contextmanager
def wsgi_client() -> Iterator[Client]:
    """Sends requests to the WSGI application, which leaves the test's own connection and its transaction open."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    try:
        yield Client(application)
    finally:
        for signal in (request_started, request_finished):
            signal.connect(close_old_connections)


def operations_of(described: Any) -> Iterator[Any]:
    """Every operation of a schema that schemathesis has read; one that it cannot read is an error."""
    for result in described.get_all_operations():
        yield result.ok()

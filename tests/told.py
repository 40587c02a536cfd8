"""What the application of a production server answers: the doors, and Django behind them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast
from urllib.parse import unquote

from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from django.test import RequestFactory

from portal import wsgi


@contextmanager
def _connection_kept() -> Iterator[None]:
    """A request ends the connection to the database, and the test's transaction with it; as Django's own client."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    try:
        yield
    finally:
        for signal in signals:
            signal.connect(close_old_connections)


class Told:
    """What the application of a production server answers."""

    def __init__(self, method: str, path: str, body: str = "", kind: str = "application/json", **headers: str) -> None:
        # As the server does it; the factory would take two slashes for the beginning of a host.
        plain = unquote(path, "latin-1")
        request = RequestFactory().generic(method, "/", body, kind, headers=headers, PATH_INFO=plain)
        # The factory sends an empty Cookie header.
        environ = {name: value for name, value in request.environ.items() if name != "HTTP_COOKIE" or value}
        started: list[Any] = []
        with _connection_kept():
            answer = wsgi.application(environ, cast(Any, lambda *args: started.extend(args)))
            self.body = b"".join(answer)
            getattr(answer, "close", bool)()
        self.status, self.headers = int(started[0][:3]), dict(started[1])

    @property
    def json(self) -> Any:
        assert self.headers["Content-Type"].startswith(("application/json", "application/graphql-response+json"))
        return json.loads(self.body)

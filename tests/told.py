"""What the application of a production server answers: the doors, and Django behind them."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import unquote

from django.test import RequestFactory

from tests.rsgi import ask_as


class Told:
    """What the application of a production server answers."""

    def __init__(self, method: str, path: str, body: str = "", kind: str = "application/json", **headers: str) -> None:
        # As the server does it; the factory would take two slashes for the beginning of a host.
        plain = unquote(path, "latin-1")
        request = RequestFactory().generic(method, "/", body, kind, headers=headers, PATH_INFO=plain)
        # The factory sends an empty Cookie header.
        environ = {name: value for name, value in request.environ.items() if name != "HTTP_COOKIE" or value}
        answer = ask_as(environ)
        self.status, self.headers, self.body = answer.status, dict(answer.headers), answer.body

    @property
    def json(self) -> Any:
        assert self.headers["Content-Type"].startswith(("application/json", "application/graphql-response+json"))
        return json.loads(self.body)

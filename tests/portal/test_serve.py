"""What the web server does before it serves."""

from __future__ import annotations

from typing import Any
from unittest.mock import Mock

import granian.wsgi
import pytest

from portal import serve


def test_no_request_holds_the_secrets_of_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Granian's own way from a worker's start to a request."""
    monkeypatch.setattr(granian.wsgi, "os", granian.wsgi.os)  # type: ignore[attr-defined]  # put back afterwards
    monkeypatch.setattr("gc.freeze", lambda: None)
    monkeypatch.setattr("signal.pthread_sigmask", lambda how, mask: set())
    monkeypatch.setattr("logging.captureWarnings", lambda capture: None)
    monkeypatch.setenv("DATABASE_URL", "postgres://user:secret@db/portal")
    monkeypatch.setenv("HTTP_X_NO_HEADER", "1")
    requests: list[dict[str, Any]] = []

    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        requests.append(environ)
        return []

    serve._load_application("", idle_seconds=serve.IDLE_SECONDS)
    serve_request = granian.wsgi._callback_wrapper(application, {})
    serve_request(Mock(), {"PATH_INFO": "/", "HTTP_HOST": "localhost"})

    (environ,) = requests
    assert environ["HTTP_HOST"] == "localhost"
    assert environ["wsgi.multithread"]
    assert not {"DATABASE_URL", "SECRET_KEY", "HTTP_X_NO_HEADER"} & environ.keys()

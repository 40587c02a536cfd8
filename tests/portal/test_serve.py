"""What the web server does before it serves."""

from __future__ import annotations

import resource
from typing import Any

import pytest

from portal import web
from tests.rsgi import ask


def test_no_request_holds_the_secrets_of_the_process(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgres://user:secret@db/portal")
    monkeypatch.setenv("HTTP_X_NO_HEADER", "1")
    requests: list[dict[str, Any]] = []

    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        requests.append(environ)
        start_response("200 OK", [])
        return []

    monkeypatch.setattr("portal.rsgi._django", application)
    ask("GET", "/hub/")

    (environ,) = requests
    assert environ["HTTP_HOST"] == "localhost"
    assert environ["wsgi.multithread"]
    assert not {"DATABASE_URL", "SECRET_KEY", "HTTP_X_NO_HEADER"} & environ.keys()


@pytest.mark.parametrize(
    ("files", "most", "connections"),
    [(20_000, 20_000, 4_096), (1_024, 20_000, 4_096), (1_024, 2_000, 1_744), (256, 256, 128)],
)
def test_connections_are_no_more_than_files_can_be_open(
    monkeypatch: pytest.MonkeyPatch, files: int, most: int, connections: int
) -> None:
    limits = [(files, most)]
    monkeypatch.setattr(resource, "getrlimit", lambda which: limits[-1])
    monkeypatch.setattr(resource, "setrlimit", lambda which, new: limits.append(new))

    assert web._room_for(4_096) == connections
    assert limits[-1][0] <= most

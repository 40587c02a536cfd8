"""What stands in for Sentry: a server that takes envelopes and keeps them."""

from __future__ import annotations

import gzip
import json
import re
from importlib import import_module
from typing import Any

from pytest_httpserver import HTTPServer


def _unpacked(body: bytes, encoding: str) -> str:
    """The SDK packs with Brotli where the package happens to be there; the portal does not ask for it."""
    unpack = import_module("brotli").decompress if encoding == "br" else gzip.decompress
    return str(unpack(body), "utf-8")


class Ingest:
    """The end of a DSN."""

    def __init__(self, server: HTTPServer) -> None:
        self._server = server
        self.dsn = f"http://publickey@127.0.0.1:{server.port}/1"
        server.expect_request(re.compile("/api/1/envelope/")).respond_with_json({})

    def envelopes(self) -> list[str]:
        """All that has come, unpacked."""
        return [_unpacked(request.data, request.headers["Content-Encoding"]) for request, _ in list(self._server.log)]

    def text(self) -> str:
        return "\n".join(self.envelopes())

    def events(self) -> list[dict[str, Any]]:
        """The errors; an envelope has nothing besides."""
        found = []
        for envelope in self.envelopes():
            _, head, event, *rest = envelope.split("\n")
            assert json.loads(head)["type"] == "event"
            assert rest in ([], [""])
            found.append(json.loads(event))
        return found

    def of(self, logger: str) -> list[dict[str, Any]]:
        return [event for event in self.events() if event["logger"] == logger]

    def loggers(self) -> set[str]:
        return {event["logger"] for event in self.events()}

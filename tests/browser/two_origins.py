"""What stands around a visitor's browser: a shop's website, and the gateway at another origin, behind a proxy."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import httpx
from django.db import connections

from portal.wsgi import application
from tests.browser.chromium import PATIENCE_MS

#: Where the visitor is, as the proxy tells.
VISITOR = "81.2.69.142"

StartResponse = Callable[..., Any]
Portal = Callable[[dict[str, Any], StartResponse], Iterable[bytes]]


@dataclass
class Gateway:
    """The portal, called as a web server calls it; ``url`` is where, and the rest says what goes wrong on the way."""

    url: str = ""
    #: What answers: this process's own portal, or one that runs as other processes.
    portal: Portal = application
    #: The methods that were asked with, each with the page's origin.
    asked: list[tuple[str, str]] = field(default_factory=list)
    #: The bodies that reached it.
    posted: list[bytes] = field(default_factory=list)
    #: The next answers to posts are lost: the browser gets 503 instead, with the gateway's headers of CORS or without.
    loses: list[bool] = field(default_factory=list)
    #: So many requests never reach it, and are never answered.
    stalls: int = 0
    #: Headers that a proxy takes out of answers.
    without: set[str] = field(default_factory=set)
    _over: threading.Event = field(default_factory=threading.Event)

    @property
    def bodies(self) -> list[dict[str, Any]]:
        """What reached it. A frame without an origin is a process of its own: drivers may miss what that asks first."""
        return [json.loads(body) for body in self.posted]

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> list[bytes]:
        environ["REMOTE_ADDR"] = VISITOR
        self.asked.append((environ["REQUEST_METHOD"], environ.get("HTTP_ORIGIN", "")))
        if self.stalls:
            self.stalls -= 1
            self._over.wait(30)
            return self._unavailable(start_response)
        loses = False
        if environ["REQUEST_METHOD"] == "POST":
            loses = bool(self.loses)
            body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
            self.posted.append(body)
            environ["wsgi.input"] = BytesIO(body)
        try:
            answer = b"".join(self.portal(environ, partial(self._start, start_response, loses)))
        finally:
            connections.close_all()
        return [answer]

    def _start(
        self, start_response: StartResponse, loses: bool, status: str, headers: list[tuple[str, str]], *rest: Any
    ) -> Any:
        without = self.without
        if loses:
            status = "503 Service Unavailable"
            without = set() if self.loses.pop() else {"Access-Control-Allow-Origin"}
        return start_response(status, [pair for pair in headers if pair[0] not in without], *rest)

    def _unavailable(self, start_response: StartResponse) -> list[bytes]:
        start_response("503 Service Unavailable", [])
        return []

    def close(self) -> None:
        """Let go of what is held."""
        self._over.set()


class _Threads(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _QuietCalls(WSGIRequestHandler):
    def log_message(self, *args: object) -> None:
        pass


def running(url: str) -> Portal:
    """A portal that runs elsewhere, to which the proxy tells the visitor's address in a header, as proxies do."""

    def hand_on(environ: dict[str, Any], start_response: StartResponse) -> list[bytes]:
        names = {"HTTP_ORIGIN": "Origin", "HTTP_REFERER": "Referer", "HTTP_USER_AGENT": "User-Agent"}
        headers = {name: environ[key] for key, name in names.items() if key in environ}
        answer = httpx.request(
            environ["REQUEST_METHOD"],
            f"{url}{environ['PATH_INFO']}?{environ['QUERY_STRING']}",
            content=environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)),
            headers={**headers, "Content-Type": environ["CONTENT_TYPE"], "X-Forwarded-For": environ["REMOTE_ADDR"]},
        )
        kept = [(name, value) for name, value in answer.headers.items() if name.startswith("access-control-")]
        start_response(f"{answer.status_code} {answer.reason_phrase}", kept)
        return [answer.content]

    return hand_on


@contextmanager
def serve_gateway(portal: Portal = application) -> Iterator[Gateway]:
    """The gateway, at an origin of its own."""
    gateway = Gateway(portal=portal)
    server = make_server("127.0.0.1", 0, gateway, _Threads, _QuietCalls)
    gateway.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield gateway
    gateway.close()
    server.shutdown()
    server.server_close()


def wait_until(condition: Callable[[], object], seconds: float = PATIENCE_MS / 1_000) -> None:
    """Wait for what a browser does by itself."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.02)


class _QuietFiles(SimpleHTTPRequestHandler):
    def log_message(self, *args: object) -> None:
        pass


@contextmanager
def serve_folder(folder: Path) -> Iterator[str]:
    """The files of a folder as a website; to browsers, its localhost is another website than 127.0.0.1."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_QuietFiles, directory=str(folder)))
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield f"http://localhost:{server.server_port}"
    server.shutdown()
    server.server_close()

"""The sandbox over HTTP/1.1 with keep-alive: the standard library's server, a thread a connection."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import orjson

from events.sandbox import registrations
from events.sandbox.app import Sandbox
from events.sandbox.faults import fault_from_json

MAX_BODY_BYTES = 16 * 1024 * 1024


class SandboxServer(ThreadingHTTPServer):
    """Serves one sandbox."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], sandbox: Sandbox) -> None:
        super().__init__(address, _Handler)
        self.sandbox = sandbox

    @property
    def url(self) -> str:
        """Where it is served."""
        return f"http://{self.server_address[0]!s}:{self.server_address[1]}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that was killed is no news."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = 120
    server: SandboxServer

    def do_POST(self) -> None:  # the base class's name
        url = urlsplit(self.path)
        body = self._body()
        if body is None:
            return
        if url.path == "/_control":
            self._control(body)
            return
        match url.path.split("/"):
            case ["", version, pixel_id, "events"]:
                payload = _payload(body, self.headers.get("Content-Type", "")) | dict(parse_qsl(url.query))
                answer = self.server.sandbox.post_events(version, pixel_id, payload)
                self._send(answer.status, answer.body) if answer.body else self._hang_up()
            case _:
                self._register("POST", body)

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        match url.path.split("/"):
            case ["", _version, "me"]:
                token = self.headers.get("Authorization", "").removeprefix("Bearer ")
                answer = self.server.sandbox.whose_token(token)
                self._send(answer.status, answer.body) if answer.body else self._hang_up()
                return
        if url.path == "/_registrations":
            self._send(200, {"data": self.server.sandbox.registrations.all()})
            return
        if url.path != "/_events":
            self._register("GET")
            return
        query = parse_qs(url.query)
        limit = query.get("limit", ["100"])[0]
        self._send(
            200,
            self.server.sandbox.overview(
                query.get("pixel_id", [None])[0], int(limit) if limit.isascii() and limit.isdigit() else 100
            ),
        )

    def do_DELETE(self) -> None:
        if urlsplit(self.path).path != "/_events":
            self._register("DELETE")
            return
        self.server.sandbox.clear()
        self._send(200, {"success": True})

    def _register(self, method: str, body: bytes = b"") -> None:
        """What is asked of gateways' registrations; everything else is unknown here."""
        url = urlsplit(self.path)
        match url.path.strip("/").split("/"):
            case [_version, subject, registrations.EDGE]:
                is_edge = True
            case [_version, subject] if subject.isdigit():
                is_edge = False
            case _:
                self._unknown(method, url.path)
                return
        fields = {**dict(parse_qsl(url.query)), **_fields(body, self.headers.get("Content-Type", ""))}
        token = fields.pop("access_token", "") or self.headers.get("Authorization", "").partition(" ")[2]
        fields = {name: value for name, value in fields.items() if name not in ("fields", "limit")}
        status, answer = self.server.sandbox.registrations.answer(method, subject, is_edge, str(token), fields)
        self._send(status, answer) if answer else self._hang_up()

    def _unknown(self, method: str, path: str) -> None:
        if method == "GET":
            words = "GET /_events tells what came, GET /_registrations what is registered; events are posted to"
            self._send(404, _error(100, f"{words} /<version>/<id>/events."))
        else:
            self._send(400, _error(2500, f"Unknown path components: {path}"))

    def _control(self, body: bytes) -> None:
        try:
            wish = orjson.loads(body)
            if wish:
                self.server.sandbox.faults.add(fault_from_json(wish))
            else:
                self.server.sandbox.recover()
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            self._send(400, _error(100, f"Not a fault: {error}"))
            return
        self._send(200, {"success": True})

    def _body(self) -> bytes | None:
        length = self.headers.get("Content-Length", "0")
        if not (length.isascii() and length.isdigit()) or int(length) > MAX_BODY_BYTES:
            self.close_connection = True
            self._send(413, _error(1, "Please reduce the amount of data you're asking for."))
            return None
        return self.rfile.read(int(length))

    def _send(self, status: int, body: dict[str, Any]) -> None:
        content = orjson.dumps(body)
        self.send_response(status)
        self.send_header("Content-Type", "application/json; charset=UTF-8")
        self.send_header("Content-Length", str(len(content)))
        # One packet: the headers wait in the buffer for the body.
        self._headers_buffer.extend((b"\r\n", content))  # type: ignore[attr-defined]  # missing in typeshed
        self.flush_headers()

    def _hang_up(self) -> None:
        self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: an address would hold an access token."""


@contextmanager
def serve(sandbox: Sandbox, port: int = 0, address: str = "127.0.0.1") -> Iterator[str]:
    """Serve in a thread until the block ends; gives the address to use as GRAPH_API_URL."""
    server = SandboxServer((address, port), sandbox)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True, name="sandbox")
    thread.start()
    try:
        yield server.url
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


def _payload(body: bytes, content_type: str) -> dict[str, Any]:
    """The request's fields: a JSON object, or a form in which ``data`` is JSON, as the Graph API takes both."""
    if content_type.startswith("application/x-www-form-urlencoded"):
        fields: dict[str, Any] = dict(parse_qsl(body.decode("utf-8", "replace")))
        fields["data"] = _json(fields.get("data", ""))
        return fields
    payload = _json(body)
    return payload if isinstance(payload, dict) else {}


def _fields(body: bytes, content_type: str) -> dict[str, Any]:
    """The fields of another request: a JSON object, or a form in which lists, yes and no are JSON."""
    if not content_type.startswith("application/x-www-form-urlencoded"):
        return _payload(body, content_type)
    fields = dict(parse_qsl(body.decode("utf-8", "replace")))
    return {
        name: _json(text) if text in ("true", "false") or text.startswith("[") else text
        for name, text in fields.items()
    }


def _json(text: str | bytes) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return None


def _error(code: int, message: str) -> dict[str, Any]:
    return {"error": {"message": message, "type": "OAuthException", "code": code, "fbtrace_id": ""}}

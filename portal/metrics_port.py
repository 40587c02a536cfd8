"""GET /metrics at a port of their own (METRICS_PORT), for machines where workers run and no web server does.

Of several workers with one DATA_DIR one answers for all; where it ends, another takes its place.
"""

from __future__ import annotations

import fcntl
import logging
import socket
import threading
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from django.conf import settings

from common.http import Request, security_headers
from portal.metrics import answer_of_machine

logger = logging.getLogger(__name__)

#: Whoever asks has this long, the reading of the answer included.
ASKING_SECONDS = 10.0
#: So many may ask at a time; who comes beyond that is let go of.
ASKERS = 8
#: Where another program has the port, it is tried again after this.
RETRY_SECONDS = 5.0
_NO_BODY = "HEAD"


def answer_at_port_from_now_on() -> None:
    """Start the thread that answers, or waits for its turn, where there is a port and somebody may ask."""
    if settings.METRICS_PORT and settings.METRICS_FOLDER:
        where = settings.METRICS_FOLDER, settings.METRICS_PORT
        threading.Thread(target=_answer, args=where, name="metrics port", daemon=True).start()


def _answer(folder: Path, port: int) -> None:
    """The system takes the lock from a process that has ended, however it did."""
    with (folder / "port").open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        open_server(settings.BIND_ADDRESS, port).serve_forever()


def open_server(address: str, port: int) -> MetricsServer:
    """The server, once the port is free."""
    told = False
    while True:
        try:
            return MetricsServer(address, port)
        except OSError as error:
            if not told:
                told = True
                logger.warning("METRICS_PORT cannot be opened: %s. Trying again.", error.strerror)
            time.sleep(RETRY_SECONDS)


class MetricsServer(ThreadingHTTPServer):
    """A thread for each of a few who ask."""

    def __init__(self, address: str, port: int) -> None:
        self.address_family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self._places = threading.BoundedSemaphore(ASKERS)
        super().__init__((address, port), _Handler)

    def server_bind(self) -> None:
        """Without the look-up of the machine's name in the DNS, which nobody needs."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_port = self.server_address[1]

    def process_request(self, request: Any, client_address: Any) -> None:
        if self._places.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        late = threading.Timer(ASKING_SECONDS, _cut_off, (request,))
        late.daemon = True
        late.start()
        try:
            super().process_request_thread(request, client_address)
        finally:
            late.cancel()
            self._places.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Who was cut off has gone; the portal's own faults are the door's."""


def _cut_off(connection: socket.socket) -> None:
    with suppress(OSError):  # it is over
        connection.shutdown(socket.SHUT_RDWR)


class _Handler(BaseHTTPRequestHandler):
    """Translates between HTTP and the door, which alone says who may see what."""

    server_version, sys_version = "portal", ""

    def do_GET(self) -> None:
        path, _, query = self.path.partition("?")
        headers = {name.lower(): value for name, value in self.headers.items()}
        asked = Request(self.command, path, query, headers, self.rfile, self.client_address[0])
        status, fields, body = answer_of_machine(asked)
        self.send_response(status)
        for name, value in [*fields, *security_headers("http"), ("Content-Length", str(len(body)))]:
            self.send_header(name, value)
        self.end_headers()
        if self.command != _NO_BODY:
            self.wfile.write(body)

    do_HEAD = do_POST = do_GET  # noqa: N815  # the library's names

    def log_message(self, format: str, *args: object) -> None:
        """Not in lines of its own form."""

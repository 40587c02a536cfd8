"""Sends one request over and over: with wrk where it is installed, else from here.

    python -m bench.load URL BODY_FILE SECONDS CONNECTIONS

The own generator is one asyncio process that writes a prepared request and looks at no more of an answer than its
status, so that it takes little from what it measures. Both run in a process of their own.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import urlsplit

_WRK_SCRIPT = """
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
local file = io.open(os.getenv("BENCH_BODY"))
wrk.body = file:read("*a")
"""


@dataclass(frozen=True, slots=True)
class Load:
    """What was answered."""

    requests: int
    errors: int
    seconds: float

    @property
    def rate(self) -> float:
        """Requests a second that were answered well."""
        return (self.requests - self.errors) / self.seconds


def post(url: str, body: bytes, *, seconds: float, connections: int = 16) -> Load:
    """Post the body for some seconds over a number of connections."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "body"
        file.write_bytes(body)
        if shutil.which("wrk"):
            return _wrk(url, file, seconds, connections)
        command = [sys.executable, "-m", "bench.load", url, str(file), str(seconds), str(connections)]
        return Load(**json.loads(subprocess.run(command, check=True, capture_output=True).stdout))


def _wrk(url: str, file: Path, seconds: float, connections: int) -> Load:
    script = file.with_suffix(".lua")
    script.write_text(_WRK_SCRIPT)
    said = subprocess.run(
        ["wrk", "-t1", f"-c{connections}", f"-d{max(1, round(seconds))}s", "-s", str(script), url],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "BENCH_BODY": str(file)},
    ).stdout
    done = re.search(r"(\d+) requests in ([\d.]+)(m?s)", said)
    bad = re.search(r"Non-2xx or 3xx responses: (\d+)", said)
    assert done, said
    took = float(done[2]) / (1_000 if done[3] == "ms" else 1)
    return Load(int(done[1]), int(bad[1]) if bad else 0, took)


class _Connection(asyncio.Protocol):
    """Sends the request, and sends it again when the answer is there."""

    def __init__(self, request: bytes) -> None:
        self.request = request
        self.requests = self.errors = 0
        self.transport: asyncio.WriteTransport | None = None
        self._answer = b""
        self.stopped = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)
        self.transport = transport
        transport.write(self.request)

    def data_received(self, data: bytes) -> None:
        self._answer += data
        head, end, body = self._answer.partition(b"\r\n\r\n")
        if not end or not _is_whole(head, body):
            return
        self.requests += 1
        self.errors += not head.startswith(b"HTTP/1.1 2")
        self._answer = b""
        if self.transport and not self.stopped:
            self.transport.write(self.request)


def _is_whole(head: bytes, body: bytes) -> bool:
    length = re.search(rb"\r\ncontent-length: *(\d+)", head, re.IGNORECASE)
    return len(body) >= int(length[1]) if length else body.endswith(b"0\r\n\r\n")  # in chunks


async def _post(url: str, body: bytes, seconds: float, connections: int) -> Load:
    parts = urlsplit(url)
    head = f"POST {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\nContent-Type: application/json\r\n"
    request = f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body
    loop = asyncio.get_running_loop()
    start = time.monotonic()
    made = [
        (await loop.create_connection(lambda: _Connection(request), parts.hostname or "", parts.port or 80))[1]
        for _ in range(connections)
    ]
    await asyncio.sleep(seconds)
    took = time.monotonic() - start
    result = Load(sum(each.requests for each in made), sum(each.errors for each in made), took)
    for each in made:
        each.stopped = True
    # The last answers are waited for: a server that is cut off would log it.
    await asyncio.sleep(0.3)
    return result


if __name__ == "__main__":
    _url, _file, _seconds, _connections = sys.argv[1:]
    _load = asyncio.run(_post(_url, Path(_file).read_bytes(), float(_seconds), int(_connections)))
    sys.stdout.write(json.dumps(asdict(_load)))

"""Sends requests with wrk, which is on Debian as a package of that name."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

CONNECTIONS = 16

#: Posts the lines of a file in turn.
_SCRIPT = """
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
if os.getenv("BENCH_TOKEN") ~= "" then
  wrk.headers["Authorization"] = "Bearer " .. os.getenv("BENCH_TOKEN")
end
local requests, last = {}, 0
function init()
  for line in io.lines(os.getenv("BENCH_BODIES")) do
    table.insert(requests, wrk.format(nil, nil, nil, line))
  end
end
function request()
  last = last % #requests + 1
  return requests[last]
end
"""

_MILLISECONDS = {"us": 0.001, "ms": 1.0, "s": 1_000.0, "m": 60_000.0}


@dataclass(frozen=True, slots=True)
class Load:
    """What was answered. ``median`` is the time of a request in milliseconds."""

    requests: int
    errors: int
    seconds: float
    median: float

    @property
    def rate(self) -> float:
        """Requests a second that were answered well."""
        return (self.requests - self.errors) / self.seconds


def post(url: str, *bodies: bytes, seconds: float, connections: int = CONNECTIONS, token: str = "") -> Load:
    """Post the bodies in turn, for some whole seconds over a number of connections. A body is JSON on one line."""
    with tempfile.TemporaryDirectory() as folder:
        script, file = Path(folder) / "post.lua", Path(folder) / "bodies"
        script.write_text(_SCRIPT)
        file.write_bytes(b"\n".join(bodies))
        command = [
            "wrk",
            "-t1",
            f"-c{connections}",
            f"-d{max(1, round(seconds))}s",
            "--latency",
            "-s",
            str(script),
            url,
        ]
        environment = {**os.environ, "BENCH_BODIES": str(file), "BENCH_TOKEN": token}
        return read(subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout)


def post_well(url: str, *bodies: bytes, seconds: float, connections: int = CONNECTIONS, token: str = "") -> Load:
    """The same; an answer that is an error ends the benchmark."""
    done = post(url, *bodies, seconds=seconds, connections=connections, token=token)
    if done.errors or not done.requests:
        raise RuntimeError(f"{url}: {done.errors} of {done.requests} requests were refused")
    return done


def read(said: str) -> Load:
    """Read what wrk prints."""
    done = re.search(r"(\d+) requests in ([\d.]+)(us|ms|s|m)", said)
    median = re.search(r"50%\s+([\d.]+)(us|ms|s|m)", said)
    if not done or not median:
        raise RuntimeError(f"wrk says nothing that can be read: {said}")
    refused = re.search(r"Non-2xx or 3xx responses: (\d+)", said)
    broken = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", said)
    errors = int(refused[1]) if refused else 0
    return Load(
        int(done[1]),
        errors + (sum(map(int, broken.groups())) if broken else 0),
        float(done[2]) * _MILLISECONDS[done[3]] / 1_000,
        float(median[1]) * _MILLISECONDS[median[2]],
    )

"""Starts what is measured: the portal, and the peers in bench/peers/. Each has a process for each core.

The servers of Python are granian with as many threads as the portal's; the portal runs as in production, from
``python -m portal.serve``, with everything that its settings turn on.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import psycopg
from django.conf import settings

from tests.instance import START_SECONDS, Instance, free_port

ROOT = Path(__file__).resolve().parent.parent
PEERS = ROOT / "bench" / "peers"
PEER_PYTHON = ROOT / ".venv" / "bench" / "bin" / "python"
NODE = ROOT / ".venv" / "build" / "bin" / "node"
CORES = os.cpu_count() or 1


@contextmanager
def portal(database_url: str, graph_api_url: str = "http://127.0.0.1:9", **own: object) -> Iterator[Instance]:
    """The portal's web server on a database, with settings of its ``own``; workers can be started beside it."""
    folder = Path(settings.DATA_DIR) / database_url.rpartition("/")[2]
    folder.mkdir(exist_ok=True)
    # Counted as in production, and never reached: one caller sends what many would.
    counted = ("API", "ADDRESS", "PIXEL", "BROWSER_ADDRESS", "BROWSER_PIXEL")
    limits = {f"{name}_RATE_LIMIT": "1000000/s" for name in counted}
    environment: dict[str, Any] = {
        "DATABASE_URL": database_url,
        "WEB_WORKERS": CORES,
        "BASE_URL": "http://localhost:8000",
        **limits,
        **own,
    }
    with Instance(folder, graph_api_url, **environment) as instance:
        instance.start_web()
        yield instance


def sign_in(instance: Instance) -> str:
    """A new API account's token."""
    command = [sys.executable, "manage.py", "create_api_account", "Bench"]
    made = subprocess.run(command, check=True, capture_output=True, cwd=ROOT, env=instance.environment)
    secret = json.loads(made.stdout)
    answer = httpx.post(f"{instance.url}/clients/token", data={"grant_type": "client_credentials", **secret})
    token: str = answer.raise_for_status().json()["access_token"]
    return token


@contextmanager
def python_peer(name: str, database_url: str, *, python: Path = PEER_PYTHON, own_settings: str = "") -> Iterator[str]:
    """The address of a peer's ``app.py``; with the portal's ``python`` it has the portal's packages."""
    port = free_port()
    command = [
        *(str(python), "-m", "granian", "--interface", "wsgi", "--no-ws", "--log-level", "error"),
        *("--port", str(port), "--workers", str(CORES), "--blocking-threads", str(settings.WEB_THREADS)),
        f"bench.peers.{name}.app:application",
    ]
    environment = {
        "DATABASE_URL": database_url,
        "BENCH_PEER": f"bench.peers.{name}.app",
        "DJANGO_SETTINGS_MODULE": own_settings or "bench.peers.settings",
        "LOG_LEVEL": "ERROR",
    }
    with process(command, environment) as started:
        yield when_up(started, port)


@contextmanager
def node_peer(name: str, database_url: str, **own: str) -> Iterator[str]:
    """The address of a peer's ``server.js``; ``own`` is added to its environment."""
    port = free_port()
    environment = {
        "DATABASE_URL": database_url,
        "PORT": str(port),
        "WORKERS": str(CORES),
        "NODE_ENV": "production",
        "GRAPHILE_ENV": "production",
        **own,
    }
    with process([str(NODE), str(PEERS / name / "server.js")], environment) as started:
        yield when_up(started, port)


@contextmanager
def process(command: list[str], environment: Mapping[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """A process that ends with the block, and those that it has started with it."""
    started = subprocess.Popen(command, cwd=ROOT, env={**os.environ, **environment}, start_new_session=True)
    try:
        yield started
    finally:
        started.terminate()
        with suppress(subprocess.TimeoutExpired):
            started.wait(10)
        with suppress(ProcessLookupError):
            os.killpg(started.pid, signal.SIGKILL)
        started.wait()


def run_sql(database_url: str, file: str) -> None:
    """Run a file of bench/peers/."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute((PEERS / file).read_bytes())


def when_up(started: subprocess.Popen[bytes], port: int) -> str:
    """Wait until somebody answers on the port; the address."""
    url = f"http://127.0.0.1:{port}"
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and started.poll() is None:
        with suppress(httpx.HTTPError):
            httpx.get(url, timeout=5)
            return url
        time.sleep(0.1)
    raise RuntimeError(f"{started.args!r} does not answer")


def processor_time(group: int) -> float:
    """The seconds that the processes of a group have had (Linux)."""
    ticks = 0
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                fields = (folder / "stat").read_text().rpartition(")")[2].split()
            except (ProcessLookupError, FileNotFoundError):
                continue
            if int(fields[2]) == group:
                ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")

"""A real instance: web server and worker as processes of their own, on the database that the test has.

For what cannot be seen within one process: kills, several workers, memory, speed. The test's database must hold
committed rows (``transactional_db``), since other processes read them.
"""

from __future__ import annotations

import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote

import httpx
from django.db import connection

from common import env
from portal.run import WEB, WORKER
from scripts.checkouts import python_of

START_SECONDS = 60
#: Of this process's variables; others are the tests' own.
INHERITED = ("PATH", "PYTHONPATH", "ENV_FILE", "SECRET_KEY", "FIELD_ENCRYPTION_KEYS", "LOG_LEVEL")

_PORTS = range(20_000, 32_000)
#: Processes of tests that run side by side begin at different ones.
_asked = count(secrets.randbelow(len(_PORTS)))


def web_with(change: str) -> list[str]:
    """The command of a web server whose module ``web`` a statement has changed; it does not hand over to another."""
    serve = "web.main(ports.open_listener(4_096), os.open(os.devnull, os.O_WRONLY))"
    return [sys.executable, "-c", f"import os\nfrom portal import ports, web\n{change}\n{serve}"]


class Instance:
    """Starts, kills and stops the processes; all are gone when the block ends.

    ``environment`` adds to the settings; everything that a process prints goes to a file in ``folder``. ``tree`` is
    the folder of an earlier version, whose code and packages run then.
    """

    def __init__(self, folder: Path, graph_api_url: str, *, tree: Path = env.ROOT, **environment: Any) -> None:
        self.folder = folder
        self.tree = tree
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.environment = {
            **{name: os.environ[name] for name in INHERITED if name in os.environ},
            "DJANGO_SETTINGS_MODULE": "portal.settings",
            "DATABASE_URL": database_url(),
            "DATA_DIR": str(folder),
            "PORT": str(self.port),
            "GRAPH_API_URL": graph_api_url,
            **{name: str(value) for name, value in environment.items()},
        }
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Self:
        # As if they had been collected, where they have not been: no test of processes looks at pages.
        manifest = self.folder / "static" / "staticfiles.json"
        manifest.parent.mkdir(parents=True, exist_ok=True)
        if not manifest.exists():
            manifest.write_text('{"version": "1.1", "paths": {}, "hash": "0"}', "utf-8")
        return self

    def __exit__(self, *exc: object) -> None:
        for name in list(self._processes):
            self.kill(name)

    def start_web(self, command: list[str] = WEB, *, asks: bool = True) -> None:
        """Start the web server, and wait until it answers; with ``asks=False`` only until it would."""
        self._start("web", command)
        deadline = time.monotonic() + START_SECONDS
        while True:
            with suppress(OSError, httpx.HTTPError):
                if asks:
                    httpx.get(f"{self.url}/healthz", timeout=5)
                else:
                    socket.create_connection(("127.0.0.1", self.port), timeout=5).close()
                return
            assert self._processes["web"].poll() is None, self.log("web")
            assert time.monotonic() < deadline, self.log("web")
            time.sleep(0.1)

    def start_worker(self, name: str = "worker", *, beat: bool = True, command: list[str] = WORKER) -> None:
        """Start a worker; it takes a moment until it looks for work."""
        self._start(name, command if beat else [argument for argument in command if argument != "--beat"])

    def kill(self, name: str) -> None:
        """End a process and its children as a machine that fails would: SIGKILL."""
        process = self._processes.pop(name)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def stop(self, name: str) -> int:
        """Ask a process to stop; its exit code."""
        process = self._processes[name]
        process.terminate()
        code = process.wait(60)
        self.kill(name)
        return code

    def is_running(self, name: str) -> bool:
        """Has it been started, and not ended by itself?"""
        return name in self._processes and self._processes[name].poll() is None

    def pid(self, name: str) -> int:
        """The process's id, which is its group's as well."""
        return self._processes[name].pid

    def web_workers(self) -> list[int]:
        """The ids of the processes that answer requests: children of the server that `portal.serve` looks after."""
        (server,) = children(self.pid("web"))
        return children(server)

    def log(self, name: str) -> str:
        """The end of what the process said."""
        return (self.folder / f"{name}.log").read_text("utf-8", "replace")[-4_000:]

    def _start(self, name: str, command: list[str]) -> None:
        if self.tree != env.ROOT:
            command = [python_of(self.tree) if word == sys.executable else word for word in command]
        with (self.folder / f"{name}.log").open("ab") as log:
            self._processes[name] = subprocess.Popen(
                command, cwd=self.tree, env=self.environment, stdout=log, stderr=log, start_new_session=True
            )


def children(pid: int) -> list[int]:
    """The processes that a process has started, and which run (Linux)."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def database_url() -> str:
    """The test's database, for another process."""
    config = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{config['NAME']}"
    user, password, name = (quote(config[part] or "", safe="") for part in ("USER", "PASSWORD", "NAME"))
    return f"postgres://{user}:{password}@{config['HOST'] or '127.0.0.1'}:{config['PORT'] or 5432}/{name}"


def free_port() -> int:
    """A port that nobody listens on, and that nobody comes by before whoever asks listens there.

    It is below those which the system gives to whoever connects or asks for any, and no process asks for one twice.
    """
    while True:
        port = _PORTS[next(_asked) % len(_PORTS)]
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port

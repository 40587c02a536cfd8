"""Two PostgreSQL servers that Patroni looks after, with etcd: Debian's packages, gone at the end of the block."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import pytest

from tests.instance import children, free_port
from tests.slow.servers import PrivatePostgres, as_postgres, postgres_binaries

START_SECONDS = 60
#: The shortest that Patroni takes: the standby waits for ``ttl`` until the primary counts as gone.
TIMES: dict[str, object] = {"ttl": 20, "loop_wait": 1, "retry_timeout": 3}


class Node(PrivatePostgres):
    """A server, and the Patroni that starts, watches and promotes it."""

    def __init__(self, folder: Path, binaries: Path, name: str, etcd: int) -> None:
        self._settle(folder, binaries, name)
        self.name, self._etcd, self._api = name, etcd, free_port()
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start Patroni; the server follows."""
        file = self.folder / f"{self.name}.yml"
        file.write_text(json.dumps(self._settings()), "utf-8")  # which is YAML, too
        with (self.folder / f"{self.name}.log").open("ab") as log:
            self._process = subprocess.Popen(
                [*as_postgres(), _program("patroni"), str(file)],
                cwd="/",
                env={"PATH": os.environ["PATH"], "HOME": str(self.folder)},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def kill(self) -> None:
        """End Patroni and the server as a machine that fails would."""
        if self._process is None:
            return
        for pid in (self._process.pid, *children(self._process.pid), *self._server()):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._process.wait()
        self._process = None

    def is_(self, role: str) -> bool:
        """Does Patroni say so? ``primary``, ``sync`` or ``replica``."""
        try:
            return httpx.get(f"http://127.0.0.1:{self._api}/{role}", timeout=2).status_code == 200
        except httpx.HTTPError:
            return False

    def wait_until(self, role: str) -> None:
        """Until Patroni says so."""
        deadline = time.monotonic() + START_SECONDS
        while not self.is_(role):
            assert time.monotonic() < deadline, (self.folder / f"{self.name}.log").read_text()[-4_000:]
            time.sleep(0.05)

    def _server(self) -> list[int]:
        """The server's processes, the first one first."""
        with suppress(OSError, ValueError):
            first = int((self.data / "postmaster.pid").read_text().split("\n")[0])
            return [first, *children(first)]
        return []

    def _settings(self) -> dict[str, object]:
        postgresql = {
            "listen": f"127.0.0.1:{self.port}",
            "connect_address": f"127.0.0.1:{self.port}",
            "data_dir": str(self.data),
            "bin_dir": str(self.binaries),
            "pgpass": str(self.folder / f"{self.name}.pgpass"),
            "authentication": {"superuser": {"username": "postgres"}, "replication": {"username": "postgres"}},
            "basebackup": [{"checkpoint": "fast"}],
            "parameters": {"unix_socket_directories": str(self.folder), "fsync": "off"},
            "pg_hba": [
                "local all all trust",
                "host all all 127.0.0.1/32 trust",
                "host replication all 127.0.0.1/32 trust",
            ],
        }
        return {
            "scope": "portal",
            "name": self.name,
            "restapi": {"listen": f"127.0.0.1:{self._api}", "connect_address": f"127.0.0.1:{self._api}"},
            "etcd3": {"host": f"127.0.0.1:{self._etcd}"},
            "bootstrap": {
                "dcs": TIMES | {"synchronous_mode": True, "postgresql": {"use_pg_rewind": False}},
                "initdb": [{"auth": "trust"}, {"encoding": "UTF8"}, {"username": "postgres"}],
            },
            "postgresql": postgresql,
        }


@contextmanager
def patroni() -> Iterator[tuple[Node, Node]]:
    """A primary with a copy of the test's database, and its synchronous standby. Skips where Debian's programs lack."""
    binaries = postgres_binaries()
    if binaries is None or not shutil.which("patroni") or not shutil.which("etcd"):
        pytest.skip("needs PostgreSQL, Patroni and etcd (on Debian: apt install patroni etcd-server)")
    folder = Path(tempfile.mkdtemp(prefix="patroni_"))
    if as_postgres():
        shutil.chown(folder, "postgres")
    try:
        with _etcd(folder) as port:
            primary, standby = (Node(folder, binaries, name, port) for name in ("one", "two"))
            try:
                primary.start()
                primary.wait_until("primary")
                primary.copy_test_database()
                standby.start()
                standby.wait_until("sync")
                yield primary, standby
            finally:
                primary.kill()
                standby.kill()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _etcd(folder: Path) -> Iterator[int]:
    clients, peers = free_port(), free_port()
    url = f"http://127.0.0.1:{clients}"
    options = {
        "data-dir": folder / "etcd",
        "listen-client-urls": url,
        "advertise-client-urls": url,
        "listen-peer-urls": f"http://127.0.0.1:{peers}",
        "initial-advertise-peer-urls": f"http://127.0.0.1:{peers}",
        "initial-cluster": f"default=http://127.0.0.1:{peers}",
    }
    with (folder / "etcd.log").open("wb") as log:
        process = subprocess.Popen(
            [_program("etcd"), *(f"--{name}={value}" for name, value in options.items())], stdout=log, stderr=log
        )
    try:
        deadline = time.monotonic() + START_SECONDS
        while True:
            with suppress(httpx.HTTPError):
                if httpx.get(f"{url}/health").status_code == 200:
                    break
            assert time.monotonic() < deadline, (folder / "etcd.log").read_text()[-2_000:]
            time.sleep(0.1)
        yield clients
    finally:
        process.kill()
        process.wait()


def _program(name: str) -> str:
    found = shutil.which(name)
    assert found
    return found

"""Servers of a test's own, to be stopped and started: those that the machine shares are left alone."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Literal

import pytest
import redis

from tests.instance import database_url, free_port
from tests.slow.network import Host


class PrivatePostgres:
    """A PostgreSQL server with a copy of the test's database, at an ``address`` of this machine.

    Everybody there may come in. By ``socket_url`` the test has a way in from wherever the server was started.
    """

    def __init__(self, folder: Path, binaries: Path, address: str) -> None:
        self._settle(folder, binaries, "data", address)
        if _is_root():
            shutil.chown(folder, "postgres")
        self._run("initdb", "--auth=trust", "--username=postgres", "--no-sync", f"--pgdata={self.data}")
        self._configure(unix_socket_directories=str(folder), listen_addresses=address, fsync="off")
        with (self.data / "pg_hba.conf").open("a") as file:
            file.write("host all all samenet trust\n")

    def _settle(self, folder: Path, binaries: Path, name: str, address: str = "127.0.0.1") -> None:
        self.folder, self.binaries = folder, binaries
        self.data = folder / name
        self.port = free_port()
        self.url = f"postgres://postgres@{address}:{self.port}/portal"
        self._by_socket = f"postgres://postgres@/{{}}?host={folder}&port={self.port}"
        self.socket_url = self._by_socket.format("portal")
        self._as_user = as_postgres()

    def _configure(self, **options: str) -> None:
        with (self.data / "postgresql.conf").open("a") as file:
            file.writelines(f"{name} = '{value}'\n" for name, value in {"port": self.port, **options}.items())

    @property
    def is_running(self) -> bool:
        """Has it been started, and not stopped?"""
        return (self.data / "postmaster.pid").exists()

    def with_standby(self, *, synchronous: bool = True) -> PrivatePostgres:
        """A second server that has every commit of this one: a synchronous one before it is acknowledged."""
        standby = object.__new__(PrivatePostgres)
        standby._settle(self.folder, self.binaries, "standby")
        source = f"host=127.0.0.1 port={self.port} user=postgres"
        self._run(
            "pg_basebackup",
            "--checkpoint=fast",
            "--write-recovery-conf",
            f"--dbname={source}",
            f"--pgdata={standby.data}",
        )
        standby._configure()
        standby.start()
        if not synchronous:
            return standby
        psql = ("psql", f"--dbname={self.url}", "--quiet", "--command")
        self._run(*psql, "ALTER SYSTEM SET synchronous_standby_names = '*'")
        self._run(*psql, "SELECT pg_reload_conf()")
        return standby

    def promote(self) -> None:
        """Make the standby the one that is written to."""
        self._run("pg_ctl", "promote", "--wait", f"--pgdata={self.data}")

    def start(self) -> None:
        """Start, and wait until connections are taken."""
        self._run("pg_ctl", "start", "--wait", f"--pgdata={self.data}", f"--log={self.data}/log")

    def stop(self, mode: Literal["fast", "immediate"]) -> None:
        """Stop: ``fast`` ends every connection with a message, ``immediate`` is a crash."""
        self._run("pg_ctl", "stop", f"--mode={mode}", f"--pgdata={self.data}")

    def copy_test_database(self) -> None:
        """Make the portal's database here as it is there."""
        self._run("psql", f"--dbname={self._by_socket.format('postgres')}", "--command=CREATE DATABASE portal")
        self._run("pg_dump", f"--dbname={database_url()}", f"--file={self.data}/copy.sql")
        self._run(
            "psql", f"--dbname={self.socket_url}", "--quiet", "--set=ON_ERROR_STOP=1", f"--file={self.data}/copy.sql"
        )

    def _run(self, program: str, *arguments: str) -> None:
        command = [*self._as_user, str(self.binaries / program), *arguments]
        with tempfile.TemporaryFile() as said:  # a pipe would stay open with the server
            done = subprocess.run(command, stdout=said, stderr=said, cwd="/", check=False)
            said.seek(0)
            assert done.returncode == 0, said.read().decode()


@contextmanager
def private_postgres(host: Host | None = None) -> Iterator[PrivatePostgres]:
    """A running server with a copy of the test's database, on the host if one is given; gone at the end.

    Skips where there is no PostgreSQL.
    """
    binaries = postgres_binaries()
    if binaries is None:
        reason = "PostgreSQL's own programs (initdb, pg_ctl) are not on this machine"
        if os.environ.get("TEST_REQUIRE_POSTGRES", "") not in ("", "0"):
            pytest.fail(reason)
        pytest.skip(reason)
    folder = Path(tempfile.mkdtemp(prefix="private_postgres_"))  # pytest's own folders are closed to other users
    try:
        server = PrivatePostgres(folder, binaries, host.address if host else "127.0.0.1")
        with host.entered() if host else nullcontext():
            server.start()
        try:
            server.copy_test_database()
            yield server
        finally:
            if server.is_running:
                server.stop("immediate")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def postgres_binaries() -> Path | None:
    """Where PostgreSQL's own programs are; None where they are not."""
    candidates = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    if found := shutil.which("initdb"):
        candidates.append(Path(found).resolve().parent)
    needed = ("initdb", "pg_ctl", "pg_dump", "psql")
    return next((folder for folder in candidates if all((folder / name).exists() for name in needed)), None)


def as_postgres() -> list[str]:
    """What stands before a command that root gives: PostgreSQL refuses to run as root."""
    return ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] if _is_root() else []


def _is_root() -> bool:
    return os.geteuid() == 0


class PrivateRedis:
    """A Redis server; ``url`` stays the same when it is started again. ``options`` are those of redis-server."""

    def __init__(self, address: str = "127.0.0.1", **options: str) -> None:
        program = shutil.which("redis-server")
        if program is None:
            pytest.skip("redis-server is not on this machine")
        self.port = free_port()
        self.url = f"redis://{address}:{self.port}/0"
        given = {"port": str(self.port), "save": "", "dir": tempfile.gettempdir(), **options}
        self._command = [program, *(word for name, value in given.items() for word in (f"--{name}", value))]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start, and wait until it answers."""
        self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 20
        with redis.Redis.from_url(self.url) as client:
            while True:
                try:
                    client.ping()
                    return
                except redis.ConnectionError:
                    assert time.monotonic() < deadline
                    time.sleep(0.05)

    def stop(self) -> None:
        """End it as a machine that fails would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

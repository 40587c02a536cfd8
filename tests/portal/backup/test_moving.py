"""Moving house: real commands, from SQLite to PostgreSQL and back, with other keys on every machine."""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from django.db import connection
from psycopg import sql

from common import env
from tests.base import Cast
from tests.factories import OutboxRowFactory
from tests.instance import database_url
from tests.portal.backup.conftest import PASSPHRASE, content_of, without_backups

POSTGRES_URL = os.environ.get("TEST_POSTGRES_URL") or "postgres://postgres@127.0.0.1:5432/postgres"

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]


class Machine:
    """An instance of its own: a database, keys, and the commands as an operator gives them."""

    def __init__(self, folder: Path, database_url: str, **environment: str) -> None:
        folder.mkdir()
        self.environment = {
            "PATH": os.environ["PATH"],
            "ENV_FILE": os.devnull,
            "DATA_DIR": str(folder),
            "DATABASE_URL": database_url,
            "BACKUP_PASSPHRASE": PASSPHRASE,
            **environment,
        }
        if not environment:
            subprocess.run([sys.executable, "-m", "portal.keys"], cwd=env.ROOT, env=self.environment, check=True)

    def start(self, *words: object) -> subprocess.Popen[str]:
        command = [sys.executable, "manage.py", *map(str, words)]
        return subprocess.Popen(
            command, cwd=env.ROOT, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def run(self, *words: object) -> str:
        process = self.start(*words)
        printed, complaints = process.communicate(timeout=120)
        assert process.returncode == 0, complaints
        return printed


@pytest.fixture
def here(tmp_path: Path) -> Machine:
    """The machine of the test's own database."""
    keys = {name: os.environ[name] for name in ("SECRET_KEY", "FIELD_ENCRYPTION_KEYS")}
    return Machine(tmp_path / "here", database_url(), **keys)


@pytest.fixture
def postgres() -> Iterator[str]:
    """A new database on PostgreSQL."""
    name = f"portal_moving_{secrets.token_hex(4)}"
    try:
        server = psycopg.connect(POSTGRES_URL, autocommit=True, connect_timeout=5)
    except psycopg.Error:
        pytest.skip("no PostgreSQL answers")
    with server:
        server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        yield f"{POSTGRES_URL.rpartition('/')[0]}/{name}"
        server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def test_from_sqlite_to_postgresql_and_back(full: Cast, here: Machine, tmp_path: Path, postgres: str) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("begins on SQLite")
    there = Machine(tmp_path / "there", postgres)
    home = Machine(tmp_path / "home", f"sqlite:///{tmp_path / 'home.sqlite3'}")
    one, two, three = (tmp_path / name for name in ("one", "two", "three"))

    here.run("backup", one)
    there.run("migrate", "--verbosity", "0")
    there.run("restore", one)
    assert " 0 added " in there.run("restore", one)
    there.run("backup", two)
    home.run("migrate", "--verbosity", "0")
    home.run("restore", two)
    home.run("backup", three)

    assert without_backups(content_of(three)) == without_backups(content_of(one))


def test_a_restore_that_is_killed_has_changed_nothing(full: Cast, here: Machine, tmp_path: Path) -> None:
    OutboxRowFactory.create(body=os.urandom(300_000))
    file, pipe = tmp_path / "file", tmp_path / "pipe"
    home = Machine(tmp_path / "home", f"sqlite:///{tmp_path / 'home.sqlite3'}")
    here.run("backup", file)
    home.run("migrate", "--verbosity", "0")

    os.mkfifo(pipe)
    process = home.start("restore", pipe)
    with pipe.open("wb", buffering=0) as slow:
        slow.write(file.read_bytes()[:-1])  # returns when nearly all of it is read
        time.sleep(1)
        process.send_signal(signal.SIGKILL)
        process.communicate()
    printed = home.run("restore", file)

    assert not [line for line in printed.splitlines()[1:] if line.split()[0] == "0"], printed


def test_a_new_database_is_told_to_be_migrated_first(full: Cast, here: Machine, tmp_path: Path) -> None:
    file, home = tmp_path / "file", Machine(tmp_path / "home", f"sqlite:///{tmp_path / 'home.sqlite3'}")
    here.run("backup", file)
    process = home.start("restore", file)
    _, complaints = process.communicate(timeout=60)

    assert process.returncode == 1
    assert complaints == "CommandError: migrations are not applied\n"

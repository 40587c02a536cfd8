"""Where benchmarks run: databases, a folder for data, and Django over both; all of it goes with the process.

The databases are made on the PostgreSQL server that BENCH_POSTGRES_URL names. What is measured runs in processes of
its own, and all of it on this machine: absolute figures say little, what counts are ratios between things that were
measured in the same run.
"""

from __future__ import annotations

import atexit
import os
import secrets
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
from cryptography.fernet import Fernet
from psycopg import sql

SERVER = os.environ.get("BENCH_POSTGRES_URL") or "postgres://postgres@127.0.0.1:5432/postgres"


def make() -> None:
    """Make the place, and tell this process and those that it starts where it is."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # what was made and started goes, as after ctrl-C
    name = f"portal_bench_{os.getpid()}"
    folder = Path(tempfile.mkdtemp(prefix="portal-bench-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    (folder / "static").mkdir()
    (folder / "environment").touch()
    try:
        _execute("CREATE DATABASE {}", name)
    except psycopg.Error as error:
        sys.exit(
            f"The benchmarks make databases of their own; {_shown(SERVER)} does not let them: {str(error).strip()}\n"
            "Name a PostgreSQL server and a role that may create databases: BENCH_POSTGRES_URL=postgres://user@host/db."
        )
    atexit.register(_execute, "DROP DATABASE {} WITH (FORCE)", name)
    os.environ.update(
        PORTAL_BENCH="1",
        DATABASE_URL=_address(name),
        DATA_DIR=str(folder),
        ENV_FILE=str(folder / "environment"),
        SECRET_KEY=secrets.token_urlsafe(50),
        FIELD_ENCRYPTION_KEYS=Fernet.generate_key().decode(),
        DJANGO_SETTINGS_MODULE="portal.settings",
        LOG_LEVEL="WARNING",
    )

    import django  # with the settings named
    from django.core.management import call_command
    from django.db import connection

    django.setup()
    call_command("migrate", verbosity=0)
    connection.close()
    connection.close_pool()  # type: ignore[attr-defined]  # of PostgreSQL's: nobody may look on while it is copied
    atexit.register(_execute, "DROP DATABASE IF EXISTS {} WITH (FORCE)", _copy(name))
    _execute("CREATE DATABASE {} TEMPLATE {}", _copy(name), name)


def address() -> str:
    """The address of the database that Django has here."""
    return os.environ["DATABASE_URL"]


@contextmanager
def database(suffix: str, *, empty: bool = False) -> Iterator[str]:
    """The address of a further database for as long as the block lasts: with the portal's tables, or ``empty``."""
    here = urlsplit(address()).path.lstrip("/")
    name = f"{here}_{suffix}"
    _execute("CREATE DATABASE {} TEMPLATE {}", name, "template1" if empty else _copy(here))
    try:
        yield _address(name)
    finally:
        _execute("DROP DATABASE {} WITH (FORCE)", name)


def _copy(name: str) -> str:
    """The name of the database that further ones are copied from: the tables, and nothing in them."""
    return f"{name}_empty"


def _execute(statement: str, *names: str) -> None:
    with psycopg.connect(SERVER, autocommit=True) as connection:
        connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))  # constants


def _address(name: str) -> str:
    return urlunsplit(urlsplit(SERVER)._replace(path=f"/{name}"))


def _shown(url: str) -> str:
    """The address, without a password."""
    parts = urlsplit(url)
    return f"{parts.hostname}:{parts.port or 5432}"

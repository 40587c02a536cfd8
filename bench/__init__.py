"""Benchmarks that anyone can run: ``make bench-events``, or ``python -m bench.intake`` and so on.

Importing this package, as ``python -m bench.…`` does, makes the place where they run: an empty database on the
PostgreSQL server that BENCH_POSTGRES_URL names, a folder for data, and Django over both. All of it goes with the
process. What is measured runs in processes of its own, and all of it on this machine: absolute figures say little, what
counts are ratios between things that were measured in the same run.
"""

from __future__ import annotations

import atexit
import os
import secrets
import shutil
import tempfile
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
from cryptography.fernet import Fernet
from psycopg import sql

if "PORTAL_BENCH" not in os.environ:  # the processes that a benchmark starts inherit what it made
    _server = os.environ.get("BENCH_POSTGRES_URL") or "postgres://postgres@127.0.0.1:5432/postgres"
    _name = f"portal_bench_{os.getpid()}"
    _folder = Path(tempfile.mkdtemp(prefix="portal-bench-"))
    (_folder / "static").mkdir()
    (_folder / "environment").touch()

    def _execute(statement: str) -> None:
        with psycopg.connect(_server, autocommit=True) as connection:
            connection.execute(sql.SQL(statement).format(sql.Identifier(_name)))  # constants

    _execute("CREATE DATABASE {}")
    atexit.register(_execute, "DROP DATABASE {} WITH (FORCE)")
    atexit.register(shutil.rmtree, _folder, ignore_errors=True)
    os.environ.update(
        PORTAL_BENCH="1",
        DATABASE_URL=urlunsplit(urlsplit(_server)._replace(path=f"/{_name}")),
        DATA_DIR=str(_folder),
        ENV_FILE=str(_folder / "environment"),
        SECRET_KEY=secrets.token_urlsafe(50),
        FIELD_ENCRYPTION_KEYS=Fernet.generate_key().decode(),
        DJANGO_SETTINGS_MODULE="portal.settings",
        LOG_LEVEL="WARNING",
    )

    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)

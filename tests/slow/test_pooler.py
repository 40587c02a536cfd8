"""The time-out of reads holds behind PgBouncer, which shares connections between transactions."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from django.conf import settings

from tests.instance import free_port

pytestmark = pytest.mark.skipif(
    shutil.which("pgbouncer") is None or not settings.DATABASES["default"]["ENGINE"].startswith("common.postgresql"),
    reason="needs PostgreSQL, and PgBouncer (on Debian: apt install pgbouncer)",
)

_CONFIGURATION = """
[databases]
* = host={host} port={port} user={user}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {listen}
auth_type = any
pool_mode = transaction
default_pool_size = 2
max_prepared_statements = 100
"""

#: In a process of its own, whose settings name the pooler.
_READ = """
import time, django; django.setup()
from django.db import connection, OperationalError
from common.errors import unavailable
from common.query_timeout import limited_reads
connection.ensure_connection()
for number in range(2):
    start = time.monotonic()
    try:
        with limited_reads():
            if number:
                connection.fetch_prepared(b"SELECT pg_sleep(30)::text", [])
            else:
                connection.cursor().execute("SELECT pg_sleep(30)")
    except OperationalError as error:
        print(type(unavailable(error)).__name__, round(time.monotonic() - start))
connection.cursor().execute("SELECT pg_sleep(3)")
print("went on")
"""


@pytest.fixture
def pooler(tmp_path: Path) -> Iterator[int]:
    """The port of a PgBouncer before the test's server."""
    given = settings.DATABASES["default"]
    listen = free_port()
    host, port, user = given["HOST"] or "127.0.0.1", given["PORT"] or 5432, given["USER"] or "postgres"
    text = _CONFIGURATION.format(host=host, port=port, user=user, listen=listen)
    if " 1.2" not in subprocess.run(["pgbouncer", "--version"], check=True, capture_output=True, text=True).stdout:
        text = text.replace("max_prepared_statements = 100\n", "")
    file = tmp_path / "pgbouncer.ini"
    file.write_text(text)
    tmp_path.chmod(0o755)
    for folder in tmp_path.parents:
        if folder.name.startswith("pytest"):
            folder.chmod(0o755)
    started = subprocess.Popen(["pgbouncer", "-u", "nobody", str(file)], stderr=subprocess.DEVNULL)
    try:
        for _ in range(50):
            try:
                psycopg.connect(f"postgres://{user}@127.0.0.1:{listen}/postgres").close()
                break
            except psycopg.OperationalError:
                time.sleep(0.1)
        yield listen
    finally:
        started.terminate()
        started.wait(10)


def test_a_read_ends_behind_a_pooler_and_nothing_else_does(pooler: int) -> None:
    url = f"postgres://postgres@127.0.0.1:{pooler}/postgres"
    environment = {
        **os.environ,
        "DATABASE_URL": url,
        "READ_TIMEOUT_SECONDS": "1",
        "DJANGO_SETTINGS_MODULE": "tests.settings",
    }
    done = subprocess.run(
        [sys.executable, "-c", _READ], check=False, capture_output=True, text=True, env=environment, timeout=60
    )

    assert done.stdout.split("\n")[:3] == ["TimedOut 1", "TimedOut 1", "went on"], done.stderr

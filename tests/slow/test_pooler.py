"""Behind PgBouncer, which shares connections between transactions: the time-out of reads, and prepared statements."""

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

#: Threads that share two connections of the pooler's: what one has prepared, another one runs.
_ASK = """
import threading, django; django.setup()
from django.db import connection, transaction
faults = []
def ask(number):
    try:
        for n in range(60):
            with connection.cursor() as cursor:
                cursor.execute("SELECT %s::int", [n])
            connection.fetch_prepared(b"SELECT $1::text || '%d'" % (100 * number + n), ["a"])
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SELECT %s::text", [n])
    except Exception as error:
        faults.append(error)
    finally:
        connection.close()
threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(len(faults), {type(fault.__cause__ or fault).__name__ for fault in faults})
connection.ensure_connection()
print(connection.settings_dict["DISABLE_SERVER_SIDE_CURSORS"], connection.connection.prepared is None)
"""


@pytest.fixture
def pooler(tmp_path: Path) -> Iterator[int]:
    """The port of a PgBouncer before the test's server."""
    given = settings.DATABASES["default"]
    listen = free_port()
    host, port, user = given["HOST"] or "127.0.0.1", given["PORT"] or 5432, given["USER"] or "postgres"
    text = _CONFIGURATION.format(host=host, port=port, user=user, listen=listen)
    if " 1.2" not in version():
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
    assert run(_READ, pooler) == ["TimedOut 1", "TimedOut 1", "went on"]


def test_statements_are_prepared_only_where_the_pooler_knows_them(pooler: int) -> None:
    """Debian 12 has PgBouncer 1.18, which hands a connection on with whatever others have prepared there."""
    knows = " 1.18" not in version()

    assert run(_ASK, pooler) == ["0 set()", f"True {not knows}"]


def version() -> str:
    return subprocess.run(["pgbouncer", "--version"], check=True, capture_output=True, text=True).stdout


def run(code: str, pooler: int) -> list[str]:
    """What a process behind the pooler prints."""
    url = f"postgres://postgres@127.0.0.1:{pooler}/postgres"
    environment = {
        **os.environ,
        "DATABASE_URL": url,
        "READ_TIMEOUT_SECONDS": "1",
        "DJANGO_SETTINGS_MODULE": "tests.settings",
    }
    done = subprocess.run(
        [sys.executable, "-c", code], check=False, capture_output=True, text=True, env=environment, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()

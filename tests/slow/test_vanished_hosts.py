"""A host, or the way to it, vanishes without a word: its locks are free in seconds, and nobody waits for it."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg
import pytest
from django.db import connection

from common import env
from tests.factories import PixelFactory
from tests.instance import Instance
from tests.slow.network import Host, Network
from tests.slow.servers import private_postgres

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

#: Without a word of each other, either side ends a connection by then.
SECONDS = 30

_LOCKS = """
import sys, django; django.setup()
from django.db import transaction
from pixels.models import Pixel
with transaction.atomic():
    print(len(Pixel.objects.select_for_update()), flush=True)
    sys.stdin.read()
"""
_ASKS = """
import django; django.setup()
from django.db import OperationalError, connection
try:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(600)")
except OperationalError:
    print("told", flush=True)
"""


@contextmanager
def process(host: Host, folder: Path, url: str, code: str) -> Iterator[subprocess.Popen[str]]:
    """A process of the portal's on the host, which runs that code."""
    environment = Instance(folder, "http://127.0.0.1:9", DATABASE_URL=url).environment
    pipe = subprocess.PIPE
    with host.entered():
        command = [sys.executable, "-c", code]
        started = subprocess.Popen(command, cwd=env.ROOT, env=environment, stdin=pipe, stdout=pipe, text=True)
    try:
        yield started
    finally:
        started.kill()
        started.communicate()


def test_either_side_notices_that_the_other_has_vanished(tmp_path: Path) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite is on no other host")
    PixelFactory.create()
    with Network() as network, ExitStack() as stack:
        store, host = network.add("store"), network.add("host")
        postgres = stack.enter_context(private_postgres(store))
        database = stack.enter_context(psycopg.connect(postgres.socket_url, autocommit=True))
        locks = stack.enter_context(process(host, tmp_path, postgres.url, _LOCKS))
        asks = stack.enter_context(process(host, tmp_path, postgres.url, _ASKS))
        assert locks.stdout
        assert locks.stdout.readline() == "1\n"
        wait_for_question(database)

        network.pull(host)

        database.execute("SELECT set_config('lock_timeout', %s, false)", [f"{SECONDS}s"])
        database.execute("SELECT id FROM pixels_pixel FOR UPDATE")
        assert asks.communicate(timeout=SECONDS)[0] == "told\n"


def wait_for_question(database: psycopg.Connection[tuple[int]]) -> None:
    asked = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%' AND state = 'active'"
    deadline = time.monotonic() + 60
    while database.execute(asked).fetchone() != (1,):
        assert time.monotonic() < deadline
        time.sleep(0.1)

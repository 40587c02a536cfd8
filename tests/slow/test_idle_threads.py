"""Bursts, and quiet in which the server ends its threads: no process ends, no request is refused, nothing is kept."""

from __future__ import annotations

import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from django.db import connection

from events.models import OutboxRow
from tests.base import tenant
from tests.factories import PixelFactory
from tests.instance import Instance, children, web_with
from tests.slow.load import Ask, events_for, send

THREADS = 8
#: The shortest that the server takes.
IDLE_SECONDS = 5
WEB = web_with(f"web.IDLE_SECONDS = {IDLE_SECONDS}")


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_the_server_outlives_the_threads_that_it_ends(tmp_path: Path) -> None:
    pixel = PixelFactory.create(tenant=tenant("Shoes"))
    asks = [events_for(pixel.pixel_id), Ask("GET", "/auth/login/"), Ask("GET", "/healthz")]
    answered = 0
    with Instance(
        tmp_path, "http://127.0.0.1:9", DJANGO_SETTINGS_MODULE="tests.served", WEB_THREADS=THREADS
    ) as instance:
        instance.start_web(WEB)
        (worker,) = children(instance.pid("web"))

        for burst_number in range(3):
            if burst_number:
                # Threads end; half of that time later, at the latest, what they worked with is closed.
                time.sleep(1.5 * IDLE_SECONDS + 2)
                assert children(instance.pid("web")) == [worker], instance.log("web")
                if connection.vendor == "sqlite":
                    assert open_files(worker, str(connection.settings_dict["NAME"])) == 0
            statuses = burst(instance.url, asks)
            answered += statuses.count(202)
            # On PostgreSQL no other status than these also says that the pool is whole: it has two connections more
            # than there are threads.
            assert set(statuses) == {200, 202}

    assert OutboxRow.objects.count() == answered == 3 * THREADS


def burst(url: str, asks: list[Ask]) -> list[int]:
    """The answers to as many requests of each kind at once as the server has threads."""

    def ask(number: int) -> int:
        with httpx.Client(base_url=url, timeout=20) as client:
            return send(client, "burst", asks[number % len(asks)]).status

    count = THREADS * len(asks)
    with ThreadPoolExecutor(count) as callers:
        return list(callers.map(ask, range(count)))


def open_files(pid: int, name: str) -> int:
    """How often a process has a file open."""
    return sum(os.path.realpath(each) == name for each in Path(f"/proc/{pid}/fd").iterdir())

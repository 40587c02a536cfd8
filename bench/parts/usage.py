"""Refreshing the accounts' usage when 10 of 20,000 had events, and when these 10 are all there are.

    python -m bench.parts.usage

is the worker's part, on DATABASE_URL: it runs the task some times and prints its median time in milliseconds.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from statistics import median

import django

from bench import place
from bench.fill import fill_database
from bench.report import Result, Row
from bench.rounds import Effort, ratio
from bench.rounds import measure as measure_rounds

BUSY, MANY = 10, 20_000
MINUTES = 60
TIMES = 50
AT_MOST = 1.5


def measure(effort: Effort) -> list[Result]:
    """The task on two databases, in turn."""
    with place.database("few") as few, place.database("many") as many:
        for url, accounts in ((few, BUSY), (many, MANY)):
            fill_database(url, accounts, busy=BUSY, minutes=MINUTES)
        things: dict[str, Callable[[], float]] = {
            f"{accounts:,} accounts": partial(_milliseconds, url) for url, accounts in ((few, BUSY), (many, MANY))
        }
        for thing in things.values():
            thing()  # what had events once falls to nought
        found = measure_rounds(things, effort.rounds)
    small, large = found
    row = Row(
        f"refreshing usage, {BUSY} of {large} had events",
        f"{small} in all",
        AT_MOST,
        ratio(found[large], found[small]),
        at_most=True,
    )
    return [Result("Usage", [row], "ms", {name: median(times) for name, times in found.items()})]


def _milliseconds(url: str) -> float:
    command = [sys.executable, "-m", "bench.parts.usage"]
    said = subprocess.run(command, check=True, stdout=subprocess.PIPE, env={**os.environ, "DATABASE_URL": url}).stdout
    return float(said)


def _refresh() -> float:
    from django.db import connection  # when Django is ready

    from events.tasks import refresh_usage

    refresh_usage()
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE accounts_usagesnapshot")
    times = []
    for _ in range(TIMES):
        start = time.monotonic()
        refresh_usage()
        times.append(time.monotonic() - start)
    return median(times) * 1_000


if __name__ == "__main__":
    django.setup()
    print(_refresh())

"""This version beside an earlier one: ``make bench ARGS="intake drain graphql --beside COMMIT"``.

Each version runs from a folder of its own, with its own packages, on a database that it made itself. Both are measured
in turn, in every round, and what counts is the median of the rounds' ratios: the machine's mood falls on both alike.
Nothing is known of a version but its commands, its addresses and the name of the outbox.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import httpx
import psycopg
from django.conf import settings

from bench import answers, load, place, servers, stage
from bench.fill import account_id
from bench.report import Result, figure_table, table
from bench.rounds import Effort, Rounds, ratio
from bench.rounds import measure as measure_rounds
from scripts.checkouts import ROOT, checkout, python_of, run
from tests.instance import free_port

ACCOUNTS = 200
SIZES = (1, 100)
PIXELS = [str(880_000_000_000_001 + number) for number in range(6)]
#: The least rounds whose median says something of a few per cent.
ROUNDS = 5
MARGIN = 0.1

#: Of this process's variables; bench/place.py sets them.
_INHERITED = ("PATH", "ENV_FILE", "SECRET_KEY", "FIELD_ENCRYPTION_KEYS", "LOG_LEVEL")
_PREPARE = """
import json, sys
import django
django.setup()
from bench.stage import make_pixel
for pixel_id in json.loads(sys.argv[1]):
    make_pixel(pixel_id)
"""
_WORKER = "import json, django; django.setup(); from portal.run import WORKER; print(json.dumps(WORKER))"


@dataclass(frozen=True, slots=True)
class Version:
    """A version that serves, and how to reach it."""

    tree: Path
    environment: Mapping[str, str]
    url: str
    token: str
    worker: list[str]

    @property
    def database(self) -> str:
        """The address of its database."""
        return self.environment["DATABASE_URL"]


def measure(commit: str, parts: list[str], effort: Effort) -> None:
    """Measure both, and print the ratios: this version over the other."""
    trees = {"this": ROOT, commit: checkout(commit)}
    rounds = max(effort.rounds, ROUNDS)
    found: dict[str, Rounds] = {}
    with ExitStack() as stack:
        versions = {
            name: stack.enter_context(_serve(tree, f"beside_{number}"))
            for number, (name, tree) in enumerate(trees.items())
        }
        for work, rate in _works(parts, effort).items():
            found[work] = measure_rounds({name: partial(rate, one) for name, one in versions.items()}, rounds)
            print(f"{work}: {ratio(found[work]['this'], found[work][commit]).median:.2f} ×", flush=True)
    print(f"\n{_ratios(found, commit)}\n{_figures(found)}", flush=True)


def _works(parts: list[str], effort: Effort) -> dict[str, Callable[[Version], float]]:
    works: dict[str, Callable[[Version], float]] = {}
    if "graphql" in parts:
        works["A: Get Account"] = partial(_ask, "/hub/graphql/", answers.ACCOUNT, effort.seconds)
        works["B: 50 pixel connections"] = partial(_ask, "/capig/graphql/", answers.PIXELS, effort.seconds)
    for size in SIZES:
        if "intake" in parts:
            works[f"intake, {size} a request"] = partial(_take_in, size, effort.seconds)
    for size in SIZES:
        if "drain" in parts:
            works[f"drain, {size} a request"] = partial(_drain, size, effort.events // 3)
    return works


@contextmanager
def _serve(tree: Path, name: str) -> Iterator[Version]:
    """The version on a database of its own, filled, and its web server."""
    port = free_port()
    with place.database(name, empty=True) as database:
        folder = Path(settings.DATA_DIR) / name
        (folder / "static").mkdir(parents=True)
        limits = dict.fromkeys(("API_RATE_LIMIT", "ADDRESS_RATE_LIMIT", "PIXEL_RATE_LIMIT"), "1000000/s")
        environment = {
            **{
                key: os.environ[key] for key in ("PATH", "ENV_FILE", "SECRET_KEY", "FIELD_ENCRYPTION_KEYS", "LOG_LEVEL")
            },
            **limits,
            "PORTAL_BENCH": "1",
            "DJANGO_SETTINGS_MODULE": "portal.settings",
            "DATABASE_URL": database,
            "DATA_DIR": str(folder),
            "PORT": str(port),
            "BASE_URL": "http://localhost:8000",
            "WEB_WORKERS": str(servers.CORES),
        }
        python = python_of(tree)
        run([python, "manage.py", "migrate", "--no-input", "--verbosity", "0"], tree, environment)
        run([python, "-m", "bench.fill", str(ACCOUNTS), "--busy", str(ACCOUNTS), "--minutes", "1"], tree, environment)
        run([python, "-c", _PREPARE, json.dumps([stage.PIXEL_ID, *PIXELS])], tree, environment)
        worker = json.loads(run([python, "-c", _WORKER], tree, environment).splitlines()[-1])
        with stage.sink() as graph_api, ExitStack() as stack:
            environment["GRAPH_API_URL"] = graph_api
            web = stack.enter_context(_process([python, "-m", "portal.serve"], tree, environment))
            url = servers.when_up(web, port)
            yield Version(tree, environment, url, _token(tree, url, environment), worker)


def _token(tree: Path, url: str, environment: Mapping[str, str]) -> str:
    printed = run([python_of(tree), "manage.py", "create_api_account", "Bench"], tree, dict(environment))
    secret = re.search(r'"client_secret": *"([^"]+)"', printed)
    assert secret is not None, printed
    form = {"grant_type": "client_credentials", "client_id": "Bench", "client_secret": secret[1]}
    token: str = httpx.post(f"{url}/clients/token", data=form).raise_for_status().json()["access_token"]
    return token


@contextmanager
def _process(command: list[str], tree: Path, environment: Mapping[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    with (Path(environment["DATA_DIR"]) / "said").open("ab") as said:
        started = subprocess.Popen(
            command, cwd=tree, env=dict(environment), start_new_session=True, stdout=said, stderr=said
        )
    try:
        yield started
    finally:
        started.terminate()
        with suppress(subprocess.TimeoutExpired):
            started.wait(20)
        started.kill()
        started.wait()


def _ask(path: str, document: str, seconds: float, version: Version) -> float:
    bodies = [
        json.dumps({"query": document, "variables": {"tenantId": account_id(number)}}).encode()
        for number in range(1, ACCOUNTS + 1)
    ]
    return load.post_well(version.url + path, *bodies, seconds=seconds, token=version.token).rate


def _take_in(size: int, seconds: float, version: Version) -> float:
    url = f"{version.url}/capi/{stage.PIXEL_ID}/events"
    rate = load.post_well(url, stage.body_of(size), seconds=seconds).rate * size
    _sql(version, "TRUNCATE events_outboxrow CASCADE")
    return rate


def _drain(size: int, events: int, version: Version) -> float:
    """Take in, repeat what waits until it is so many events, and let two workers publish it."""
    for pixel_id in PIXELS:
        load.post_well(f"{version.url}/capi/{pixel_id}/events", stage.body_of(size), seconds=1)
    columns = ", ".join(
        name
        for (name,) in _sql(
            version,
            "SELECT column_name FROM information_schema.columns WHERE table_name = 'events_outboxrow'"
            " AND is_identity = 'NO' AND is_generated = 'NEVER' AND table_schema = 'public' ORDER BY ordinal_position",
        )
    )
    times = -(-events // _waiting(version)) - 1
    _sql(
        version,
        f"INSERT INTO events_outboxrow ({columns}) SELECT {columns} FROM events_outboxrow, generate_series(1, {times})",  # noqa: S608
    )
    _sql(version, "ANALYZE events_outboxrow")
    command = [part if part != sys.executable else python_of(version.tree) for part in version.worker]
    with (
        _process(command, version.tree, version.environment),
        _process([part for part in command if part != "--beat"], version.tree, version.environment),
    ):
        total = _waiting(version)
        while (then := _waiting(version)) > total * (1 - MARGIN):  # nobody's start counts
            time.sleep(0.1)
        start = time.monotonic()
        while _waiting(version):
            time.sleep(0.05)
        return then / (time.monotonic() - start)


def _waiting(version: Version) -> int:
    return int(_sql(version, "SELECT coalesce(sum(event_count), 0) FROM events_outboxrow")[0][0])


def _sql(version: Version, statement: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(version.database, autocommit=True) as connection:
        cursor = connection.execute(statement.encode())
        return cursor.fetchall() if cursor.description else []


def _ratios(found: Mapping[str, Rounds], commit: str) -> str:
    rows = []
    for work, rounds in found.items():
        reached = ratio(rounds["this"], rounds[commit])
        rows.append((work, f"{reached.median:.2f} ×", f"{reached.least:.2f}–{reached.greatest:.2f}"))
    return table(("work", f"beside {commit}", "spread"), rows)


def _figures(found: Mapping[str, Rounds]) -> str:
    figures = {f"{work}, {name}": median(rates) for work, rounds in found.items() for name, rates in rounds.items()}
    return figure_table(Result("Figures", [], "a second", figures))

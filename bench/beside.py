"""This version beside an earlier one: ``make bench ARGS="intake drain graphql --beside COMMIT"``.

Each version runs from a folder of its own, with its own packages, on a database that it made itself. Both are measured
in turn, in every round, and what counts is the median of the rounds' ratios: the machine's mood falls on both alike.
On a busy machine, the processor time of the version's own processes says more than how much they do in a second: it is
told beside. Nothing is known of a version but its commands, its addresses and the name of the outbox.
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
from typing import Any, NamedTuple

import httpx
import psycopg
from django.conf import settings

from bench import answers, load, place, servers, stage
from bench.fill import account_id
from bench.report import Result, figure_table, table
from bench.rounds import Effort, Ratio, ratio
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
    #: The process group of its web server.
    web: int

    @property
    def database(self) -> str:
        """The address of its database."""
        return self.environment["DATABASE_URL"]


class Pace(NamedTuple):
    """How fast a version works."""

    #: Requests or events a second.
    rate: float
    #: For each of them, seconds of the processor.
    cost: float


#: Of each version, a round each.
Paces = dict[str, list[Pace]]


def measure(commit: str, parts: list[str], effort: Effort) -> None:
    """Measure both, and print the ratios: this version over the other."""
    trees = {"this": ROOT, commit: checkout(commit)}
    rounds = max(effort.rounds, ROUNDS)
    found: dict[str, Paces] = {}
    with ExitStack() as stack:
        versions = {
            name: stack.enter_context(_serve(tree, f"beside_{number}"))
            for number, (name, tree) in enumerate(trees.items())
        }
        for work, pace in _works(parts, effort).items():
            found[work] = measure_rounds({name: partial(pace, one) for name, one in versions.items()}, rounds)
            print(" ".join(_ratios(work, found[work], commit)), flush=True)
    head = ("work", f"beside {commit}", "spread", "by processor time", "spread")
    rows = [_ratios(work, paces, commit) for work, paces in found.items()]
    print(f"\n{table(head, rows)}\n{_figures(found)}", flush=True)


def _works(parts: list[str], effort: Effort) -> dict[str, Callable[[Version], Pace]]:
    works: dict[str, Callable[[Version], Pace]] = {}
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
            yield Version(tree, environment, url, _token(tree, url, environment), worker, web.pid)


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


def _post(version: Version, path: str, bodies: list[bytes], seconds: float, *, size: int = 1, token: str = "") -> Pace:
    """Post the bodies, each of which holds so many events, or one question."""
    before = servers.processor_time(version.web)
    done = load.post_well(version.url + path, *bodies, seconds=seconds, token=token)
    spent = servers.processor_time(version.web) - before
    return Pace(done.rate * size, spent / (done.requests * size))


def _ask(path: str, document: str, seconds: float, version: Version) -> Pace:
    bodies = [
        json.dumps({"query": document, "variables": {"tenantId": account_id(number)}}).encode()
        for number in range(1, ACCOUNTS + 1)
    ]
    return _post(version, path, bodies, seconds, token=version.token)


def _take_in(size: int, seconds: float, version: Version) -> Pace:
    pace = _post(version, f"/capi/{stage.PIXEL_ID}/events", [stage.body_of(size)], seconds, size=size)
    _sql(version, "TRUNCATE events_outboxrow CASCADE")
    return pace


def _drain(size: int, events: int, version: Version) -> Pace:
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
        _process(command, version.tree, version.environment) as one,
        _process([part for part in command if part != "--beat"], version.tree, version.environment) as other,
    ):
        total = _waiting(version)
        while (then := _waiting(version)) > total * (1 - MARGIN):  # nobody's start counts
            time.sleep(0.1)
        start, before = time.monotonic(), _spent(one, other)
        while _waiting(version):
            time.sleep(0.05)
        return Pace(then / (time.monotonic() - start), (_spent(one, other) - before) / then)


def _spent(*processes: subprocess.Popen[bytes]) -> float:
    return sum(servers.processor_time(process.pid) for process in processes)


def _waiting(version: Version) -> int:
    return int(_sql(version, "SELECT coalesce(sum(event_count), 0) FROM events_outboxrow")[0][0])


def _sql(version: Version, statement: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(version.database, autocommit=True) as connection:
        cursor = connection.execute(statement.encode())
        return cursor.fetchall() if cursor.description else []


def _ratios(work: str, paces: Paces, commit: str) -> tuple[str, ...]:
    ours, theirs = paces["this"], paces[commit]
    rates = ratio([one.rate for one in ours], [one.rate for one in theirs])
    costs = ratio([one.cost for one in theirs], [one.cost for one in ours])
    return work, *_shown(rates), *_shown(costs)


def _shown(one: Ratio) -> tuple[str, str]:
    return f"{one.median:.2f} ×", f"{one.least:.2f}–{one.greatest:.2f}"


def _figures(found: Mapping[str, Paces]) -> str:
    figures = {
        f"{work}, {name}": median(pace.rate for pace in of_version)
        for work, paces in found.items()
        for name, of_version in paces.items()
    }
    return figure_table(Result("Figures", [], "a second", figures))

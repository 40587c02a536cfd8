"""Does an instance of an earlier version upgrade in place, and answer as before? ``make upgrade FROM=COMMIT`` tells.

An instance is made by the code of that commit: demo data, an API account, events that wait. Its answers are written
down, over every API and page (``scripts/answers.py``). Then this version migrates a copy of the same database, and is
asked the same with the clock at the same moment. Every line that differs is printed once, with how many answers it is
in. Of another copy, rows are compared (``scripts/kept.py``): before and after the migration, and after workers' tasks
have sent what waits to a sandbox. It is done on SQLite, and on PostgreSQL where TEST_POSTGRES_URL answers.
``--to COMMIT`` upgrades to that version instead of this one: it tells which commit a difference came with.
"""

from __future__ import annotations

import argparse
import difflib
import json
import os
import re
import secrets
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

from scripts import kept
from scripts.checkouts import ROOT, checkout, python_of, run

SERVER = os.environ.get("TEST_POSTGRES_URL") or "postgres://postgres@127.0.0.1:5432/postgres"
PASSWORD = secrets.token_urlsafe(12)
#: So many wait for a pixel while the version changes, and for a gateway source, where there is one.
EVENTS = 3


def main() -> int:
    """0 where nothing differs."""
    parser = argparse.ArgumentParser()
    parser.add_argument("commit", help="the version that is upgraded")
    parser.add_argument("--to", help="the version that it is upgraded to; without it, this one")
    parser.add_argument("--expect", type=Path, help="a list of regular expressions: lines that may differ")
    arguments = parser.parse_args()
    expected = [re.compile(line) for line in arguments.expect.read_text().splitlines()] if arguments.expect else []
    failed = []
    old, new = checkout(arguments.commit), checkout(arguments.to) if arguments.to else ROOT
    with tempfile.TemporaryDirectory(prefix="portal-upgrade-") as folder:
        for name, make_database in {"SQLite": _sqlite, "PostgreSQL": _postgresql}.items():
            print(f"=== {name}", flush=True)
            place = Path(folder) / name
            place.mkdir()
            with make_database(place) as copies:
                if copies is None:
                    print("No server answers at TEST_POSTGRES_URL.")
                elif not compare(old, new, place, copies, expected):
                    failed.append(name)
    print(f"Differs on: {', '.join(failed)}" if failed else "Nothing differs.")
    return 1 if failed else 0


def compare(old: Path, new: Path, place: Path, copies: dict[str, str], expected: list[re.Pattern[str]]) -> bool:
    """Make the instance, ask both versions, print what differs; does nothing?"""
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": os.environ.get("HOME", "/"),
        "ENV_FILE": os.devnull,
        "DATA_DIR": str(place),
        "DATABASE_URL": copies["old"],
        "PORTAL_PASSWORD": PASSWORD,
        "PORTAL_ADMIN_EMAIL": "host@example.com",
        "HOST_EMAIL": "host@example.com",
        "EMAIL_URL": "dummy:",
        "LOG_LEVEL": "ERROR",
        "ADDRESS_RATE_LIMIT": "0",
        "API_RATE_LIMIT": "0",
    }
    environment |= make_instance(old, environment)
    at = (datetime.now(UTC) + timedelta(minutes=2)).replace(second=30, microsecond=0).isoformat()
    answers = {}
    copy, drained = copies["copy"], copies["drained"]  # before anything is asked: answering writes, too
    keeps = _keeps(old, new, place, {**environment, "DATABASE_URL": drained})
    for version, tree, url in (("before", old, copies["old"]), ("after", new, copy)):
        there = {**environment, "DATABASE_URL": url}
        if version == "after":
            _migrate(tree, there)
            run([python_of(tree), "manage.py", "collectstatic", "--no-input", "--verbosity", "0"], tree, there)
        out = place / f"{version}.json"
        ask = ["--ask", str(place / "before.json")] if version == "after" else []
        run([python_of(tree), str(ROOT / "scripts" / "answers.py"), str(out), "--at", at, *ask], tree, there)
        answers[version] = json.loads(out.read_text(encoding="utf-8"))
    return _tell(list(zip(answers["before"], answers["after"], strict=True)), expected) and keeps


def _migrate(tree: Path, environment: dict[str, str]) -> None:
    run([python_of(tree), "manage.py", "migrate", "--no-input", "--verbosity", "0"], tree, environment)


def _keeps(old: Path, new: Path, place: Path, environment: dict[str, str]) -> bool:
    """Migrate the copy and work off what waits; print what is lost by row; is nothing?"""

    def rows(tree: Path, *more: str) -> dict[str, Any]:
        out = place / "rows.json"
        run([python_of(tree), str(ROOT / "scripts" / "rows.py"), str(out), *more], tree, environment)
        written: dict[str, Any] = json.loads(out.read_text(encoding="utf-8"))
        return written

    before = rows(old)["tables"]
    _migrate(new, environment)
    migrated = rows(new)["tables"]
    drained = rows(new, "--drain")
    lost = [
        *kept.changed_by_migration(before, migrated),
        *kept.lost_by_draining(migrated, drained["tables"], drained["published"]),
    ]
    print(*lost, kept.told(migrated, drained["tables"], drained["published"]), sep="\n", flush=True)
    return not lost


def _tell(pairs: list[tuple[dict[str, Any], dict[str, Any]]], expected: list[re.Pattern[str]]) -> bool:
    """Print which answers differ, and each line that differs once; does none?"""
    asked: Counter[str] = Counter(before["asked"]["as"] for before, _ in pairs)
    differing: Counter[str] = Counter()
    lines: Counter[str] = Counter()
    examples: dict[str, str] = {}
    for before, after in pairs:
        changed = _changes(before["answer"], after["answer"], expected)
        differing[before["asked"]["as"]] += bool(changed)
        for line in set(changed):
            lines[line] += 1
            examples.setdefault(line, json.dumps(before["asked"])[:200])
    for line, number in lines.most_common():
        print(f"{number:4} × {line[:400]}    in {examples[line]}")
    for kind, number in asked.items():
        print(f"{differing[kind]} of {number} answers to the {kind} differ.")
    return not lines


_DESCRIBE = """
import json
from accounts.models import Membership
from pixels.models import Pixel
pixel = Pixel.objects.filter(event_bridge_active=True).order_by("pixel_id").first()
person = Membership.objects.filter(tenant=pixel.tenant, level="admin").first().user
known = {"TENANT_ID": pixel.tenant_id, "PIXEL_ID": pixel.pixel_id, "ADVERTISER_EMAIL": person.email}
try:
    from pipelines.models import Source
except ImportError:  # versions before pipelines
    pass
else:
    known |= {"SOURCE_ID": source.source_id for source in Source.objects.order_by("pk")[:1]}
print(json.dumps(known))
"""
_SEND = """
import json, os, time
from io import BytesIO
from portal.wsgi import application
event = {"event_name": "Purchase", "event_time": int(time.time()), "action_source": "website",
         "event_id": os.environ["EVENT_ID"], "event_source_url": "https://shop.example/",
         "user_data": {"client_user_agent": "A", "em": "a" * 64}, "custom_data": {"currency": "EUR", "value": 9.5}}
body = json.dumps({"data": [event]}).encode()
environ = {"REQUEST_METHOD": "POST", "PATH_INFO": f"/capi/{os.environ['OWNER_ID']}/events", "QUERY_STRING": "",
           "SERVER_NAME": "localhost", "SERVER_PORT": "8000", "HTTP_HOST": "localhost:8000", "REMOTE_ADDR": "127.0.0.1",
           "CONTENT_LENGTH": str(len(body)), "CONTENT_TYPE": "application/json", "wsgi.url_scheme": "http",
           "wsgi.input": BytesIO(body), "SERVER_PROTOCOL": "HTTP/1.1", "SCRIPT_NAME": ""}
answers = []
application(environ, lambda status, headers, *_: answers.append(status))
assert answers == ["202 Accepted"], answers
"""


def make_instance(tree: Path, environment: dict[str, str]) -> dict[str, str]:
    """Make an instance with demo data, an API account and events that wait; return what the questions need of it."""
    python = python_of(tree)
    run([python, "-m", "portal.keys"], tree, environment)
    for command in (
        "migrate --no-input --verbosity 0",
        "collectstatic --no-input --verbosity 0",
        "first_start",
        "demo",
    ):
        run([python, "manage.py", *command.split()], tree, environment)
    printed = run([python, "manage.py", "create_api_account", "Upgrade"], tree, environment)
    secret = re.search(r'"client_secret": *"([^"]+)"', printed)
    assert secret is not None, printed  # noqa: S101  # nosec B101
    known = {"CLIENT_SECRET": secret[1]}
    known |= json.loads(run([python, "manage.py", "shell", "--no-imports", "-c", _DESCRIBE], tree, environment))
    for owner_id in filter(None, (known["PIXEL_ID"], known.get("SOURCE_ID"))):
        for number in range(EVENTS):
            given = {"DJANGO_SETTINGS_MODULE": "portal.settings", "EVENT_ID": f"waits-{number}", "OWNER_ID": owner_id}
            run([python, "-c", _SEND], tree, environment | known | given)
    return known


class _Copies(dict[str, str]):
    """The databases' addresses; a copy is made of the old one at the moment when it is asked for."""

    def __init__(self, old: str, copy: Any) -> None:
        super().__init__(old=old)
        self._copy = copy

    def __missing__(self, key: str) -> str:
        self[key] = self._copy(key)
        return self[key]


@contextmanager
def _sqlite(place: Path) -> Iterator[_Copies]:
    def copy(name: str) -> str:
        backup = f"import sqlite3; a = sqlite3.connect('old.db'); a.backup(sqlite3.connect('{name}.db'))"
        run([sys.executable, "-c", backup], place)
        return f"sqlite:///{place / name}.db"

    yield _Copies(f"sqlite:///{place / 'old.db'}", copy)


@contextmanager
def _postgresql(place: Path) -> Iterator[_Copies | None]:
    try:
        server = psycopg.connect(SERVER, autocommit=True, connect_timeout=5)
    except psycopg.Error:
        yield None
        return
    old, *others = names = [f"portal_upgrade_{os.getpid()}_{one}" for one in ("old", "copy", "drained")]

    def address(name: str) -> str:
        return urlunsplit(urlsplit(SERVER)._replace(path=f"/{name}"))

    def copy(key: str) -> str:
        name = next(one for one in others if one.endswith(key))
        server.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(*map(sql.Identifier, (name, old))))
        return address(name)

    with server:
        server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(old)))
        try:
            yield _Copies(address(old), copy)
        finally:
            for name in names:
                server.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def _changes(before: dict[str, Any], after: dict[str, Any], expected: list[re.Pattern[str]]) -> list[str]:
    """The lines that are not in both, but for those that may differ."""
    if before == after:
        return []
    compared = difflib.unified_diff(_lines(before), _lines(after), lineterm="", n=0)
    changed = [line for line in list(compared)[2:] if not line.startswith("@@")]
    changed = changed or ["~ white space alone"]
    return [line for line in changed if not any(pattern.search(line) for pattern in expected)]


def _lines(answer: dict[str, Any]) -> list[str]:
    body = answer["body"]
    if "json" in answer["type"]:
        body = json.dumps(json.loads(body), indent=1) if body else ""
    return [f"{answer['status']} {answer['location']} {answer['type']}", *body.splitlines()]


if __name__ == "__main__":
    sys.exit(main())

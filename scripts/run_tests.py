"""Run the suite on every database that is there, and say at the end which ones these were.

Arguments go to pytest. ``TEST_POSTGRES_URL`` names the PostgreSQL server (the tests make a database of their own on
it); with ``TEST_REQUIRE_POSTGRES=1`` it is an error that none answers. Where there is a Chromium (``CHROMIUM``, or on
the path) the pages are tested in it; with ``TEST_REQUIRE_CHROMIUM=1`` it is an error that there is none.
So it is with Firefox, in which ``make test-slow`` tries the pixel (``FIREFOX``, ``TEST_REQUIRE_FIREFOX=1``).
"""

from __future__ import annotations

import os
import sqlite3
import subprocess  # nosec B404  # the commands are ours
import sys
from pathlib import Path

import psycopg
import pytest

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.browser import chromium, firefox  # noqa: E402  # found from here

POSTGRES_URL = os.environ.get("TEST_POSTGRES_URL") or "postgres://postgres@127.0.0.1:5432/postgres"
POSTGRES_REQUIRED = os.environ.get("TEST_REQUIRE_POSTGRES", "") not in ("", "0")


def postgres_version() -> str | None:
    """The version of the server at POSTGRES_URL, or nothing where none answers."""
    try:
        with psycopg.connect(POSTGRES_URL, connect_timeout=5) as connection:
            version = connection.info.server_version
    except psycopg.Error:
        return None
    return f"{version // 10_000}.{version % 10_000}"


def run_suite(name: str, database_url: str, arguments: list[str]) -> bool:
    """Run pytest on one database; is all well?"""
    print(f"\n=== {name}", flush=True)
    command = [sys.executable, "-m", "pytest", "-n", "auto", *arguments]
    environment = {**os.environ, "DATABASE_URL": database_url}
    code = subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode  # noqa: S603  # nosec B603
    if code == pytest.ExitCode.NO_TESTS_COLLECTED:
        print("No test is of this kind.")
    return code in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED)


def main() -> int:
    """Run the suite on each database; 0 where all of them are well."""
    databases = {f"SQLite {sqlite3.sqlite_version}": ""}
    if version := postgres_version():
        databases[f"PostgreSQL {version}"] = POSTGRES_URL
    failed = []
    for number, (name, url) in enumerate(databases.items()):
        # A browser sees the same pages whatever the database: once is enough, and it takes longest.
        once = [] if number == 0 else ["--ignore=tests/browser"]
        if not run_suite(name, url, [*once, *sys.argv[1:]]):
            failed.append(name)
    print(f"\nRan on: {', '.join(databases)}")
    for path, missing in (
        (chromium.find_chromium(), chromium.MISSING),
        (firefox.find_firefox(), firefox.MISSING),
    ):
        print(f"In the browser: {path or f'not tested, since there is {missing}'}")
    if version is None:
        print(f"Not on PostgreSQL{', which is required' * POSTGRES_REQUIRED}: none answers at TEST_POSTGRES_URL.")
    if failed:
        print(f"Failed on: {', '.join(failed)}")
    return 1 if failed or (version is None and POSTGRES_REQUIRED) else 0


if __name__ == "__main__":
    sys.exit(main())

"""SQLite: nobody else can read its files, what was deleted is not in them, and Django warns of nothing."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection, connections

SECRET = "a-visitor-who-was-forgotten"

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "sqlite", reason="is about SQLite"),
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A data folder that others may read, as an operator may have made it."""
    folder = tmp_path / "data"
    folder.mkdir(mode=0o755)
    return folder


@pytest.fixture
def database(folder: Path) -> Iterator[Any]:
    """A connection, by the settings, to a database there."""
    config = settings.DATABASES["default"] | {"NAME": folder / "portal.sqlite3"}
    opened = type(connections["default"])(config | {"TIME_ZONE": None}, "default")
    yield opened
    opened.close()


def fill(database: Any) -> None:
    with database.cursor() as cursor:
        cursor.execute("CREATE TABLE visitors (id INTEGER PRIMARY KEY, name TEXT)")
        cursor.execute("INSERT INTO visitors (name) VALUES (%s)", [SECRET])
        cursor.executemany("INSERT INTO visitors (name) VALUES (%s)", [[SECRET * 9] for _ in range(2_000)])


def modes(folder: Path) -> dict[str, int]:
    return {file.name: stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()}


def test_a_new_database_is_private_in_an_open_folder(folder: Path, database: Any) -> None:
    fill(database)

    assert modes(folder) == dict.fromkeys(("portal.sqlite3", "portal.sqlite3-wal", "portal.sqlite3-shm"), 0o600)


def test_one_that_others_could_read_is_closed_to_them(folder: Path, database: Any) -> None:
    (folder / "portal.sqlite3").touch()
    (folder / "portal.sqlite3").chmod(0o644)

    fill(database)

    assert set(modes(folder).values()) == {0o600}


def test_one_that_was_opened_to_a_group_stays_so(folder: Path, database: Any) -> None:
    (folder / "portal.sqlite3").touch()
    (folder / "portal.sqlite3").chmod(0o660)

    fill(database)

    assert modes(folder)["portal.sqlite3"] == 0o660


def test_what_was_deleted_is_in_no_file(folder: Path, database: Any) -> None:
    fill(database)
    with database.cursor() as cursor:
        cursor.execute("DELETE FROM visitors")
        cursor.execute("PRAGMA wal_checkpoint")  # as SQLite does every 1,000 pages
        cursor.execute("INSERT INTO visitors (name) VALUES ('somebody')")  # which begins the log anew

    for file in folder.glob("portal.sqlite3*"):
        assert SECRET.encode() not in file.read_bytes(), file.name


def test_the_first_start_warns_of_nothing() -> None:
    call_command("check", databases=["default"], fail_level="WARNING")

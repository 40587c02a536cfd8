"""What ``manage.py backup`` and ``manage.py restore`` refuse, and what they say of it."""

from __future__ import annotations

import stat
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from cryptography.fernet import Fernet
from django.core.management import CommandError
from django.db import connection
from pytest_django import Settings

from accounts.models import Tenant
from portal.backup import command
from tests.base import Cast, snapshot
from tests.portal.backup.conftest import Run, content_of, empty

pytestmark = pytest.mark.django_db(transaction=True)


def changed(file: Path, change: Callable[[bytes], bytes]) -> None:
    file.write_bytes(change(file.read_bytes()))


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda content: content[:-1], "damaged or was cut short"),
        (lambda content: content[:-20] + b"x" * 20, "damaged or was cut short"),
        (lambda content: content + b"x", "damaged or was cut short"),
        (lambda content: content.replace(b'"version": ', b'"version": 9'), "newer version"),
        (lambda content: b"SQLite format 3\0" + content, "not a backup"),
        (lambda content: b"", "not a backup"),
    ],
)
def test_a_file_that_was_tampered_with_changes_nothing(
    full: Cast, run: Run, file: Path, change: Callable[[bytes], bytes], why: str
) -> None:
    run("backup", file)
    empty()
    changed(file, change)
    before = snapshot()
    with pytest.raises(CommandError, match=why):
        run("restore", file)

    assert snapshot() == before


def test_a_wrong_passphrase_changes_nothing(full: Cast, run: Run, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run("backup", file)
    empty()
    monkeypatch.setenv("BACKUP_PASSPHRASE", "another passphrase")
    with pytest.raises(CommandError, match="not the passphrase"):
        run("restore", file)

    assert not Tenant.objects.exists()


def test_a_short_passphrase_is_refused(run: Run, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BACKUP_PASSPHRASE", "elevenchars")
    with pytest.raises(CommandError, match="at least 12 characters"):
        run("backup", file)

    assert not file.exists()


def test_without_a_passphrase_it_is_told_where_one_is_given(
    run: Run, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("BACKUP_PASSPHRASE")
    with pytest.raises(CommandError, match="--passphrase-file"):
        run("backup", file)


def test_the_passphrase_may_be_in_a_file(full: Cast, run: Run, file: Path, tmp_path: Path) -> None:
    secret = tmp_path / "passphrase"
    secret.write_text("the line of a file\nnot this one\n")
    run("backup", file, passphrase_file=secret)

    assert content_of(file, "the line of a file")


def test_no_file_is_overwritten_unasked(full: Cast, run: Run, file: Path) -> None:
    file.write_text("precious")
    with pytest.raises(CommandError, match="exists already"):
        run("backup", file)
    assert file.read_text() == "precious"

    run("backup", file, "--force")
    assert content_of(file)


def test_only_the_operator_can_read_the_file(full: Cast, run: Run, file: Path) -> None:
    run("backup", file)

    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_backup_that_fails_leaves_no_file(full: Cast, run: Run, file: Path, settings: Settings) -> None:
    settings.FIELD_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    with pytest.raises(CommandError, match="FIELD_ENCRYPTION_KEYS"):
        run("backup", file)

    assert list(file.parent.iterdir()) == []


@pytest.mark.parametrize("command", ["backup", "restore"])
def test_a_file_that_cannot_be_opened_is_told_in_a_sentence(run: Run, tmp_path: Path, command: str) -> None:
    with pytest.raises(CommandError, match="No such file or directory"):
        run(command, tmp_path / "nowhere" / "file")


def test_both_commands_say_which_database_they_work_on(run: Run, full: Cast, file: Path) -> None:
    name = connection.settings_dict["NAME"]
    wanted = f"SQLite database {name}" if connection.vendor == "sqlite" else f"PostgreSQL database {name} on "

    assert run("backup", file).startswith(f"Reading the {wanted}")
    assert run("restore", file, dry_run=True).startswith(f"Restoring into the {wanted}")


def test_nobodys_password_is_told_with_the_database(monkeypatch: pytest.MonkeyPatch) -> None:
    given = {"NAME": "portal", "HOST": "db.example.com", "PORT": 6432, "USER": "ada", "PASSWORD": "secret"}
    monkeypatch.setattr(command, "connection", SimpleNamespace(vendor="postgresql", settings_dict=given))

    assert command.database() == "the PostgreSQL database portal on db.example.com, port 6432"

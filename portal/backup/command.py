"""What the commands ``backup`` and ``restore`` share: the passphrase, and how rows are told."""

from __future__ import annotations

import getpass
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection

from common.env import Password, Variables
from common.secrets import UndecryptableError
from portal import health
from portal.backup.sealed import BackupError
from portal.backup.tables import TABLES

PASSPHRASE_MIN_LENGTH = 12
_VARIABLE = "BACKUP_PASSPHRASE"


class BackupVariables(Variables):
    """The passphrase, for scripts; a person is asked."""

    BACKUP_PASSPHRASE: Password | None = None


class BackupCommand(BaseCommand):
    """A command that ends with a sentence, and exit code 1, where it cannot do its work."""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", metavar="FILE", type=Path)
        parser.add_argument(
            "--passphrase-file",
            type=Path,
            help=f"Its first line is the passphrase; else {_VARIABLE}, else it is asked.",
        )

    def execute(self, *args: Any, **options: Any) -> Any:
        try:
            health.check_database()
            return super().execute(*args, **options)
        except (BackupError, health.Unhealthy, UndecryptableError) as error:
            raise CommandError(str(error)) from None
        except OSError as error:
            raise CommandError(f"{options['file']}: {error.strerror or error}") from None


def read_passphrase(file: Path | None, *, is_new: bool) -> str:
    """The passphrase; raises BackupError where there is none, or where a new one is short."""
    if file is not None:
        given = (file.read_text("utf-8").splitlines() or [""])[0]
    elif (set_one := BackupVariables().BACKUP_PASSPHRASE) and set_one.strip():
        given = set_one
    elif sys.stdin.isatty():
        given = _asked(is_new=is_new)
    else:
        raise BackupError(f"No passphrase: name a file with --passphrase-file, or set {_VARIABLE}.")
    if is_new and len(given) < PASSPHRASE_MIN_LENGTH:
        raise BackupError(f"The passphrase must have at least {PASSPHRASE_MIN_LENGTH} characters.")
    return given


def _asked(*, is_new: bool) -> str:
    given = getpass.getpass("Passphrase: ")
    if is_new and getpass.getpass("Once more: ") != given:
        raise BackupError("The two passphrases differ.")
    return given


def database() -> str:
    """Which database the command works on, in words; nobody's password is among them."""
    given = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"the SQLite database {given['NAME']}"
    return f"the PostgreSQL database {given['NAME']} on {given['HOST'] or 'this machine'}, port {given['PORT'] or 5432}"


def names() -> dict[str, str]:
    """What people call the rows of each table."""
    return {table.label: str(table.model._meta.verbose_name_plural) for table in TABLES}

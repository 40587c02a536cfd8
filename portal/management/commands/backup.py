"""``manage.py backup FILE``."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any
from uuid import uuid4

from django.core.management.base import CommandParser

from accounts.audit import MAKE_BACKUP, record
from accounts.principals import OPERATOR
from portal.backup.command import BackupCommand, database, names, read_passphrase
from portal.backup.dump import dump
from portal.backup.load import name_of
from portal.backup.sealed import BackupError


class Command(BackupCommand):
    """Writes all accounts, people, pixels, filters, waiting events and figures to an encrypted file."""

    help = "Writes an encrypted backup to FILE, while the portal runs. `manage.py restore` reads it, on any database."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--force", action="store_true", help="Replace FILE if it exists.")

    def handle(self, *args: Any, file: Path, force: bool = False, **options: Any) -> None:
        self.stdout.write(f"Reading {database()}.")
        passphrase = read_passphrase(options["passphrase_file"], is_new=True)
        backup_id = str(uuid4())
        with _whole_file(file, replace=force) as stream:
            # First: whenever this is killed, there is no file that the audit log here does not tell of.
            record(OPERATOR, MAKE_BACKUP, name_of(backup_id))
            counts = dump(stream, passphrase, backup_id)
        for label, name in names().items():
            self.stdout.write(f"{counts[label]:>12,}  {name}")
        self.stdout.write(f"{file} is written. Nobody can read it without the passphrase: keep that elsewhere.")


@contextmanager
def _whole_file(file: Path, *, replace: bool) -> Iterator[IO[bytes]]:
    """A new file that only this user can read: there when all is written, and not before."""
    taken = BackupError(f"{file} exists already: name another file, or replace it with --force.")
    if file.exists() and not replace:
        raise taken
    descriptor, draft = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}-")
    try:
        with os.fdopen(descriptor, "wb") as stream:
            yield stream
            stream.flush()
            os.fsync(descriptor)
        if replace:
            Path(draft).replace(file)
        else:
            try:
                _name(Path(draft), file)
            except FileExistsError:
                raise taken from None
    finally:
        Path(draft).unlink(missing_ok=True)


def _name(draft: Path, file: Path) -> None:
    """Give the draft its name; raises FileExistsError where that is taken, which a renaming would not."""
    try:
        os.link(draft, file)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links: take the name first, then rename
        os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        draft.replace(file)

"""``manage.py restore FILE``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from portal.backup.command import BackupCommand, database, names, read_passphrase
from portal.backup.load import WITHHELD, restore


class Command(BackupCommand):
    """Adds what a backup has and this portal lacks."""

    help = "Adds what the backup in FILE has and this portal lacks: what is here already stays as it is."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--dry-run", action="store_true", help="Check the file and tell what would be added.")
        parser.add_argument(
            "--with-api-accounts", action="store_true", help="Add the API accounts that were deleted here, too."
        )

    def handle(
        self, *args: Any, file: Path, dry_run: bool = False, with_api_accounts: bool = False, **options: Any
    ) -> None:
        self.stdout.write(f"Restoring into {database()}.")
        with file.open("rb") as stream:
            passphrase = read_passphrase(options["passphrase_file"], is_new=False)
            report = restore(stream, passphrase, dry_run=dry_run, with_api_accounts=with_api_accounts)
        self.stdout.write(f"Backup of {report.made_at}")
        for label, name in names().items():
            self.stdout.write(f"{report.added[label]:>12,} added {report.skipped[label]:>12,} left out  {name}")
        for label, count in report.withheld.items():
            self.stdout.write(f"Left out: {count:,} {names()[label]} {WITHHELD[label]}")
        if report.is_held:
            self.stdout.write(
                "Nothing is registered with Meta, nor removed there, until a host admin allows it: Host settings,"
                " Registration with Meta."
            )
        if dry_run:
            self.stdout.write("Nothing was changed.")

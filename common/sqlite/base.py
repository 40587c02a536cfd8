"""The backend, as Django finds it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from django.db.backends.sqlite3 import base

#: What belongs to everybody else on the machine, in a file's mode.
_OTHERS = 0o007


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's, but that its files are this user's alone, wherever they are.

    SQLite makes the database by the process's umask, mostly for everybody to read; its other files are made like it.
    """

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """A connection to a file that is private; tests have databases in memory, by an address."""
        if not self.is_in_memory_db():
            _make_private(Path(conn_params["database"]))
        return super().get_new_connection(conn_params)


def _make_private(database: Path) -> None:
    """Make the file, if there is none; take from it, and from SQLite's beside it, what others may do.

    What is closed to others, but open to a group, somebody has chosen so.
    """
    if not database.exists() and database.parent.is_dir():
        os.close(os.open(database, os.O_CREAT | os.O_RDWR, 0o600))
    for name in (database.name, f"{database.name}-wal", f"{database.name}-shm", f"{database.name}-journal"):
        file = database.with_name(name)
        if file.exists() and file.stat().st_mode & _OTHERS:
            file.chmod(0o600)

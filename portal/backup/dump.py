"""Writing a backup: all tables as they are at one moment, row by row, whatever their size."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO, Any

import msgspec
from allauth.mfa.models import Authenticator
from django.db import connection, models, transaction

from accounts.second_factors import revealed
from common.secrets import Secret
from portal.backup.sealed import SealedWriter
from portal.backup.tables import TABLES, Table

#: Rows that are held at once; of those with a body, which may have megabytes, a few.
_CHUNK = 1_000
_CHUNK_WITH_BODIES = 10


def _reveal(value: object) -> str:
    if isinstance(value, Secret):
        return value.reveal()
    raise NotImplementedError(f"A backup cannot hold a {type(value).__name__}.")


_encoder = msgspec.json.Encoder(enc_hook=_reveal)


def dump(stream: IO[bytes], passphrase: str, backup_id: str) -> dict[str, int]:
    """Write a backup to the stream; returns how many rows it has of which table.

    The audit log tells of the backup already: so all backups of an instance know of the first one.

    Raises UndecryptableError where a stored secret cannot be read.
    """
    counts = {}
    sealed = SealedWriter(stream, passphrase, backup_id)
    with _snapshot(), gzip.GzipFile(fileobj=sealed, mode="wb", compresslevel=6) as lines:
        for table in TABLES:
            names = [path for column in table.columns for path in column.paths]
            lines.write(_encoder.encode({"table": table.label, "columns": names}) + b"\n")
            counts[table.label] = 0
            for row in _rows(table, names):
                lines.write(_encoder.encode(row) + b"\n")
                counts[table.label] += 1
    sealed.finish()
    return counts


def _rows(table: Table, names: list[str]) -> Iterator[tuple[Any, ...]]:
    has_bodies = any(isinstance(field, models.BinaryField) for field in table.fields)
    rows = table.model._base_manager.order_by("pk").values_list(*names)
    found = rows.iterator(chunk_size=_CHUNK_WITH_BODIES if has_bodies else _CHUNK)
    return map(_second_factor(names), found) if table.model is Authenticator else found


def _second_factor(names: list[str]) -> Callable[[tuple[Any, ...]], tuple[Any, ...]]:
    place = names.index("data")
    return lambda row: (*row[:place], revealed(row[place]), *row[place + 1 :])


@contextmanager
def _snapshot() -> Iterator[None]:
    """All that is read within is of one moment, and nobody waits for it."""
    if connection.vendor == "postgresql":
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            yield
        return
    with connection.cursor() as cursor:  # not atomic(), which takes SQLite's one lock for writing
        cursor.execute("BEGIN DEFERRED")
        try:
            yield
        finally:
            cursor.execute("ROLLBACK")

"""Restoring a backup: rows are added, none is overwritten; all of it or, where anything is wrong, nothing."""

from __future__ import annotations

import gzip
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import IO, Any
from uuid import UUID

import msgspec
from allauth.mfa.models import Authenticator
from django.db import DatabaseError, connection, models, transaction
from django.db.models import Max, Q

from accounts.audit import FORGET_PERSON, MAKE_BACKUP, RESTORE_BACKUP, record
from accounts.models import ApiAccount, AuditEntry, IngressDomain, Membership, Tenant, User
from accounts.principals import OPERATOR
from accounts.second_factors import sealed
from events.figures.counting import Tally
from events.gateway.cursors import follow_all_pipelines
from events.models import DeadLetter, OutboxRow
from events.registration.registrar import hold_restored
from pipelines.models import Destination, Source
from pixels.models import Pixel
from portal.backup.sealed import BackupError, SealedReader
from portal.backup.tables import REFERENCES, TABLES, Column, Model, Table

#: Rows that are added at once, and the bytes of the file at which it is time.
_BATCH_ROWS = 500
_BATCH_BYTES = 4_000_000

Record = dict[str, Any]
#: What tells a row from others of its table on any instance: the values of its REFERENCES.
Name = tuple[Any, ...]

#: Why rows that are not here did not come either, for the operator.
WITHHELD = {
    User._meta.label_lower: "who were forgotten here: invite them anew.",
    Membership._meta.label_lower: "of people and accounts that are here already: what was revoked stays revoked.",
    ApiAccount._meta.label_lower: "that may have been revoked here: --with-api-accounts adds them.",
    OutboxRow._meta.label_lower: "that this portal has dealt with: it knows a backup of the same origin.",
    DeadLetter._meta.label_lower: "that this portal has dealt with: it knows a backup of the same origin.",
}

_TABLES = {table.label: table for table in TABLES}


@dataclass
class Report:
    """What a restore did: rows by table."""

    made_at: str = ""
    added: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    skipped: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    #: Of those that were skipped: not here, and left out all the same (WITHHELD).
    withheld: dict[str, int] = field(default_factory=dict)

    @property
    def is_held(self) -> bool:
        """Has the instance pixels now that another one may have registered with Meta?"""
        return self.added[Pixel._meta.label_lower] > 0


def restore(stream: IO[bytes], passphrase: str, *, dry_run: bool = False, with_api_accounts: bool = False) -> Report:
    """Add what the backup has and the database lacks. Raises BackupError, and then has changed nothing.

    API accounts come into a new instance that has none; ``with_api_accounts`` adds them anywhere.
    """
    reader = SealedReader(stream, passphrase)
    try:
        with transaction.atomic():
            restoring = _Restore(reader.id, reader.version, with_api_accounts=with_api_accounts)
            report = restoring.run(gzip.GzipFile(fileobj=reader))
            if report.is_held:
                hold_restored()
            follow_all_pipelines()
            if any(report.added.values()):
                record(OPERATOR, RESTORE_BACKUP, name_of(reader.id))
            transaction.set_rollback(dry_run)
    except DatabaseError as error:
        # Its words may hold personal data.
        raise BackupError(f"The database refused a row ({type(error).__name__}). Nothing was changed.") from error
    report.made_at = reader.made_at
    return report


def name_of(backup_id: str) -> str:
    """How the audit log calls a backup."""
    return f"backup {backup_id}"


_TELL_OF_BACKUPS = (MAKE_BACKUP.name, RESTORE_BACKUP.name)


class _Restore:
    def __init__(self, backup_id: str, version: int, *, with_api_accounts: bool) -> None:
        self.version = version
        #: The backups that this instance has made or restored.
        self.known = set(AuditEntry.objects.filter(act__in=_TELL_OF_BACKUPS).values_list("subject", flat=True))
        #: Has it one of the same origin? What waited then has been dealt with, and what lacks was deleted.
        self.is_known = name_of(backup_id) in self.known
        self.with_api_accounts = with_api_accounts
        self.has_api_accounts = ApiAccount.objects.exists()
        #: Accounts, people and roles that this restore adds: what they have done comes with them.
        self.new: dict[Model, set[Name]] = {Tenant: set(), User: set(), Membership: set()}
        #: The last number of each table before: rows that the file has twice come twice.
        self.newest: dict[Model, Any] = {}
        self.report = Report()

    def run(self, lines: Iterable[bytes]) -> Report:
        for table, rows in _batches(lines, self.version):
            added = self._add(table, rows)
            self.report.added[table.label] += added
            self.report.skipped[table.label] += len(rows) - added
        return self.report

    def _add(self, table: Table, rows: list[Record]) -> int:
        self._recognise(table, rows)
        # What has no key comes, or does not: the database need not be asked. Figures are most of a file.
        rows = rows if table.key else [row for row in rows if self._is_wanted(table, row)]
        rows = _with_free_ids(table, rows)
        for column in table.columns:
            if column.is_reference:
                rows = _referring(column, rows)
        instances = [(row, _instance(table, row)) for row in rows]
        existing = _existing(table, [instance for _, instance in instances], self._newest(table))
        lacking = [(row, instance) for row, instance in instances if not existing(instance)]
        new = [(row, instance) for row, instance in lacking if self._is_wanted(table, row)]
        if len(new) < len(lacking):
            self.report.withheld[table.label] = self.report.withheld.get(table.label, 0) + len(lacking) - len(new)
        if table.model in (OutboxRow, DeadLetter):
            self._count(table, new)
        if table.model is IngressDomain:
            _give_way([instance for _, instance in new])
        _insert(table, [instance for _, instance in new])
        if table.model in self.new:
            self.new[table.model].update(tuple(row[path] for path in REFERENCES[table.model]) for row, _ in new)
        return len(new)

    def _recognise(self, table: Table, rows: list[Record]) -> None:
        """The file's audit log tells which backups its instance had made or restored: does this one know any?"""
        if table.model is AuditEntry:
            subjects = {row["subject"] for row in rows if row["act"] in _TELL_OF_BACKUPS}
            self.is_known = self.is_known or not self.known.isdisjoint(subjects)

    @cached_property
    def forgotten(self) -> set[str]:
        """The ids of people who were forgotten: here, or where the file was made, whose log has been read by now."""
        return set(AuditEntry.objects.filter(act=FORGET_PERSON.name).values_list("subject", flat=True))

    def _newest(self, table: Table) -> Any:
        """The last of the numbers that the database gave to rows before this restore; None where it gives none."""
        if table.model not in self.newest:
            primary = table.model._meta.pk
            found = (
                None if primary in table.fields else table.model._base_manager.aggregate(last=Max("pk"))["last"] or 0
            )
            self.newest[table.model] = found
        return self.newest[table.model]

    def _is_wanted(self, table: Table, row: Record) -> bool:
        """May a row come that is not here? Never what may have been revoked here, or published."""
        if self.version < table.since:
            return False
        if table.comes_with:
            return any(self._came(table, reference, row) for reference in table.comes_with)
        if table.model is User:
            return str(row["id"]) not in self.forgotten
        if table.model is ApiAccount:
            return self.with_api_accounts or not (self.is_known or self.has_api_accounts)
        return table.model not in (OutboxRow, DeadLetter) or not self.is_known or self._came(table, "pixel", row)

    def _came(self, table: Table, reference: str, row: Record) -> bool:
        """Has this restore added what the row belongs to? What a pixel, source or destination did is its account's."""
        column = next(column for column in table.columns if column.field.name == reference)
        name = tuple(row[path] for path in column.paths)
        if column.field.related_model in (Pixel, Source, Destination):
            return name[1:] in self.new[Tenant]
        return name in self.new[column.field.related_model]  # type: ignore[index]

    def _count(self, table: Table, new: list[tuple[Record, Any]]) -> None:
        """Events that come into an account that was here are counted as if they came now: its counters stayed."""
        tallies: dict[int, Tally] = defaultdict(Tally)
        for row, event in new:
            if self._came(table, "pixel", row):
                continue
            if isinstance(event, OutboxRow):
                event.counted = False
                continue
            labels = event.event_name, event.website
            tallies[event.pixel_id].add(event.received_at, *labels, "received", road=event.road)
            tallies[event.pixel_id].add(
                event.failed_at, *labels, "failed", received_at=event.received_at, road=event.road
            )
        for pixel_pk, tally in tallies.items():
            tally.write(pixel_pk)


def _give_way(domains: list[Any]) -> None:
    """A domain is verified in one account only: one that is taken, here or in the file, has to be verified anew."""
    taken = set(
        IngressDomain.objects.verified()
        .filter(ingress__in=[each.ingress for each in domains])
        .values_list("ingress", flat=True)
    )
    for domain in domains:
        if domain.status == IngressDomain.Status.VERIFIED and domain.ingress in taken:
            domain.status = IngressDomain.Status.PENDING
        elif domain.status == IngressDomain.Status.VERIFIED:
            taken.add(domain.ingress)


#: Pixels and data sources have one space of ids (pixels/ids.py): for each, its column, the other, and its column.
_NAMESAKES: dict[Model, tuple[str, Model, str]] = {
    Pixel: ("pixel_id", Source, "source_id"),
    Source: ("source_id", Pixel, "pixel_id"),
}


def _with_free_ids(table: Table, rows: list[Record]) -> list[Record]:
    """The rows without those whose id something of the other kind has here."""
    if table.model not in _NAMESAKES:
        return rows
    own, other, its = _NAMESAKES[table.model]
    wanted = [row[own] for row in rows]
    taken = set(other._base_manager.filter(**{f"{its}__in": wanted}).values_list(its, flat=True))
    return [row for row in rows if row[own] not in taken]


def _batches(lines: Iterable[bytes], version: int) -> Iterator[tuple[Table, list[Record]]]:
    """The file's rows by table, a few at a time."""
    table = TABLES[0]
    names: list[str] = []
    rows: list[Record] = []
    size = 0
    for line in lines:
        read = msgspec.json.decode(line)
        is_heading = isinstance(read, dict)
        if rows and (is_heading or len(rows) >= _BATCH_ROWS or size >= _BATCH_BYTES):
            yield table, rows
            rows, size = [], 0
        if is_heading:
            table, names = _heading(read, version)
        else:
            rows.append(dict(zip(names, read, strict=True)))
            size += len(line)
    if rows:
        yield table, rows


def _heading(read: Record, version: int) -> tuple[Table, list[str]]:
    table = _TABLES.get(read["table"])
    known = {path for column in table.columns for path in column.paths} if table else set()
    if table is None or not known.issuperset(read["columns"]):
        raise BackupError("The backup was made by a newer version: update this portal first. Nothing was changed.")
    return table, table.names_now(read["columns"], version)


def _referring(column: Column, rows: list[Record]) -> list[Record]:
    """Put in the number, in this database, of what each row refers to; rows whose counterpart is not here go."""
    related: Model = column.field.related_model  # type: ignore[assignment]
    paths = REFERENCES[related]
    # Files of before the column have no value for it.
    wanted = {row.get(column.paths[0]) for row in rows}
    here = related._base_manager.filter(**{f"{paths[0]}__in": wanted}).values_list("pk", *paths)
    # As the file has them, in which a UUID is a text.
    pks: dict[Name, Any] = {
        tuple(str(each) if isinstance(each, UUID) else each for each in name): pk for pk, *name in here
    }
    nothing = (None,) * len(paths)
    if column.field.null:
        pks[nothing] = None
    found = []
    for row in rows:
        name = tuple(row.get(path) for path in column.paths)
        if name in pks or (related is User and column.field.null):  # who made it may have been forgotten since
            row[column.field.attname] = pks.get(name)
            found.append(row)
    return found


def _instance(table: Table, row: Record) -> models.Model:
    values = {}
    for column in table.columns:
        name = column.field.attname
        if name in row:
            values[name] = row[name] if column.is_reference else _value(column.field, row[name])
    if table.model is Authenticator:
        values["data"] = sealed(values["data"])
    return table.model(**values)


def _value(column: models.Field[Any, Any], read: Any) -> Any:
    """From JSON to what Python knows; a secret stays a text, which its column seals with this portal's key."""
    return read if isinstance(column, models.JSONField | models.TextField) else column.to_python(read)


def _existing(table: Table, instances: list[models.Model], newest: Any) -> Any:
    """Which of the rows were here, up to the newest number, as a question: by their key, or by the id they bring."""
    here: set[Name] = set()
    primary = table.model._meta.pk
    keys = [[_attname(table, name) for name in table.key]] if table.key else []
    if primary in table.fields and not primary.is_relation and keys != [[primary.attname]]:
        keys.append([primary.attname])
    for key in keys:
        here |= {(*key, *map(_comparable, values)) for values in _matching(table, key, instances, newest)}
    return lambda instance: any((*key, *(_comparable(getattr(instance, name)) for name in key)) in here for key in keys)


def _matching(table: Table, key: list[str], instances: list[models.Model], newest: Any) -> Iterable[tuple[Any, ...]]:
    """The key's values, of rows that may be the same."""
    if not instances:
        return []
    query = Q() if newest is None else Q(pk__lte=newest)
    for name in key:
        if isinstance(table.model._meta.get_field(name), models.BinaryField):
            continue
        values = {getattr(instance, name) for instance in instances}
        matches = Q(**{f"{name}__in": values - {None}})
        query &= matches | Q(**{name: None}) if None in values else matches
    return table.model._base_manager.filter(query).values_list(*key)


def _attname(table: Table, name: str) -> str:
    return table.model._meta.get_field(name).attname  # type: ignore[union-attr]


def _comparable(value: Any) -> Any:
    return bytes(value) if isinstance(value, memoryview) else value


def _insert(table: Table, instances: list[models.Model]) -> None:
    """As bulk_create does, but with the times that rows bring: that would set what is set when a row is made."""
    size = max(1, connection.ops.bulk_batch_size(table.fields, instances)) if instances else 1
    for first in range(0, len(instances), size):
        table.model._base_manager._insert(  # type: ignore[attr-defined]
            instances[first : first + size], fields=table.fields, using=connection.alias, raw=True
        )

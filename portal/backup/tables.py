"""What a backup holds: a decision for every table, which a test asks for.

Rows refer to each other by what tells them apart on any instance, such as a pixel's id at Meta, never by numbers of
this database. So they can be added to a database that has rows of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from allauth.mfa.models import Authenticator
from django.db import models

from accounts.models import (
    ApiAccount,
    AuditEntry,
    HostSettings,
    IngressDomain,
    Invitation,
    Membership,
    Tenant,
    UsageSnapshot,
    User,
)
from alerts.models import Incident, Receiver, RuleSetting, Schedule
from events.models import (
    Counter,
    DeadLetter,
    Delivery,
    DestinationCounter,
    DestinationCursor,
    DestinationIdentity,
    DestinationLane,
    DestinationLetter,
    DestinationRow,
    DisconnectedUsage,
    Finding,
    Identity,
    IdFinding,
    Lane,
    OutboxRow,
    RefusedRequest,
    Registration,
    SeenLabel,
    SourceCounter,
    SourceFinding,
    SourceIdFinding,
    SourceLabel,
    SourceLane,
    SourceRefusedRequest,
    SourceRow,
)
from filters.models import DomainFilter, EventFilter
from pipelines.models import Destination, Pipeline, PipelineDestination, PipelineSource, PixelPipeline, Source
from pixels.models import Pixel

Model = type[models.Model]

#: How rows are referred to, the most telling look-up first.
REFERENCES: dict[Model, tuple[str, ...]] = {
    Tenant: ("id",),
    User: ("email",),
    Membership: ("user__email", "tenant__id"),
    Pixel: ("pixel_id", "tenant__id"),
    Pipeline: ("uuid", "tenant__id"),
    Source: ("source_id", "tenant__id"),
    Destination: ("uuid", "tenant__id"),
}


@dataclass(frozen=True)
class Column:
    """A column, and the look-ups of its value: several for a reference."""

    field: models.Field[Any, Any]
    paths: tuple[str, ...]

    @property
    def is_reference(self) -> bool:
        """Does it refer to a row of another table?"""
        return bool(self.field.is_relation)


@dataclass(frozen=True)
class Table:
    """How a table is backed up and restored."""

    model: Model
    #: A row with the same values of these is the same row: it stays as it is.
    key: tuple[str, ...] = ()
    #: Rows are added with an account or person that one of these leads to, and left out where all were here already.
    comes_with: tuple[str, ...] = ()
    #: Columns that start anew.
    left_out: tuple[str, ...] = ()
    #: Rows of files of an earlier version (VERSION in sealed.py) are wrong, and stay behind.
    since: int = 1
    #: Columns that files of versions below the number call otherwise: the number, the name there, the name now.
    renamed: tuple[tuple[int, str, str], ...] = ()

    @cached_property
    def columns(self) -> list[Column]:
        """What a row of the file holds. The database's own numbers and what it computes stay behind."""
        return [Column(field, _paths(field)) for field in self.fields if field.name not in self.left_out]

    @cached_property
    def fields(self) -> list[models.Field[Any, Any]]:
        """The columns that are written when a row is added."""
        return [
            field
            for field in self.model._meta.concrete_fields
            if not field.generated and not isinstance(field, models.AutoField | models.BigAutoField)
        ]

    def names_now(self, names: list[str], version: int) -> list[str]:
        """What the columns of a file of that version are called now."""
        now = {then: name for below, then, name in self.renamed if version < below}
        return [now.get(name, name) for name in names]

    @property
    def label(self) -> str:
        """The table's name in the file."""
        return self.model._meta.label_lower


def _paths(field: models.Field[Any, Any]) -> tuple[str, ...]:
    if not field.is_relation:
        return (field.name,)
    return tuple(f"{field.name}__{path}" for path in REFERENCES[field.related_model])  # type: ignore[index]


#: In an order in which everything is there that a row refers to.
TABLES = (
    # The first: it tells which backups the file's instance knew, before anything is decided by it.
    Table(AuditEntry, key=("tenant_id", "at", "actor", "act", "subject")),
    Table(HostSettings, key=("id",)),
    Table(Tenant, key=("id",)),
    Table(
        IngressDomain,
        key=("tenant",),
        renamed=((3, "ingress", "target_domain"), (3, "target_domain", "ingress")),
    ),
    Table(UsageSnapshot, comes_with=("tenant",)),
    Table(DisconnectedUsage, comes_with=("tenant",)),
    Table(User, key=("email",)),
    Table(Authenticator, comes_with=("user",)),
    Table(Membership, key=("user", "tenant"), comes_with=("user", "tenant")),
    Table(Invitation, comes_with=("membership",)),
    # From where one was used is forgotten here as well.
    Table(ApiAccount, key=("name",), left_out=("last_used_from",)),
    Table(Pixel, key=("pixel_id",)),
    Table(EventFilter, key=("tenant", "pixel", "event_name")),
    Table(DomainFilter, key=("tenant", "pixel", "domain")),
    Table(PixelPipeline, comes_with=("pixel",)),
    Table(Pipeline, key=("uuid",)),
    Table(Source, key=("source_id",)),
    Table(Destination, key=("uuid",)),
    Table(PipelineSource, key=("pipeline", "source")),
    Table(PipelineDestination, key=("pipeline", "type")),
    Table(SourceLane, comes_with=("source",)),
    Table(SourceCounter, comes_with=("source",)),
    Table(SourceLabel, comes_with=("source",)),
    Table(SourceFinding, comes_with=("source",)),
    Table(SourceIdFinding, comes_with=("source",)),
    Table(SourceRefusedRequest, comes_with=("source",)),
    Table(SourceRow, comes_with=("source",)),
    Table(DestinationLane, comes_with=("destination",), left_out=("claim", "claimed_until")),
    Table(DestinationCursor, comes_with=("destination",)),
    Table(DestinationCounter, comes_with=("destination",)),
    Table(DestinationRow, comes_with=("destination",)),
    Table(DestinationLetter, comes_with=("destination",)),
    Table(DestinationIdentity, comes_with=("destination",)),
    Table(Lane, comes_with=("pixel",), left_out=("claim", "claimed_until")),
    Table(Registration, comes_with=("pixel",), left_out=("claim", "claimed_until")),
    Table(Counter, comes_with=("pixel",)),
    Table(SeenLabel, comes_with=("pixel",)),
    Table(Identity, comes_with=("pixel",), since=2),
    Table(Finding, comes_with=("pixel",)),
    Table(IdFinding, comes_with=("pixel",)),
    Table(RefusedRequest, comes_with=("pixel",)),
    Table(Delivery, comes_with=("pixel",)),
    Table(RuleSetting, key=("tenant", "pixel", "rule")),
    Table(Schedule, key=("tenant",)),
    Table(Incident, comes_with=("tenant",)),
    Table(Receiver, key=("id",)),
    Table(OutboxRow, key=("pixel", "received_at", "body")),
    Table(DeadLetter, key=("pixel", "event_name", "event_id", "received_at", "failed_at")),
)

#: What stays behind, and why.
LEFT_OUT = {
    "accounts.accesstoken": "good for ten hours: software asks for a new one",
    "pixels.pixelimport": "forgotten after minutes",
    "pixels.pixelimportrow": "forgotten after minutes",
    "events.seenid": "forgotten after two days",
    "events.sourceseenid": "forgotten after two days",
    "events.deliverybatch": "the delivery log, which may be far larger than all else, and is forgotten after days",
    "events.deliverykey": "where the delivery log is searched",
    "events.removal": "of what the other instance has registered: it removes it itself",
    "events.registrar": "what this instance is to Meta, which a copy of it is not",
    "alerts.digest": "sent by the instance that has written it; a copy would send it again",
    "alerts.notice": "told by the instance that has written it; a copy would tell it again",
    "alerts.noticedelivery": "goes with the notice",
    "alerts.posting": "what receivers answered this instance, forgotten after days",
    "alerts.pulse": "when this instance last looked for trouble",
    "portal.canary": "tells which keys and settings this instance has",
    "sessions.session": "people sign in again",
    "usersessions.usersession": "tells of sessions, which stay behind",
    "account.emailaddress": "not used: a person's address is in the person's row",
    "account.emailconfirmation": "not used",
    "admin.logentry": "not used: the audit log is the record",
    "auth.group": "not used: what people may do follows from their roles",
    "auth.permission": "made by migrations",
    "contenttypes.contenttype": "made by migrations",
}

"""Where events are counted: each kind of owner has a table of counters, and one of the labels that it has seen."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, NamedTuple

from django.db import models
from django.db.models.fields import NOT_PROVIDED

from events.models import (
    Counter,
    DestinationCounter,
    IdFinding,
    SeenId,
    SeenLabel,
    SourceCounter,
    SourceIdFinding,
    SourceLabel,
    SourceSeenId,
)
from events.models.shared import CountOfEvents

#: What one transaction deletes at most: the counters of so many owners' spans.
SPANS_AT_ONCE = 200


class Ids(NamedTuple):
    """Where event ids are remembered, and examples of what is wrong with them."""

    seen: type[models.Model]
    findings: type[models.Model]


@dataclass(frozen=True)
class Book:
    """The counters of one kind of owner. Rows are told apart by the owner, and by the rest of ``key``."""

    counter: type[CountOfEvents]
    #: The column that names the owner, in both tables.
    owner: str
    #: Where names and websites are kept for longer than minutes and hours; None where nobody asks for them.
    labels: type[models.Model] | None
    #: None where the ids that came on both roads are not compared.
    ids: Ids | None = None

    @cached_property
    def key(self) -> tuple[str, ...]:
        """What tells a row of counters from others."""
        return self.owner, "span", "dimension", "start", "label"

    @cached_property
    def _counts(self) -> dict[str, models.Field[Any, Any]]:
        fields = self.counter._meta.concrete_fields
        return {
            field.column: field
            for field in fields
            if field.column and field.column not in self.key and not field.primary_key
        }

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """What is counted: the columns that are not of the key."""
        return tuple(self._counts)

    @cached_property
    def always_named(self) -> frozenset[str]:
        """An upsert names these, since the database has no default for them."""
        return frozenset(column for column, field in self._counts.items() if field.db_default is NOT_PROVIDED)

    def delete_before(self, start: datetime, span: CountOfEvents.Span) -> None:
        """Delete the span's older counters of all owners.

        The totals have an index by time, and whatever is counted is in one: they tell where there is something old.
        """
        spans = self.counter._default_manager.filter(span=span)
        totals = spans.filter(dimension=Counter.Dimension.TOTAL, start__lt=start).order_by("start")
        while old := list(totals.values_list(self.owner, "start")[:SPANS_AT_ONCE]):
            owners, starts = map(set, zip(*old, strict=True))
            # All dimensions are named, since the index has them before the start.
            of_owners = {f"{self.owner}__in": owners, "dimension__in": Counter.Dimension.values, "start__in": starts}
            spans.filter(**of_owners).delete()

    def rows(self, owner_pk: int, **wanted: object) -> models.QuerySet[Any]:
        """The owner's counters."""
        return self.counter._default_manager.filter(**{self.owner: owner_pk}, **wanted)


PIXELS = Book(Counter, "pixel_id", SeenLabel, Ids(SeenId, IdFinding))
SOURCES = Book(SourceCounter, "source_id", SourceLabel, Ids(SourceSeenId, SourceIdFinding))
DESTINATIONS = Book(DestinationCounter, "destination_id", None)

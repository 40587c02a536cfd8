"""Events of gateway sources on their way to destinations, and what is kept of them (docs/decisions/0024-the-store.md).

A request is stored once, whatever the number of destinations that it goes to. Each of them has a cursor, a queue,
counters and dead letters of its own.
"""

from __future__ import annotations

from typing import Self, TypeVar

from django.db import models
from django.db.models import Q

from accounts.borders import Borders
from accounts.models import Tenant
from events.models import shared
from events.models.shared import LABEL_MAX_LENGTH, Intake, count_field
from pipelines.models import Destination, Source

_Row = TypeVar("_Row", bound=models.Model)


class OfSourceQuerySet(models.QuerySet[_Row]):
    """Rows of sources, within the principal's borders."""

    def visible_to(self, borders: Borders) -> Self:
        """Rows of the accounts that are open to the principal."""
        if borders.is_system:
            return self
        return self.filter(source__tenant__in=Tenant.objects.open_to(borders))


class OfDestinationQuerySet(models.QuerySet[_Row]):
    """Rows of destinations, within the principal's borders."""

    def visible_to(self, borders: Borders) -> Self:
        """Rows of the accounts that are open to the principal."""
        if borders.is_system:
            return self
        return self.filter(destination__tenant__in=Tenant.objects.open_to(borders))


def _source_left() -> models.ForeignKey[Source | None, Source | None]:
    """The source that events came from; which may be gone, and with it all pipelines from it.

    Without a constraint: whoever settles a destination's events holds its lane, and waits for nobody's source.
    """
    return models.ForeignKey(
        Source, models.DO_NOTHING, null=True, related_name="+", db_index=False, db_constraint=False
    )


class SourceRow(shared.Request):
    """One accepted request. It goes once the cursors of all destinations have passed it."""

    source = models.ForeignKey(Source, models.CASCADE, related_name="+", db_index=False)
    intake = models.PositiveSmallIntegerField(choices=Intake.choices, default=Intake.RECEIVED)
    # Where it stands among its source's requests; null until it is counted as received. Numbers of rows do not serve:
    # a lower one may be committed later, when a cursor has passed its place.
    place = models.BigIntegerField(null=True)

    objects = OfSourceQuerySet.as_manager()

    class Meta:
        verbose_name = "request of a source"
        verbose_name_plural = "requests of sources"
        indexes = [models.Index(fields=["source", "place", "id"], name="rows_of_source")]


class SourceLane(models.Model):
    """Hands out the places of a source's requests: whoever does so has locked the source."""

    source = models.OneToOneField(Source, models.CASCADE, primary_key=True, related_name="lane")
    # The last place that was handed out.
    placed = models.BigIntegerField(default=0)
    ids_levels = shared.levels_field()

    objects = OfSourceQuerySet.as_manager()

    def __str__(self) -> str:
        return f"Lane of source {self.source_id}"


class SourceCounter(shared.CountOfIds, shared.CountOfEvents):
    """How many events came from a source, each once, wherever they went."""

    source = models.ForeignKey(Source, models.CASCADE, related_name="+", db_index=False)
    # How many of those that were received lack something, as they came (events/gateway/lacking.py).
    lacks_contact = count_field()
    lacks_browser_id = count_field()
    lacks_ip_address = count_field()
    lacks_event_id = count_field()
    lacks_value = count_field()

    objects = OfSourceQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["source", "span", "dimension", "start", "label"], name="one_source_counter_row"
            ),
        ]
        indexes = [
            models.Index(fields=["span", "start", "source"], condition=Q(dimension=0), name="source_counter_totals"),
        ]


class SourceLabel(models.Model):
    """An event name or website of a source and the day it was last seen: at most 500 a source, day and dimension."""

    source = models.ForeignKey(Source, models.CASCADE, related_name="+", db_index=False)
    dimension = models.PositiveSmallIntegerField(choices=shared.CountOfEvents.Dimension.choices)
    label = models.CharField(max_length=LABEL_MAX_LENGTH)
    last_seen = models.DateField()

    objects = OfSourceQuerySet.as_manager()

    class Meta:
        verbose_name = "label of a source"
        verbose_name_plural = "labels of sources"
        constraints = [
            models.UniqueConstraint(fields=["source", "dimension", "label"], name="one_label_per_source"),
        ]

    def __str__(self) -> str:
        return self.label


class SourceFinding(shared.CountOfFindings):
    """What was wrong with a source's events."""

    source = models.ForeignKey(Source, models.CASCADE, related_name="+", db_index=False)

    objects = OfSourceQuerySet.as_manager()

    class Meta:
        verbose_name = "finding of a source"
        verbose_name_plural = "findings of sources"
        constraints = [
            models.UniqueConstraint(
                fields=["source", "hour", "kind", "road", "field", "reason"], name="one_source_finding_per_hour"
            ),
        ]
        indexes = [
            # What tells of all sources' last hours.
            models.Index(fields=["hour", "source"], condition=Q(kind=1), name="source_refused_by_hour"),
        ]


class DestinationLane(shared.Queue):
    """The queue of one destination: one worker at a time holds it, and a failing one waits without delaying others."""

    destination = models.OneToOneField(Destination, models.CASCADE, primary_key=True, related_name="lane")
    # The last answer that was no success, until there is one.
    code = models.CharField(max_length=30, blank=True, default="")
    message = models.CharField(max_length=500, blank=True, default="")
    last_published = models.DateTimeField(null=True)

    objects = OfDestinationQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["destination"], condition=Q(held=True), name="destination_held")]

    def __str__(self) -> str:
        return f"Lane of destination {self.destination_id}"


class DestinationCursor(models.Model):
    """How far a destination has come with a source's requests: everything up to this place is settled, or waits apart.

    There is one as long as a pipeline leads from the source to the destination.
    """

    destination = models.ForeignKey(Destination, models.CASCADE, related_name="cursors", db_index=False)
    source = models.ForeignKey(Source, models.CASCADE, related_name="cursors")
    place = models.BigIntegerField()

    objects = OfDestinationQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["destination", "source"], name="one_cursor_per_source")]

    def __str__(self) -> str:
        return f"{self.destination_id} at {self.place} of {self.source_id}"


class DestinationRow(shared.Request):
    """Events that wait for a destination apart from its cursors: the rest of a request, or a dead letter's replay."""

    destination = models.ForeignKey(Destination, models.CASCADE, related_name="+", db_index=False)
    source = _source_left()

    objects = OfDestinationQuerySet.as_manager()

    class Meta:
        verbose_name = "request that waits for a destination"
        verbose_name_plural = "requests that wait for destinations"
        indexes = [models.Index(fields=["destination", "id"], name="rows_of_destination")]


class DestinationCounter(shared.CountOfFates):
    """How many events met which fate at a destination. It has *received* those that its cursors have passed."""

    destination = models.ForeignKey(Destination, models.CASCADE, related_name="+", db_index=False)

    objects = OfDestinationQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["destination", "span", "dimension", "start", "label"], name="one_destination_counter_row"
            ),
        ]
        indexes = [
            models.Index(
                fields=["span", "start", "destination"], condition=Q(dimension=0), name="destination_counter_totals"
            ),
        ]


class DestinationIdentity(shared.RememberedVisitor):
    """What is remembered of the visitors whose events went to a data set at Meta."""

    destination = models.ForeignKey(Destination, models.CASCADE, related_name="+", db_index=False)

    class Meta:
        verbose_name = "identity of a destination"
        verbose_name_plural = "identities of destinations"
        constraints = [models.UniqueConstraint(fields=["destination", "key"], name="one_destination_identity_per_key")]
        indexes = [models.Index(fields=["destination", "seen_at"], name="destination_identities_by_age")]


class DestinationLetter(shared.RefusedEvent):
    """An event that a destination refused on its own, with its answer. At most 10,000 a destination."""

    destination = models.ForeignKey(Destination, models.CASCADE, related_name="dead_letters", db_index=False)
    source = _source_left()

    objects = OfDestinationQuerySet.as_manager()

    class Meta:
        verbose_name = "dead letter of a destination"
        verbose_name_plural = "dead letters of destinations"
        ordering = ["-failed_at", "-id"]
        indexes = [models.Index(fields=["destination", "-failed_at"], name="letters_of_destination")]

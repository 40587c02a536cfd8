"""Events on their way, and what is kept of them afterwards (docs/decisions/0006-event-path.md).

Only ``OutboxRow`` grows with the events that wait; every other table is bounded per pixel and day.
``events/retention.py`` says how long each kind of row is kept.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Self, TypeVar

from django.db import models
from django.db.models import Q

from accounts.borders import Borders
from accounts.models import Tenant
from events.models import shared
from events.models.shared import LABEL_MAX_LENGTH, count_field, road_field
from filters.models import EVENT_NAME_MAX_LENGTH
from pixels.models import Pixel

#: Meta takes no older events.
EVENT_MAX_AGE = timedelta(days=7)
#: The label under which a pixel's names and websites beyond the daily bound are counted together.
OTHER = ""


_Row = TypeVar("_Row", bound=models.Model)


class OwnedByPixelQuerySet(models.QuerySet[_Row]):
    """Rows of pixels, within the principal's borders."""

    def visible_to(self, borders: Borders) -> Self:
        """Rows of the accounts that are open to the principal."""
        if borders.is_system:
            return self
        return self.filter(pixel__tenant__in=Tenant.objects.open_to(borders))


def pixel_of_new_table() -> models.ForeignKey[Pixel, Pixel]:
    """A pixel, without a constraint: processes of the previous release delete pixels, and do not know the table.

    What they leave behind, retention deletes. The constraint comes with the release after (docs/decisions/0024).
    """
    return models.ForeignKey(Pixel, models.CASCADE, related_name="+", db_index=False, db_constraint=False)


class OutboxRow(shared.Request):
    """One accepted request: the truth about events that wait. Deleted in the transaction that counts them."""

    Intake = shared.Intake

    pixel = models.ForeignKey(Pixel, models.CASCADE, related_name="+", db_index=False)
    intake = models.PositiveSmallIntegerField(choices=Intake.choices, default=Intake.RECEIVED)
    # Were these events counted as received? Rows that wait for a retry were; new ones are counted when they settle.
    counted = models.BooleanField(default=False)

    objects = OwnedByPixelQuerySet.as_manager()

    class Meta:
        verbose_name = "waiting request"
        # In the order of publishing: what waits already (counted), then what is new; and either can be told apart.
        indexes = [models.Index(fields=["pixel", "-counted", "id"], name="outbox_of_pixel")]


class Lane(shared.Queue):
    """The queue of one pixel: one worker at a time holds it, and a failing pixel waits without delaying others."""

    pixel = models.OneToOneField(Pixel, models.CASCADE, primary_key=True, related_name="lane")
    ids_levels = shared.levels_field()

    objects = OwnedByPixelQuerySet.as_manager()

    def __str__(self) -> str:
        return f"Lane of {self.pixel_id}"


class Counter(shared.CountOfIds, shared.CountOfFates):
    """How many events of a pixel met which fate within a span of time."""

    pixel = models.ForeignKey(Pixel, models.CASCADE, related_name="+", db_index=False)

    objects = OwnedByPixelQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["pixel", "span", "dimension", "start", "label"], name="one_counter_row"),
        ]
        indexes = [
            # What the usage refresh and the retention read: recent totals of all pixels.
            models.Index(fields=["span", "start", "pixel"], condition=Q(dimension=0), name="counter_totals"),
        ]


class SeenLabel(models.Model):
    """An event name or website of a pixel and the day it was last seen: at most 500 a pixel, day and dimension."""

    pixel = models.ForeignKey(Pixel, models.CASCADE, related_name="+", db_index=False)
    dimension = models.PositiveSmallIntegerField(choices=Counter.Dimension.choices)
    label = models.CharField(max_length=LABEL_MAX_LENGTH)
    last_seen = models.DateField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["pixel", "dimension", "label"], name="one_label_per_pixel"),
        ]

    def __str__(self) -> str:
        return self.label


class DeadLetter(shared.RefusedEvent):
    """An event that Meta refused on its own, with Meta's answer; kept until it is replayed or 30 days are over.

    At most 10,000 a pixel: then the oldest go.
    """

    pixel = models.ForeignKey(Pixel, models.CASCADE, related_name="dead_letters", db_index=False)

    objects = OwnedByPixelQuerySet.as_manager()

    class Meta:
        ordering = ["-failed_at", "-id"]
        indexes = [models.Index(fields=["pixel", "-failed_at"], name="dead_letters_of_pixel")]


class Delivery(models.Model):
    """The delivery log of the release before: one event of a pixel and what became of it, without personal data.

    Its processes write it during an upgrade, and it is read beside the new one (``DeliveryBatch``) until it is empty.
    """

    class Outcome(models.TextChoices):
        PUBLISHED = "PUBLISHED", "Published"
        DROPPED = "DROPPED", "Dropped"
        WAITING = "WAITING", "Waiting"
        FAILED = "FAILED", "Failed"
        EXPIRED = "EXPIRED", "Expired"

    pixel = models.ForeignKey(Pixel, models.CASCADE, related_name="deliveries", db_index=False)
    at = models.DateTimeField()
    outcome = models.CharField(max_length=10, choices=Outcome.choices)
    event_name = models.CharField(max_length=EVENT_NAME_MAX_LENGTH)
    event_id = models.CharField(max_length=100)
    event_time = models.DateTimeField(null=True)
    website = models.CharField(max_length=LABEL_MAX_LENGTH, blank=True)
    road = road_field()
    # Which filter or switch dropped it, or Meta's answer; a sentence for people.
    detail = models.CharField(max_length=500, blank=True)
    # Meta's code where it failed, Meta's trace id where Meta answered.
    code = models.CharField(max_length=30, blank=True)
    trace_id = models.CharField(max_length=100, blank=True)

    objects = OwnedByPixelQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "delivery log"
        ordering = ["-id"]
        indexes = [models.Index(fields=["pixel", "-id"], name="deliveries_of_pixel")]

    def __str__(self) -> str:
        return f"{self.event_name} {self.outcome}"


class Identity(shared.RememberedVisitor):
    """What is remembered of a pixel's visitors."""

    pixel = models.ForeignKey(Pixel, models.CASCADE, related_name="+", db_index=False)

    class Meta:
        verbose_name_plural = "identities"
        constraints = [models.UniqueConstraint(fields=["pixel", "key"], name="one_identity_per_key")]
        indexes = [models.Index(fields=["pixel", "seen_at"], name="identities_by_age")]


class Finding(shared.CountOfFindings):
    """What was wrong with a pixel's events."""

    pixel = models.ForeignKey(Pixel, models.CASCADE, related_name="+", db_index=False)

    objects = OwnedByPixelQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["pixel", "hour", "kind", "road", "field", "reason"], name="one_finding_per_hour"
            ),
        ]
        indexes = [
            # What tells of all pixels' last hours.
            models.Index(fields=["hour", "pixel"], condition=Q(kind=1), name="refused_by_hour"),
        ]


class DisconnectedUsage(models.Model):
    """What an account's pixels had received and published on a day when they were disconnected.

    Their counters went with them; hosts bill for these events all the same. Kept for COUNTER_RETENTION.
    """

    tenant = models.ForeignKey(Tenant, models.CASCADE, related_name="+", db_index=False)
    start = models.DateTimeField()
    received = models.BigIntegerField()
    published = models.BigIntegerField()
    # How many of these came by the browser's road.
    browser_received = count_field()
    browser_published = count_field()

    class Meta:
        verbose_name = "usage of disconnected pixels"
        verbose_name_plural = "usage of disconnected pixels"
        constraints = [models.UniqueConstraint(fields=["tenant", "start"], name="one_disconnected_usage_per_day")]

    def __str__(self) -> str:
        return f"{self.tenant_id} on {self.start:%Y-%m-%d}"

"""Event ids, by which Meta tells duplicates: a sample of them, and what is wrong with them (docs/decisions/0024)."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from events.models.flow import OwnedByPixelQuerySet, pixel_of_new_table
from events.models.gateway import OfSourceQuerySet
from filters.models import EVENT_NAME_MAX_LENGTH
from pipelines.models import Source


class RememberedId(models.Model):
    """An event id of a pixel or source, as a digest of name and id, and when it first came on each road.

    Kept for 48 hours, and a bounded number of each owner: of a class of names with more ids, those that the
    ``ids_levels`` of its lane keep.
    """

    # 63 bits (events/figures/seen_ids.py).
    digest = models.BigIntegerField()
    server_at = models.DateTimeField(null=True)
    browser_at = models.DateTimeField(null=True)
    # A CRC-32 of the order that it came with on that road, if with one.
    server_order = models.IntegerField(null=True)
    browser_order = models.IntegerField(null=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.digest:016x}"


class SeenId(RememberedId):
    """An event id of a pixel."""

    pixel = pixel_of_new_table()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["pixel", "digest"], name="one_seen_id_per_digest")]


class SourceSeenId(RememberedId):
    """An event id of a gateway source."""

    source = models.ForeignKey(Source, models.CASCADE, related_name="+", db_index=False)

    class Meta:
        verbose_name = "seen id of a source"
        verbose_name_plural = "seen ids of sources"
        constraints = [models.UniqueConstraint(fields=["source", "digest"], name="one_source_seen_id_per_digest")]


class FoundWithIds(models.Model):
    """Examples of what is wrong with the ids of events of one name; kept for 7 days after the last.

    Whether it is still so is told by counters.
    """

    class Kind(models.IntegerChoices):
        REPEATED = 0, _("The same id came again")
        # Told by counters alone, and never stored.
        NEVER_ON_BOTH = 1, _("Browser and server share hardly an id")
        MANY_ORDERS = 2, _("One id for several orders")

    kind = models.PositiveSmallIntegerField(choices=Kind.choices)
    event_name = models.CharField(max_length=EVENT_NAME_MAX_LENGTH, blank=True)
    # Events since it was first found.
    count = models.BigIntegerField()
    last_at = models.DateTimeField()
    # At most three event ids; what looks like an address of mail or a telephone number is masked.
    examples = models.JSONField(default=list)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.event_name}: {self.get_kind_display()}"


class IdFinding(FoundWithIds):
    """What is wrong with the ids of a pixel's events."""

    pixel = pixel_of_new_table()

    objects = OwnedByPixelQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["pixel", "kind", "event_name"], name="one_id_finding_per_kind_and_name"),
        ]


class SourceIdFinding(FoundWithIds):
    """What is wrong with the ids of a gateway source's events."""

    source = models.ForeignKey(Source, models.CASCADE, related_name="+", db_index=False)

    objects = OfSourceQuerySet.as_manager()

    class Meta:
        verbose_name = "id finding of a source"
        verbose_name_plural = "id findings of sources"
        constraints = [
            models.UniqueConstraint(fields=["source", "kind", "event_name"], name="one_source_id_finding_per_name"),
        ]

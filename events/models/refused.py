"""Requests with events that the intake refused, for people who look for a sender's mistake (docs/decisions/0037).

How many there were is counted in ``Finding`` and ``SourceFinding``; here are the last ones.
"""

from __future__ import annotations

from django.db import models

from events.models.flow import OwnedByPixelQuerySet, pixel_of_new_table
from events.models.gateway import OfSourceQuerySet
from events.models.shared import road_field
from pipelines.models import Source

#: Characters of what is shown of a request.
SAMPLE_MAX_LENGTH = 2_000


class RefusedAtIntake(models.Model):
    """One request of which nothing was stored, and why. Kept for 7 days, and the last 100 of a pixel or source."""

    at = models.DateTimeField()
    road = road_field()
    # The path within the event, and a word of the gateway's (events.intake.rules.Rule).
    field = models.CharField(max_length=60)
    reason = models.CharField(max_length=40)
    # How many events it held; 1 where nobody could read it.
    event_count = models.PositiveIntegerField()
    # Which of 1,024 parts of the internet it came from, by a key of this instance: too few to tell an address by.
    origin = models.PositiveSmallIntegerField()
    # The event, or the beginning of the body, without what may tell of anybody; empty where nothing was read.
    sample = models.CharField(max_length=SAMPLE_MAX_LENGTH, blank=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.field} {self.reason}"


class RefusedRequest(RefusedAtIntake):
    """A request for a pixel."""

    pixel = pixel_of_new_table()

    objects = OwnedByPixelQuerySet.as_manager()

    class Meta:
        verbose_name = "refused request"
        ordering = ["-id"]
        indexes = [models.Index(fields=["pixel", "-id"], name="refused_of_pixel")]


class SourceRefusedRequest(RefusedAtIntake):
    """A request for a gateway source."""

    source = models.ForeignKey(Source, models.CASCADE, related_name="+", db_index=False)

    objects = OfSourceQuerySet.as_manager()

    class Meta:
        verbose_name = "refused request of a source"
        verbose_name_plural = "refused requests of sources"
        ordering = ["-id"]
        indexes = [models.Index(fields=["source", "-id"], name="refused_of_source")]

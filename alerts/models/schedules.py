"""When an account is told: its quiet hours and its daily digest, in its time zone."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.models import Tenant
from alerts.models.incidents import OfAccountQuerySet, of_new_table
from common.time_zones import moment_of

_DAY = timedelta(days=1)


class Schedule(models.Model):
    """When an account is told. Without a row it is told at once, and gets no digest."""

    # Without a constraint, as ``of_new_table``.
    tenant = models.OneToOneField(Tenant, models.CASCADE, related_name="+", db_constraint=False, verbose_name="account")
    # Times of the day, both or none. Where the end is the earlier one, it is of the next day.
    quiet_from = models.TimeField(null=True, blank=True)
    quiet_until = models.TimeField(null=True, blank=True)
    severe_at_once = models.BooleanField("severe alerts at once", default=True)
    # Null for no digest.
    digest_hour = models.PositiveSmallIntegerField(null=True, blank=True)
    # Since when that hour is chosen: the first digest comes with the next one.
    digest_since = models.DateTimeField(default=timezone.now)

    objects = OfAccountQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(quiet_from=None, quiet_until=None) | Q(quiet_from__isnull=False, quiet_until__isnull=False),
                name="quiet_from_and_until",
            ),
            models.CheckConstraint(condition=Q(digest_hour=None) | Q(digest_hour__lt=24), name="digest_hour_of_a_day"),
        ]
        indexes = [
            models.Index(fields=["tenant"], condition=Q(digest_hour__isnull=False), name="schedules_with_digest")
        ]

    def __str__(self) -> str:
        return f"Schedule of {self.tenant_id}"

    def quiet_until_after(self, now: datetime) -> datetime | None:
        """The end of the quiet hours in which the moment is; None where it is in none."""
        if self.quiet_from is None or self.quiet_until is None:
            return None
        zone = self.tenant.zone
        today = now.astimezone(zone).date()
        over_midnight = _DAY if self.quiet_until <= self.quiet_from else timedelta()
        for day in (today - _DAY, today):
            end = moment_of(day + over_midnight, self.quiet_until, zone)
            if moment_of(day, self.quiet_from, zone) <= now < end:
                return end
        return None


class Digest(models.Model):
    """What an account's people are told of a day, by mail: each of them at most once."""

    tenant = of_new_table(Tenant, db_index=False, verbose_name="account")
    # The day on which it comes, in the account's time zone; it tells of the day before.
    day = models.DateField()
    # Where the day before begins and ends.
    since = models.DateTimeField()
    until = models.DateTimeField()
    due_at: models.DateTimeField[datetime | None, datetime | None] = models.DateTimeField(
        default=timezone.now, null=True
    )
    # The ids of the people to whom it was sent, or may have been.
    reached: Any = models.JSONField(default=list, blank=True)

    objects = OfAccountQuerySet.as_manager()

    class Meta:
        ordering = ["-day", "-id"]
        constraints = [models.UniqueConstraint(fields=["tenant", "day"], name="one_digest_a_day")]
        indexes = [models.Index(fields=["due_at"], condition=Q(due_at__isnull=False), name="digests_due")]

    def __str__(self) -> str:
        return f"{self.tenant_id} on {self.day}"

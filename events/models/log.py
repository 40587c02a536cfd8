"""The delivery log that remembers (docs/decisions/0034-delivery-log.md).

Tables without foreign keys, partitioned by day on PostgreSQL. Events that were settled together are one row, in packed
columns; ``events/delivery/log/`` writes and reads them.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Self

from django.db import models

from accounts.borders import Borders
from accounts.models import Tenant

#: A batch's id is the time in microseconds, then as many bits that tell apart what has the same.
LOW_BITS = 10

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def microseconds(at: datetime) -> int:
    """A time as a number."""
    return (at - _EPOCH) // _MICROSECOND


def first_id_at(at: datetime) -> int:
    """The lowest id that a batch of that time can have."""
    return microseconds(at) << LOW_BITS


def moment_of(batch: int) -> datetime:
    """When the batch of that id was settled."""
    return _EPOCH + (batch >> LOW_BITS) * _MICROSECOND


class DeliveryBatchQuerySet(models.QuerySet["DeliveryBatch"]):
    """Batches, within the principal's borders."""

    def visible_to(self, borders: Borders) -> Self:
        """Batches of the accounts that are open to the principal."""
        if borders.is_system:
            return self
        return self.filter(tenant_id__in=Tenant.objects.open_to(borders).values("pk"))


class DeliveryBatch(models.Model):
    """Events of a pixel, or of a source on their way to a destination, that were settled together."""

    id = models.BigIntegerField(primary_key=True)
    tenant_id = models.CharField(max_length=8)
    # Whose events these are: a pixel's, or a source's for a destination. What is nought does not apply.
    pixel = models.BigIntegerField(default=0, db_default=0)
    source = models.BigIntegerField(default=0, db_default=0)
    destination = models.BigIntegerField(default=0, db_default=0)
    event_count = models.PositiveIntegerField()
    # Bits: what became of the events, and by which roads they came.
    outcomes = models.PositiveSmallIntegerField()
    roads = models.PositiveSmallIntegerField()
    # JSON: each kind of event once, [name, website, outcome, detail, code, trace id, road, enriched].
    kinds = models.TextField()
    # Of each event its kind, times and id.
    body = models.BinaryField()
    # What the gateway changed of each event; null where it changed nothing.
    changes = models.BinaryField(null=True)

    objects = DeliveryBatchQuerySet.as_manager()

    class Meta:
        verbose_name = "delivery log"
        verbose_name_plural = "delivery log"
        indexes = [
            models.Index(fields=["tenant_id", "-id"], name="log_of_tenant"),
            models.Index(fields=["pixel", "source", "destination", "-id"], name="log_of_lane"),
        ]

    def __str__(self) -> str:
        return f"{self.event_count} events of {self.at:%Y-%m-%d %H:%M:%S}"

    @property
    def at(self) -> datetime:
        """When they were settled."""
        return moment_of(self.pk)


class DeliveryKey(models.Model):
    """Digests of event ids of a batch, those that begin alike together: where an id is looked for."""

    pk = models.CompositePrimaryKey("batch", "key")
    batch = models.BigIntegerField()
    tenant_id = models.CharField(max_length=8)
    key = models.BigIntegerField()
    digests = models.BinaryField()

    class Meta:
        indexes = [
            # All that a search reads is in the index.
            models.Index(fields=["tenant_id", "key"], include=["batch", "digests"], name="log_by_event_id"),
        ]

    def __str__(self) -> str:
        return f"Digests of {self.batch}"

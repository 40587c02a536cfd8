"""The queue of a pixel: one worker at a time holds it, and a failing pixel waits without delaying others."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery
from django.db.models.expressions import RawSQL
from django.utils import timezone

from accounts.models import TenantStatus
from events.delivery import leases
from events.delivery.leases import (
    LONGEST_LEASE,
    LONGEST_WAIT,
    RELEASED,
    LeaseLost,
    abandon,
    after_failure,
    after_success,
    is_over,
    keep,
    next_attempt,
    on_hold,
    release,
    renew,
)
from events.delivery.owners import owners_with_rows
from events.intake import wakeups
from events.models import EVENT_MAX_AGE, Lane, OutboxRow
from pixels.models import Pixel

__all__ = [
    "LONGEST_LEASE",
    "LONGEST_WAIT",
    "RELEASED",
    "Claim",
    "LeaseLost",
    "abandon",
    "after_failure",
    "after_success",
    "claim",
    "is_over",
    "keep",
    "next_attempt",
    "on_hold",
    "pixels_with_rows",
    "release",
    "release_hold",
    "renew",
    "waiting_pixels",
]


@dataclass(slots=True)
class Claim(leases.Claim):
    """A worker's lease of a pixel's lane. While it waits, new rows are counted all the same."""

    model = Lane

    #: Which of the pixel's event ids are remembered (events/figures/seen_ids.py).
    ids_levels: dict[str, int] = field(default_factory=dict)

    @property
    def pixel_pk(self) -> int:
        """Whose lane it is."""
        return self.pk


def claim(pixel_pk: int) -> Claim | None:
    """Lease the pixel's lane, which is made on first use; None where another worker has it, or the pixel is gone."""
    taken = _claim(pixel_pk)
    if taken is None and _create(pixel_pk):
        return _claim(pixel_pk)
    return taken


@transaction.atomic
def _claim(pixel_pk: int) -> Claim | None:
    lane = leases.take(Lane, pixel_pk)
    if lane is None or lane.claim is None:  # which it has by now
        return None
    return Claim(pixel_pk, lane.claim, lane.failures, leases.waits(lane), lane.ids_levels)


def _create(pixel_pk: int) -> bool:
    """Make the lane of a pixel that has none; False where it has one, or there is no such pixel."""
    if not Pixel.objects.filter(pk=pixel_pk, lane=None).exists():
        return False
    try:
        Lane.objects.bulk_create([Lane(pixel_id=pixel_pk)], ignore_conflicts=True)
    except IntegrityError:  # the pixel was removed a moment ago
        return False
    return True


def release_hold(pixel_pk: int) -> None:
    """Let the lane publish again: the pixel has a new token.

    In the transaction that brings the token, or a crash between the two would hold the lane for good.
    """
    Lane.objects.filter(pk=pixel_pk).update(held=False, **after_success())
    transaction.on_commit(partial(wakeups.wake, pixel_pk))


def pixels_with_rows() -> RawSQL:
    """The keys of the pixels of which something waits, for a condition; however many rows wait."""
    return owners_with_rows(OutboxRow, "pixel_id")


def waiting_pixels(among: Iterable[int] | None = None) -> list[int]:
    """The pixels that a worker should look at now: nobody does, and there are rows to publish, count or expire."""
    if among is None:
        pixels = Pixel.objects.filter(pk__in=pixels_with_rows())
    else:
        pixels = Pixel.objects.filter(Exists(OutboxRow.objects.filter(pixel=OuterRef("pk"))), pk__in=list(among))
    return list(_with_work(pixels, timezone.now()).order_by("pk").values_list("pk", flat=True))


def _with_work(pixels: QuerySet[Pixel], now: datetime) -> QuerySet[Pixel]:
    rows = OutboxRow.objects.filter(pixel=OuterRef("pk"))
    # ``in``, since SQLite finds ``NOT counted`` in no index.
    oldest = rows.filter(counted__in=[True]).order_by("id").values("received_at")[:1]
    may_publish = leases.unheld("lane__", now) & ~Q(tenant__status=TenantStatus.DEACTIVATED)
    return pixels.alias(oldest=Subquery(oldest)).filter(
        leases.unclaimed(now, "lane__"),
        may_publish | Exists(rows.filter(counted__in=[False])) | Q(oldest__lte=now - EVENT_MAX_AGE),
    )

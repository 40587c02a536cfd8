"""The queue of a destination: one worker at a time holds it, and a failing one waits without delaying others."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from functools import partial

from django.db import IntegrityError, transaction
from django.db.models import Case, Exists, F, OuterRef, Q, QuerySet, Subquery, Value, When
from django.utils import timezone

from accounts.models import TenantStatus
from events.delivery import leases
from events.delivery.owners import owners_with_rows
from events.intake import wakeups
from events.models import EVENT_MAX_AGE, DestinationCursor, DestinationLane, DestinationRow, SourceRow
from pipelines.models import Destination

#: The code of a destination that people hold.
ON_HOLD = "on_hold"


class Claim(leases.Claim):
    """A worker's lease of a destination's lane."""

    model = DestinationLane


def claim(destination_pk: int) -> Claim | None:
    """Lease the destination's lane, which is made on first use; None where another worker has it, or it is gone."""
    taken = _claim(destination_pk)
    if taken is None and _create(destination_pk):
        return _claim(destination_pk)
    return taken


@transaction.atomic
def _claim(destination_pk: int) -> Claim | None:
    lane = leases.take(DestinationLane, destination_pk)
    if lane is None or lane.claim is None:  # which it has by now
        return None
    return Claim(destination_pk, lane.claim, lane.failures, leases.waits(lane))


def _create(destination_pk: int) -> bool:
    """Make the lane of a destination that has none; False where it has one, or there is no such destination."""
    if not Destination.objects.filter(pk=destination_pk, lane=None).exists():
        return False
    try:
        DestinationLane.objects.bulk_create([DestinationLane(destination_id=destination_pk)], ignore_conflicts=True)
    except IntegrityError:  # the destination was removed a moment ago
        return False
    return True


def hold(destination_pk: int) -> None:
    """Let what waits for the destination wait; a worker that is at it finishes its turn."""
    told = {**leases.on_hold(), "code": ON_HOLD, "message": "Somebody of the account lets its events wait."}
    DestinationLane.objects.update_or_create(destination_id=destination_pk, defaults=told)


def release_hold(destination_pk: int) -> None:
    """Let the destination publish at once: it was changed, or somebody asks for it.

    In the transaction that brings the change, or a crash between the two would hold the lane for good.
    """
    told = {name: Case(When(code=ON_HOLD, then=Value("")), default=F(name)) for name in ("message", "code")}
    DestinationLane.objects.filter(pk=destination_pk).update(held=False, **leases.after_success(), **told)
    transaction.on_commit(partial(wakeups.wake_destination, destination_pk))


def waiting_destinations(among: Iterable[int] | None = None) -> list[int]:
    """The destinations that a worker should look at now: nobody does, and there is something to publish or expire."""
    destinations = Destination.objects.all() if among is None else Destination.objects.filter(pk__in=list(among))
    return list(_with_work(destinations, timezone.now()).order_by("pk").values_list("pk", flat=True))


def _with_work(destinations: QuerySet[Destination], now: datetime) -> QuerySet[Destination]:
    too_old = now - EVENT_MAX_AGE
    rows = DestinationRow.objects.filter(destination=OuterRef("pk")).order_by("id")
    behind = DestinationCursor.objects.filter(destination=OuterRef("pk"), source__lane__placed__gt=F("place"))
    next_row = SourceRow.objects.filter(source=OuterRef("source"), place__gt=OuterRef("place")).order_by("place")
    expires = behind.alias(oldest=Subquery(next_row.values("received_at")[:1])).filter(oldest__lte=too_old)
    has_some = Exists(rows) | Exists(behind)
    may_publish = leases.unheld("lane__", now) & ~Q(tenant__status=TenantStatus.DEACTIVATED)
    return destinations.alias(oldest_row=Subquery(rows.values("received_at")[:1])).filter(
        leases.unclaimed(now, "lane__"),
        (has_some & (may_publish | Q(active=False))) | Q(oldest_row__lte=too_old) | Exists(expires),
    )


def waiting_since() -> dict[int, datetime]:
    """By destination (its key), when the oldest came of what waits for it; the cost follows who has something waiting.

    What no worker has counted as received yet is not told.
    """
    next_row = SourceRow.objects.filter(source=OuterRef("source"), place__gt=OuterRef("place")).order_by("place")
    behind = DestinationCursor.objects.filter(source__in=owners_with_rows(SourceRow, "source_id"))
    oldest = behind.annotate(since=Subquery(next_row.values("received_at")[:1])).exclude(since=None)
    first = DestinationRow.objects.filter(destination=OuterRef("pk")).order_by("id").values("received_at")[:1]
    apart = Destination.objects.filter(pk__in=owners_with_rows(DestinationRow, "destination_id"))
    oldest_apart = apart.annotate(since=Subquery(first)).exclude(since=None).order_by()
    found: dict[int, datetime] = {}
    for pk, since in [*oldest.values_list("destination_id", "since"), *oldest_apart.values_list("pk", "since")]:
        found[pk] = min(since, found.get(pk, since))
    return found

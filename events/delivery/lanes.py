"""The queue of a pixel: one worker at a time holds it, by a lease; a failing pixel waits without delaying others.

A lease keeps order and lets batches merge; it is no promise that nobody else is at work. A worker that was paused for
longer than its lease finds, in the transaction that settles, that the lane is another's (``LeaseLost``).
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery
from django.db.models.expressions import RawSQL
from django.utils import timezone

from accounts.models import TenantStatus
from events.intake import wakeups
from events.models import EVENT_MAX_AGE, Lane, OutboxRow
from pixels.models import Pixel

#: Events of rows older than this are published no more, whatever they wait for.

SHORTEST_WAIT = timedelta(seconds=1)
LONGEST_WAIT = timedelta(minutes=15)
#: Meta may ask for a longer wait, up to this.
LONGEST_WAIT_ASKED_FOR = timedelta(hours=1)

#: No lease is longer: an end further ahead was written before the clock was set back.
LONGEST_LEASE = max(LONGEST_WAIT, timedelta(seconds=settings.LANE_LEASE_SECONDS))

#: What changes in a lane that is given back.
RELEASED: Mapping[str, Any] = {"claim": None, "claimed_until": None}

# The pixels with waiting rows, each found by one step in the index of (pixel, …): the cost follows the number of these
# pixels, not of their rows, as DISTINCT would have it.
_PIXELS_WITH_ROWS = """
    WITH RECURSIVE waiting (pixel_id) AS (
        SELECT MIN(pixel_id) FROM events_outboxrow
        UNION ALL
        SELECT (SELECT MIN(pixel_id) FROM events_outboxrow WHERE pixel_id > waiting.pixel_id)
        FROM waiting WHERE waiting.pixel_id IS NOT NULL
    )
    SELECT pixel_id FROM waiting WHERE pixel_id IS NOT NULL
"""


class LeaseLost(Exception):
    """Another worker has the lane now, or the pixel is gone: nothing may be written."""


@dataclass(slots=True)
class Claim:
    """A worker's lease of a lane.

    ``waits``: nothing may be published now, since the lane is held or backs off; new rows are counted all the same.
    """

    pixel_pk: int
    key: UUID
    failures: int
    waits: bool
    #: When the lease was last extended.
    extended_at: datetime = field(default_factory=timezone.now)


def claim(pixel_pk: int) -> Claim | None:
    """Lease the pixel's lane, which is made on first use; None where another worker has it, or the pixel is gone."""
    taken = _claim(pixel_pk)
    if taken is None and _create(pixel_pk):
        return _claim(pixel_pk)
    return taken


@transaction.atomic
def _claim(pixel_pk: int) -> Claim | None:
    now = timezone.now()
    lanes = Lane.objects.select_for_update(skip_locked=connection.features.has_select_for_update_skip_locked)
    lane = lanes.filter(_unclaimed(now), pk=pixel_pk).first()
    if lane is None:
        return None
    lane.claim, lane.claimed_until = uuid4(), _lease_end(now)
    lane.save(update_fields=["claim", "claimed_until"])
    backs_off = lane.retry_at is not None and now < lane.retry_at <= now + LONGEST_WAIT_ASKED_FOR
    waits = lane.held or backs_off
    return Claim(pixel_pk, lane.claim, lane.failures, waits)


def _create(pixel_pk: int) -> bool:
    """Make the lane of a pixel that has none; False where it has one, or there is no such pixel."""
    if not Pixel.objects.filter(pk=pixel_pk, lane=None).exists():
        return False
    try:
        Lane.objects.bulk_create([Lane(pixel_id=pixel_pk)], ignore_conflicts=True)
    except IntegrityError:  # the pixel was removed a moment ago
        return False
    return True


def keep(claim: Claim, changes: Mapping[str, Any]) -> None:
    """Extend the lease and make changes in the lane; LeaseLost where it is no longer ours."""
    lane = Lane.objects.filter(pk=claim.pixel_pk, claim=claim.key)
    if not lane.update(**{"claimed_until": _lease_end(timezone.now()), **changes}):
        raise LeaseLost
    claim.extended_at = timezone.now()


def renew(claim: Claim) -> None:
    """Extend the lease, where that is due: called between requests. A lease is four times as long as a request."""
    if _is_due(claim):
        keep(claim, {})


def _is_due(claim: Claim) -> bool:
    """A commit takes longer than many a request."""
    return timezone.now() - claim.extended_at >= timedelta(seconds=settings.PUBLISH_TIMEOUT_SECONDS)


def release(claim: Claim) -> None:
    """Give the lane back, if it is still ours."""
    Lane.objects.filter(pk=claim.pixel_pk, claim=claim.key).update(**RELEASED)


def abandon(claim: Claim) -> None:
    """Leave the lane leased, as a killed worker does, for the length of a wait: we cannot work on it as it is."""
    wait = after_failure(claim)
    keep(claim, {"failures": wait["failures"], "claimed_until": wait["retry_at"]})


def after_success() -> dict[str, Any]:
    """What changes in a lane whose events were accepted."""
    return {"failures": 0, "retry_at": None, "silence": ""}


def after_failure(claim: Claim, retry_after: float | None = None, silence: str = "") -> dict[str, Any]:
    """What changes in a lane whose events must wait: exponential back-off with full jitter (a random share of the wait,
    so that pixels that failed together do not come back together), and at least what the Graph API asked for.
    ``silence`` is what came instead of an error of Meta's.
    """
    failures = claim.failures + 1
    longest = min(LONGEST_WAIT, timedelta(seconds=2 ** min(failures, 30)))
    jittered = random.uniform(SHORTEST_WAIT.total_seconds(), longest.total_seconds())  # noqa: S311  # nosec B311  # no secret
    asked_for = min(retry_after or 0.0, LONGEST_WAIT_ASKED_FOR.total_seconds())
    retry_at = timezone.now() + timedelta(seconds=max(jittered, asked_for))
    return {"failures": failures, "retry_at": retry_at, "silence": silence}


def on_hold() -> dict[str, Any]:
    """What changes in a lane whose token was rejected: it waits for ``release_hold``."""
    return {"held": True, "silence": ""}


def release_hold(pixel_pk: int) -> None:
    """Let the lane publish again: the pixel has a new token.

    In the transaction that brings the token, or a crash between the two would hold the lane for good.
    """
    Lane.objects.filter(pk=pixel_pk).update(held=False, **after_success())
    transaction.on_commit(partial(wakeups.wake, pixel_pk))


def waiting_pixels(among: Iterable[int] | None = None) -> list[int]:
    """The pixels that a worker should look at now: nobody does, and there are rows to publish, count or expire."""
    if among is None:
        pixels = Pixel.objects.filter(pk__in=RawSQL(_PIXELS_WITH_ROWS, ()))  # noqa: S611  # nosec B611  # a constant
    else:
        pixels = Pixel.objects.filter(Exists(OutboxRow.objects.filter(pixel=OuterRef("pk"))), pk__in=list(among))
    return list(_with_work(pixels, timezone.now()).order_by("pk").values_list("pk", flat=True))


def _with_work(pixels: QuerySet[Pixel], now: datetime) -> QuerySet[Pixel]:
    rows = OutboxRow.objects.filter(pixel=OuterRef("pk"))
    # ``in``, since SQLite finds ``NOT counted`` in no index.
    oldest = rows.filter(counted__in=[True]).order_by("id").values("received_at")[:1]
    may_publish = (
        (Q(lane=None) | Q(lane__held=False))
        & (Q(lane__retry_at=None) | _is_over("lane__retry_at", now, LONGEST_WAIT_ASKED_FOR))
        & ~Q(tenant__status=TenantStatus.DEACTIVATED)
    )
    return pixels.alias(oldest=Subquery(oldest)).filter(
        _unclaimed(now, "lane__"),
        may_publish | Exists(rows.filter(counted__in=[False])) | Q(oldest__lte=now - EVENT_MAX_AGE),
    )


def _unclaimed(now: datetime, prefix: str = "") -> Q:
    return Q(**{f"{prefix}claim": None}) | _is_over(f"{prefix}claimed_until", now, LONGEST_LEASE)


def _is_over(column: str, now: datetime, longest: timedelta) -> Q:
    """Past; or further ahead than can be, since the clock has been set back: nobody waits for it to come round."""
    return Q(**{f"{column}__lte": now}) | Q(**{f"{column}__gt": now + longest})


def _lease_end(now: datetime) -> datetime:
    return now + timedelta(seconds=settings.LANE_LEASE_SECONDS)

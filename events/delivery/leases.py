"""Whose turn it is at what waits: one worker at a time has a queue, by a lease; a failing one delays no other.

A lease keeps order and lets batches merge; it is no promise that nobody else is at work. A worker that was paused for
longer than its lease finds, in the transaction that settles, that the queue is another's (``LeaseLost``).
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, ClassVar, TypeVar
from uuid import UUID, uuid4

from django.conf import settings
from django.db import connection
from django.db.models import Q, QuerySet
from django.utils import timezone

from events.models.shared import Queue

SHORTEST_WAIT = timedelta(seconds=1)
LONGEST_WAIT = timedelta(minutes=15)
#: Meta may ask for a longer wait, up to this.
LONGEST_WAIT_ASKED_FOR = timedelta(hours=1)

#: No lease is longer: an end further ahead was written before the clock was set back.
LONGEST_LEASE = max(LONGEST_WAIT, timedelta(seconds=settings.LANE_LEASE_SECONDS))

#: What changes in a queue that is given back.
RELEASED: Mapping[str, Any] = {"claim": None, "claimed_until": None}


class LeaseLost(Exception):
    """Another worker has the queue now, or what it is of has gone: nothing may be written."""


@dataclass(slots=True)
class Claim:
    """A worker's lease of a queue.

    ``waits``: nothing may be published now, since the queue is held or backs off.
    """

    #: Of which table the queue is a row.
    model: ClassVar[type[Queue]]

    pk: int
    key: UUID
    failures: int
    waits: bool
    #: When the lease was last extended.
    extended_at: datetime = field(default_factory=timezone.now, kw_only=True)


_Queue = TypeVar("_Queue", bound=Queue)


def take(model: type[_Queue], pk: int) -> _Queue | None:
    """Lease the queue, within a transaction; None where another worker has it, or there is none."""
    now = timezone.now()
    skip = connection.features.has_select_for_update_skip_locked
    queue = model._default_manager.select_for_update(skip_locked=skip).filter(unclaimed(now), pk=pk).first()
    if queue is not None:
        queue.claim, queue.claimed_until = uuid4(), _lease_end(now)
        queue.save(update_fields=["claim", "claimed_until"])
    return queue


def waits(queue: Queue) -> bool:
    """Is it held, or does it back off?"""
    now = timezone.now()
    return bool(queue.held or (queue.retry_at is not None and now < queue.retry_at <= now + LONGEST_WAIT_ASKED_FOR))


def keep(claim: Claim, changes: Mapping[str, Any]) -> None:
    """Extend the lease and make changes in the queue; LeaseLost where it is no longer ours."""
    if not _leased(claim).update(**{"claimed_until": _lease_end(timezone.now()), **changes}):
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
    """Give the queue back, if it is still ours."""
    _leased(claim).update(**RELEASED)


def abandon(claim: Claim) -> None:
    """Leave the queue leased, as a killed worker does, for the length of a wait: we cannot work on it as it is."""
    wait = after_failure(claim)
    keep(claim, {"failures": wait["failures"], "claimed_until": wait["retry_at"]})


def after_success() -> dict[str, Any]:
    """What changes in a queue whose events were accepted."""
    return {"failures": 0, "retry_at": None, "silence": ""}


def after_failure(claim: Claim, retry_after: float | None = None, silence: str = "") -> dict[str, Any]:
    """What changes in a queue whose events must wait; ``silence`` is what came instead of an answer that says why."""
    failures = claim.failures + 1
    retry_at = next_attempt(failures, retry_after)
    return {"failures": failures, "retry_at": retry_at, "silence": silence}


def next_attempt(failures: int, retry_after: float | None = None, *, longest: timedelta = LONGEST_WAIT) -> datetime:
    """When to try again after so many attempts in vain: exponential back-off with full jitter (a random share of the
    wait, so that what failed together does not come back together), and at least what was asked for.
    """
    longest = min(longest, timedelta(seconds=2 ** min(failures, 30)))
    jittered = random.uniform(SHORTEST_WAIT.total_seconds(), longest.total_seconds())  # noqa: S311  # nosec B311  # no secret
    asked_for = min(retry_after or 0.0, LONGEST_WAIT_ASKED_FOR.total_seconds())
    return timezone.now() + timedelta(seconds=max(jittered, asked_for))


def on_hold() -> dict[str, Any]:
    """What changes in a queue whose token was rejected: it waits for a new one."""
    return {"held": True, "silence": ""}


def unheld(prefix: str, now: datetime) -> Q:
    """May what waits be published: is the queue neither held nor backing off?"""
    is_not_held = Q(**{prefix.removesuffix("__"): None}) | Q(**{f"{prefix}held": False})
    return is_not_held & (Q(**{f"{prefix}retry_at": None}) | is_over(f"{prefix}retry_at", now, LONGEST_WAIT_ASKED_FOR))


def unclaimed(now: datetime, prefix: str = "") -> Q:
    """Nobody has the queue, or who had it has died."""
    return Q(**{f"{prefix}claim": None}) | is_over(f"{prefix}claimed_until", now, LONGEST_LEASE)


def is_over(column: str, now: datetime, longest: timedelta) -> Q:
    """Past; or further ahead than can be, since the clock has been set back: nobody waits for it to come round."""
    return Q(**{f"{column}__lte": now}) | Q(**{f"{column}__gt": now + longest})


def _lease_end(now: datetime) -> datetime:
    return now + timedelta(seconds=settings.LANE_LEASE_SECONDS)


def _leased(claim: Claim) -> QuerySet[Queue]:
    return claim.model._default_manager.filter(pk=claim.pk, claim=claim.key)

"""Whose turn it is at a row of what Meta is to be told: one worker at a time, by a lease, and no transaction is held
while Meta is asked.

A lease lasts longer than all requests that are made under it. Whoever comes after one that has run out knows that
nothing of it is under way any more.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from threading import BoundedSemaphore
from typing import Any, TypeVar
from uuid import uuid4

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, QuerySet, Value
from django.db.models.functions import Coalesce
from django.utils import timezone

from events.delivery import rounds
from events.delivery.lanes import LONGEST_LEASE, is_over, next_attempt
from events.models import Attempt
from events.registration.edge import NotDone

logger = logging.getLogger(__name__)

#: So many threads of a process may ask Meta at a time; the others are for events.
AT_ONCE = 3
#: Rows of each kind that are taken up between two sweeps, by all processes together: two a second.
A_SWEEP = 10
LONGEST_WAIT = timedelta(hours=6)
#: What Meta knows is compared with what it shall know so often, changed or not.
LOOK_EVERY = timedelta(days=1)

_slots = BoundedSemaphore(AT_ONCE)
_Row = TypeVar("_Row", bound=Attempt)
_Key = TypeVar("_Key", int, str)


def due(model: type[Attempt]) -> list[Any]:
    """The keys of the rows whose time has come, those that wait longest first."""
    rows = model._default_manager.filter(_is_due(timezone.now()))
    return list(rows.order_by("due_at").values_list("pk", flat=True)[:A_SWEEP])


def in_turn(act: Callable[[_Key], None], keys: Iterable[_Key]) -> None:
    """Act on one after the other; on none where enough threads do so already: the sweep comes back to them."""
    if not _slots.acquire(blocking=False):
        return
    try:
        for key in keys:
            if rounds.stopping.is_set():
                return
            act(key)
    finally:
        _slots.release()


def claim(model: type[_Row], key: object) -> _Row | None:
    """Lease the row; None where it is not due, another worker has it, or it is gone."""
    now, claim = timezone.now(), uuid4()
    until = now + timedelta(seconds=settings.LANE_LEASE_SECONDS)
    rows = model._default_manager.filter(pk=key)
    if not rows.filter(_is_due(now)).update(claim=claim, claimed_until=until, due_at=None):
        return None
    return rows.filter(claim=claim).first()


def give_back(row: Attempt, *, again_at: datetime | None, **changes: Any) -> bool:
    """End the lease and make the changes; False where the row is gone.

    Somebody looks again at ``again_at``, or earlier where that was asked for under the lease.
    """
    due_at = F("due_at") if again_at is None else Coalesce("due_at", Value(again_at))
    return bool(_leased(row).update(claim=None, claimed_until=None, due_at=due_at, **changes))


def give_back_in_vain(row: Attempt, error: NotDone, **changes: Any) -> datetime:
    """The same after an attempt that came to nothing; when the next is due."""
    failures = row.failures + 1
    again_at = next_attempt(failures, error.retry_after, longest=LONGEST_WAIT)
    give_back(row, again_at=again_at, failures=failures, **error.as_columns(), **changes)
    return again_at


def finish(row: Attempt) -> None:
    """Delete the row: what it was for is done."""
    _leased(row).delete()


def set_due(rows: QuerySet[Any], at: datetime, **changes: Any) -> int:
    """Have somebody look at the rows then. They are locked in the order of their keys: nobody waits in a circle."""
    with transaction.atomic(savepoint=False):
        keys = list(rows.order_by("pk").select_for_update().values_list("pk", flat=True))
        return rows.model._default_manager.filter(pk__in=keys).update(due_at=at, **changes) if keys else 0


def _leased(row: Attempt) -> QuerySet[Any]:
    return type(row)._default_manager.filter(pk=row.pk, claim=row.claim)


def _is_due(now: datetime) -> Q:
    """Its time has come and nobody is at it, or who was has died."""
    waits = Q(claim=None, due_at__isnull=False) & is_over("due_at", now, 2 * LOOK_EVERY)
    return waits | (Q(claim__isnull=False) & is_over("claimed_until", now, LONGEST_LEASE))

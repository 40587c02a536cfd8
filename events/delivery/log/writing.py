"""Writing the delivery log, in the transaction that settles: what is counted stands in it, and nothing else."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import reduce
from operator import or_
from threading import Lock
from typing import NamedTuple

from django.conf import settings
from django.db import connection

from events.delivery.batches import Event
from events.delivery.log import packing
from events.models import LOW_BITS, Delivery, DeliveryBatch, DeliveryKey
from events.models.log import first_id_at

#: The bit of each outcome; they stand in the database.
OUTCOME_BITS = {
    Delivery.Outcome.PUBLISHED.value: 1,
    Delivery.Outcome.DROPPED.value: 2,
    Delivery.Outcome.FAILED.value: 4,
    Delivery.Outcome.EXPIRED.value: 8,
}


class Whose(NamedTuple):
    """Whose events are logged: a pixel's, or those of a source for a destination, of an account."""

    tenant_id: str
    pixel: int = 0
    source: int = 0
    destination: int = 0


_FROM_ARRAYS = """
SELECT %s, %s, key, decode(digests, 'hex') FROM unnest(%s::bigint[], %s::text[]) AS rows (key, digests)
"""


class _Ids:
    """Ids of batches: each is its own, and of one process they rise as long as the clock does."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._last = 0
        self._begin = secrets.randbelow(1 << (LOW_BITS - 1))  # so that processes do not meet

    def next(self, now: datetime) -> int:
        """The id of a batch of that time."""
        first = first_id_at(now)
        with self._lock:
            is_same_time = first <= self._last < first + (1 << LOW_BITS)
            self._last = self._last + 1 if is_same_time else first + self._begin
            return self._last


_ids = _Ids()


def write(whose: Whose, events: Sequence[Event], now: datetime) -> None:
    """Log the events that have their fate: two statements, whatever their number."""
    settled = [event for event in events if event.fate is not None]
    if not settled or not settings.DELIVERY_LOG_DAYS:
        return
    kinds, body = packing.pack(settled, now)
    batch = _ids.next(now)
    DeliveryBatch(
        pk=batch,
        **whose._asdict(),
        event_count=len(settled),
        outcomes=_bits(OUTCOME_BITS[kind.outcome] for kind in kinds),
        roads=_bits(1 << kind.road for kind in kinds),
        kinds=packing.encode_kinds(kinds),
        body=body,
        changes=packing.pack_changes(settled),
    ).save(force_insert=True)
    _insert_keys(whose.tenant_id, batch, list(packing.cut([event.event_id for event in settled])))


def _insert_keys(tenant_id: str, batch: int, rows: list[tuple[int, bytes]]) -> None:
    """Past the ORM, and on PostgreSQL with two parameters: objects and parameters would take most of the time."""
    insert = f"INSERT INTO {DeliveryKey._meta.db_table} (batch, tenant_id, key, digests)"
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            keys, digests = ",".join(str(key) for key, _ in rows), ",".join(each.hex() for _, each in rows)
            cursor.execute(f"{insert} {_FROM_ARRAYS}", [batch, tenant_id, f"{{{keys}}}", f"{{{digests}}}"])
        else:
            cursor.executemany(f"{insert} VALUES (%s, %s, %s, %s)", [(batch, tenant_id, *row) for row in rows])


def _bits(bits: Iterable[int]) -> int:
    return reduce(or_, bits, 0)

"""What waits to be sent on some pixels: how much, and since when."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

from django.db.models import Count, Min, Sum

from events.models import OutboxRow

#: Requests are counted up to here: beyond, "or more" is all that one needs to know, and millions may wait.
COUNTED = 10_000


class Waiting(NamedTuple):
    """Events that are stored and not yet sent; ``is_more`` where there are more than were counted."""

    events: int
    is_more: bool
    since: datetime | None


def read_waiting(pixels: Collection[int]) -> Waiting:
    """What waits on the pixels, which are given by primary key: one query, whatever waits."""
    oldest = OutboxRow.objects.filter(pixel__in=pixels).order_by("pk")[: COUNTED + 1]
    found = oldest.aggregate(events=Sum("event_count", default=0), requests=Count("pk"), since=Min("received_at"))
    return Waiting(found["events"], found["requests"] > COUNTED, found["since"])

"""What waits to be sent on some pixels: how much, and since when."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

from django.db.models import Count, Min, Q, Sum

from events.models import OutboxRow, Road

#: Requests are counted up to here: beyond, "or more" is all that one needs to know, and millions may wait.
COUNTED = 10_000


class Waiting(NamedTuple):
    """Events that are stored and not yet sent; ``is_more`` where there are more than were counted."""

    events: int
    is_more: bool
    since: datetime | None
    #: Of the events, those on the pixels that were named as held.
    held: int
    #: Of the events, those that came from browsers.
    browser: int

    @property
    def server(self) -> int:
        """Those that did not."""
        return self.events - self.browser


def read_waiting(pixels: Collection[int], *, held: Collection[int] = (), again: bool = False) -> Waiting:
    """What waits on the pixels, which are given by primary key: one query, whatever waits.

    ``again``: only what was received before, and is replayed or retried now.
    """
    rows = OutboxRow.objects.filter(pixel__in=pixels, **({"counted": True} if again else {}))
    oldest = rows.order_by("pk")[: COUNTED + 1]
    found = oldest.aggregate(
        events=Sum("event_count", default=0),
        requests=Count("pk"),
        since=Min("received_at"),
        held=Sum("event_count", filter=Q(pixel__in=held), default=0),
        browser=Sum("event_count", filter=Q(road=Road.BROWSER), default=0),
    )
    return Waiting(found["events"], found["requests"] > COUNTED, found["since"], found["held"], found["browser"])

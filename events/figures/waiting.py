"""What waits to be sent on some pixels, or of all of an account: how much, and since when."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import Count, Min, Q, QuerySet, Sum, Value

from accounts.models import Tenant
from events.models import DestinationRow, Intake, OutboxRow, Road, SourceRow
from pipelines.models import Destination, Source

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
    return _counted([rows], held)


def read_waiting_of_account(tenant: Tenant, pixels: Collection[int], *, held: Collection[int] = ()) -> Waiting:
    """The same of the account's pixels, and of its gateway sources.

    An event of a source counts once, whatever the number of destinations that it waits for. Only what waits apart,
    since others of its request went out, counts for each of these.
    """
    sources, destinations = _gateway_of(tenant)
    of_pixels = OutboxRow.objects.filter(pixel__in=pixels)
    of_sources = SourceRow.objects.filter(source__in=sources, intake=Intake.RECEIVED)
    apart = DestinationRow.objects.filter(destination__in=destinations)
    return _counted([of_pixels, of_sources, apart], held)


def _gateway_of(tenant: Tenant) -> tuple[list[int], list[int]]:
    """The keys of the account's sources and destinations.

    By these PostgreSQL knows how much waits of each. Asked by the account, it guesses that all wait alike, and where
    another account has much it looks through that.
    """
    kinds: tuple[type[Source | Destination], ...] = (Source, Destination)
    first, other = (
        kind._default_manager.filter(tenant=tenant).order_by().annotate(kind=Value(number)).values_list("kind", "pk")
        for number, kind in enumerate(kinds)
    )
    owners = list(first.union(other, all=True))
    return [pk for kind, pk in owners if kind == 0], [pk for kind, pk in owners if kind == 1]


def _counted(tables: Sequence[QuerySet[Any]], held: Collection[int]) -> Waiting:
    """What the oldest rows of each table hold. The first table is the pixels': it alone has ``held`` ones."""
    first, *others = (_sums(rows, held if number == 0 else ()) for number, rows in enumerate(tables))
    found = list(first.union(*others, all=True) if others else first)
    requests, events, since, of_held, browser = zip(*found, strict=True) if found else ((),) * 5
    oldest = min(filter(None, since), default=None)
    return Waiting(sum(events), any(n > COUNTED for n in requests), oldest, sum(of_held), sum(browser))


def _sums(rows: QuerySet[Any], held: Collection[int]) -> QuerySet[Any, Any]:
    oldest = rows.model._default_manager.filter(pk__in=rows.order_by("pk").values("pk")[: COUNTED + 1])
    of_held = Sum("event_count", filter=Q(pixel__in=held), default=0) if held else Value(0)
    sums: QuerySet[Any, Any] = (
        oldest.order_by()
        .annotate(one=Value(1))
        .values("one")
        .annotate(
            requests=Count("pk"),
            events=Sum("event_count", default=0),
            since=Min("received_at"),
            held=of_held,
            browser=Sum("event_count", filter=Q(road=Road.BROWSER), default=0),
        )
        .values_list("requests", "events", "since", "held", "browser")
    )
    return sums

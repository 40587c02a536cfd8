"""How much waits, since when, and how the lanes stand: of the whole instance, for whoever watches it.

What it costs follows the number of pixels and destinations of which something waits, and MOST rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import Case, Count, Min, OuterRef, Q, QuerySet, Subquery, Sum, Value, When
from django.utils import timezone

from events.delivery.lanes import pixels_with_rows
from events.delivery.owners import owners_with_rows
from events.models import (
    DeadLetter,
    DestinationLane,
    DestinationLetter,
    DestinationRow,
    Lane,
    OutboxRow,
    SourceRow,
)
from pipelines.models import Destination, Source
from pixels.models import Pixel

#: More rows are not counted: where so many wait, how many more do is not the question.
MOST = 100_000

#: ``new``: nobody has looked at them; ``retry``: they were tried in vain; ``held``: they wait for a person.
STATES = ("new", "retry", "held")


class Waiting(NamedTuple):
    """What waits on a road in a state: events, of MOST rows at most, and seconds since the oldest came.

    The roads are ``pixel``, to Meta; ``source``, a gateway source's, not taken in yet; and ``destination``, from there.
    """

    road: str
    state: str
    events: int
    age: float


class Lanes(NamedTuple):
    """Lanes of pixels or destinations: at work, backing off, held for a person."""

    road: str
    working: int
    retrying: int
    held: int


def waiting() -> Iterator[Waiting]:
    """All roads and states, those where nothing waits, too."""
    pixels = Pixel.objects.filter(pk__in=pixels_with_rows())
    yield from _of_owners("pixel", pixels, OutboxRow.objects.all(), Q(counted__in=[True]), Q(counted__in=[False]))
    destinations = Destination.objects.filter(pk__in=owners_with_rows(DestinationRow, "destination_id"))
    yield from _of_owners("destination", destinations, DestinationRow.objects.all(), Q())
    rows = SourceRow.objects.filter(place=None)
    sources = Source.objects.filter(pk__in=owners_with_rows(SourceRow, "source_id"))
    first = rows.filter(source=OuterRef("pk")).order_by("pk").values("received_at")[:1]
    oldest = sources.aggregate(oldest=Min(Subquery(first)))["oldest"]
    yield Waiting("source", "new", _events(rows), _age(oldest))


def lanes() -> Iterator[Lanes]:
    """How the lanes stand."""
    now = timezone.now()
    for road, model in (("pixel", Lane), ("destination", DestinationLane)):
        counts = model._default_manager.aggregate(
            working=Count("pk", filter=Q(claimed_until__gt=now)),
            retrying=Count("pk", filter=Q(failures__gt=0, held=False)),
            held=Count("pk", filter=Q(held=True)),
        )
        yield Lanes(road, counts["working"], counts["retrying"], counts["held"])


def dead_letters() -> Iterator[tuple[str, int]]:
    """Events that were refused and that nobody has dealt with, MOST at most."""
    for road, model in (("pixel", DeadLetter), ("destination", DestinationLetter)):
        yield road, model._default_manager.order_by()[:MOST].count()


def _of_owners(road: str, owners: QuerySet[Any], rows: QuerySet[Any], *places: Q) -> Iterator[Waiting]:
    """``rows`` are the owners', by the road's name; in the index the oldest stands first at each of the places."""
    ages = dict.fromkeys(STATES, 0.0)
    for place in places:
        first = rows.filter(place, **{road: OuterRef("pk")}).order_by("pk").values("received_at")[:1]
        found = owners.annotate(state=_state("lane"), first=Subquery(first)).values("state")
        for each in found.annotate(oldest=Min("first")).order_by():
            ages[each["state"]] = max(ages[each["state"]], _age(each["oldest"]))
    some = rows.filter(pk__in=rows.order_by("pk").values("pk")[:MOST]).annotate(state=_state(f"{road}__lane"))
    counts = some.values("state").annotate(events=Sum("event_count")).order_by()
    events = {each["state"]: each["events"] for each in counts}
    for state, age in ages.items():
        yield Waiting(road, state, events.get(state, 0), age)


def _state(lane: str) -> Case:
    return Case(
        When(**{f"{lane}__held": True}, then=Value("held")),
        When(**{f"{lane}__failures__gt": 0}, then=Value("retry")),
        default=Value("new"),
    )


def _events(rows: QuerySet[SourceRow]) -> int:
    some = rows.order_by("pk").values("event_count")[:MOST]
    return int(some.aggregate(events=Sum("event_count"))["events"] or 0)


def _age(since: datetime | None) -> float:
    return max(0.0, (timezone.now() - since).total_seconds()) if since else 0.0

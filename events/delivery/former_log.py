"""The delivery log of the release before, which its processes write during an upgrade: read until it is empty.

It goes with the release after this one (docs/decisions/0024).
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.db.models import Q

from events.delivery.entries import Delivered, From, Outcome, Position, Wanted, moment
from events.delivery.log.reading import oldest_kept
from events.models import Delivery, Road
from events.models.log import microseconds


def read_former_lines(
    pixels: Collection[int], wanted: Wanted, *, behind: Position | None, most: int
) -> list[Delivered]:
    """The newest lines of these pixels that are asked for, from a place on."""
    if not wanted.may_be_decided:
        return []
    log = Delivery.objects.filter(_asked_for(wanted), pixel__in=pixels, at__gte=oldest_kept())
    if behind is not None:
        log = log.filter(_behind(behind))
    if wanted.name_part:  # the log is bounded, and databases differ in what they take for the same letter
        names = log.order_by().values_list("event_name", flat=True).distinct()
        log = log.filter(event_name__in=[name for name in names if wanted.is_name(name)])
    return list(map(_delivered, log.order_by("-at", "-pk")[:most]))


def _asked_for(wanted: Wanted) -> Q:
    conditions: dict[str, Any] = {
        "outcome": wanted.outcome,
        "road": wanted.road,
        "event_name": wanted.event_name,
        "event_id": wanted.event_id,
        "website": wanted.website,
        "at__gte": wanted.since,
        "at__lt": wanted.until,
    }
    of_domain = Q()
    if wanted.domain is not None:
        of_domain = Q(website=wanted.domain) | Q(website__endswith=f".{wanted.domain}")
    return Q(of_domain, **{name: value for name, value in conditions.items() if value is not None})


def _behind(place: Position) -> Q:
    time, stored, pk, _ = place
    at = moment(time)
    return Q(at__lt=at) | (Q(at=at, pk__lt=pk) if stored == From.FORMER_LOG else Q(at=at))


def _delivered(row: Delivery) -> Delivered:
    return Delivered(
        place=(microseconds(row.at), From.FORMER_LOG, row.pk, 0),
        id=f"Delivery:{row.pk}",
        pixel_pk=row.pixel_id,
        at=row.at,
        outcome=Outcome(row.outcome),
        event_name=row.event_name,
        event_id=row.event_id,
        event_time=row.event_time,
        website=row.website,
        road=Road(row.road),
        detail=row.detail,
        code=row.code,
        trace_id=row.trace_id,
    )

"""Which events are not sent to a destination: a filter, a switch or their age drops them."""

from __future__ import annotations

from datetime import datetime
from functools import cache
from typing import NamedTuple

from django.db.models import Q

from events.delivery.destinations.kinds import KEEP_NOTHING
from events.delivery.fates import EXPIRED, Fate, dropped_by
from events.gateway.reading import Part
from events.models import EVENT_MAX_AGE, Delivery
from filters.matching import FilterSet, Kind
from filters.reads import rules_of
from pipelines.models import Destination, PipelineDestination


def _off(detail: str) -> Fate:
    return Fate("dropped_publishing_off", Delivery.Outcome.DROPPED, detail)


NO_PIPELINE = _off("No pipeline leads here any more")
PIPELINE_OFF = _off("The pipeline was off")
DESTINATION_OFF = _off("The destination was off")
KEEPS_NOTHING = _off("Audience storage keeps nothing")


class Route(NamedTuple):
    """A pipeline from a source to a destination."""

    is_active: bool
    blocked: frozenset[str]
    blocked_here: frozenset[str]


def routes(destination_pk: int, source_pk: int | None) -> list[Route]:
    """All of them, active or not."""
    links = PipelineDestination.objects.filter(
        destination=destination_pk, pipeline__source_links__source=source_pk
    ).select_related("pipeline")
    return [Route(link.pipeline.active, link.pipeline.blocked, link.blocked) for link in links]


def decide(part: Part, destination: Destination, now: datetime) -> None:
    """Drop and expire what must not be sent; what is left undecided is to be sent.

    The account's filters come first, then the pipelines', then the destination's; and an event that passes in one of
    several pipelines goes out once.
    """
    too_old = now - EVENT_MAX_AGE
    too_old_seconds = too_old.timestamp()
    account_wide = [rule for kind in Kind for rule in rules_of(destination.tenant_id, kind, Q(pixel=None))]
    filters, leading_here = FilterSet.of(account_wide, ()), routes(destination.pk, part.source_pk)

    @cache  # an event's name and website decide, and there are far fewer of these than events
    def dropped(name: str, website: str) -> Fate | None:
        rule = filters.dropped_by(name, website or None)
        return dropped_by(rule) if rule else _kept_back(name, destination, leading_here)

    for event in part.batch.undecided():
        is_too_old = event.time < too_old_seconds or event.row.received_at <= too_old
        event.fate = EXPIRED if is_too_old else dropped(event.name, event.website)


def _kept_back(name: str, destination: Destination, leading_here: list[Route]) -> Fate | None:
    active = [route for route in leading_here if route.is_active]
    passing = [route for route in active if name not in route.blocked]
    checks = (
        (not destination.active, DESTINATION_OFF),
        (not leading_here, NO_PIPELINE),
        (not active, PIPELINE_OFF),
        (destination.type in KEEP_NOTHING, KEEPS_NOTHING),
        (not passing, _filtered(f"Pipeline's filter for {name}")),
        (all(name in route.blocked_here for route in passing), _filtered(f"Destination's filter for {name}")),
    )
    return next((fate for is_kept_back, fate in checks if is_kept_back), None)


def _filtered(detail: str) -> Fate:
    return Fate("dropped_by_event_filter", Delivery.Outcome.DROPPED, detail)

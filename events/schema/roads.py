"""The road by which events came, and how many came by each (beyond the reference: ours)."""

from __future__ import annotations

from enum import Enum
from typing import Any

import graphene
from graphene import NonNull, ResolveInfo

from common.graphql.samples import Sampled
from events.figures.roads import ByRoad, Counts
from events.models import Road as RoadModel

#: The largest number that GraphQL's Int holds.
_MAX_INT = 2**31 - 1

_ROADS = {
    "SERVER": "A shop's server sent it, to /capi/<pixel id>/events.",
    "BROWSER": "The visitor's browser sent it, to /events.",
}


def _road_description(value: Enum | None) -> str:
    return "The way by which an event came." if value is None else _ROADS[value.name]


Road = graphene.Enum.from_enum(RoadModel, name="Road", description=_road_description)


def road_field() -> graphene.Field:
    """The road of an event."""
    return graphene.Field(
        Road,
        required=True,
        description="The way by which it came.",
        resolver=lambda root, info: RoadModel(root.road),
    )


def road_argument(description: str) -> graphene.Argument:
    """An argument that narrows a list to a road."""
    return graphene.Argument(Road, description=description)


class RoadActivity(graphene.ObjectType):
    """The events that came by one road."""

    road = graphene.Field(Road, required=True, description="The road.")
    received_count = graphene.Int(required=True, description="How many events were received.")
    published_count = graphene.Int(required=True, description="How many events were published.")
    publish_success_rate = graphene.Float(
        required=True,
        description=Sampled("The part of the attempts that succeeded, from 0.0 to 1.0; 0.0 without any.", 1.0),
    )


def by_road_field() -> graphene.Field:
    """What each road brought, of what the parent's ``counted`` holds."""
    return graphene.Field(
        graphene.List(NonNull(RoadActivity)),
        required=True,
        road=road_argument("Leaves out the other road."),
        description="What each road brought: servers, then browsers.",
        resolver=_by_road,
    )


def _by_road(root: dict[str, Any], info: ResolveInfo, road: RoadModel | None = None) -> list[dict[str, Any]]:
    counted: ByRoad = root["counted"]
    return [_activity(each, counted.on(each)) for each in RoadModel if road in (None, each)]


def _activity(road: RoadModel, counts: Counts) -> dict[str, Any]:
    return {"road": road, "publish_success_rate": counts.success_rate, **_shown(counts)}


def shown_counts(counted: ByRoad) -> dict[str, Any]:
    """Received and published events of both roads together, and what ``by_road`` tells of each."""
    return {"counted": counted, **_shown(counted.together)}


def _shown(counts: Counts) -> dict[str, int]:
    return {"received_count": as_int(counts.received), "published_count": as_int(counts.published)}


def as_int(count: int) -> int:
    """The count, or the largest number that may be told."""
    return min(count, _MAX_INT)

"""Which event ids came on both roads, and what is wrong with ids (beyond the reference: ours)."""

from __future__ import annotations

from enum import Enum
from typing import Any

import graphene
from graphene import NonNull, ResolveInfo

from accounts.schema.scope import TenantScope
from accounts.schema.types import milliseconds
from common.graphql.samples import MOMENT, Sampled
from events.deduplication import Deduplicated, Finding, read_deduplication
from events.models import IdFinding
from events.schema.roads import Road, as_int
from pipelines.lookups import find_source

_KINDS = {
    "REPEATED": "An id came again by one road more than an hour after the first time.",
    "NEVER_ON_BOTH": "Both roads brought events, but fewer than one in 20 of the ids came on both.",
    "MANY_ORDERS": "An id came with several orders (order_id) by one road.",
}


def _kind_description(value: Enum | None) -> str:
    return "What is wrong with the ids of events." if value is None else _KINDS[value.name]


EventIdFindingKind = graphene.Enum.from_enum(IdFinding.Kind, name="EventIdFindingKind", description=_kind_description)


class EventIdExample(graphene.ObjectType):
    """An event's id, as an example."""

    event_id = graphene.String(
        description=Sampled(
            "The id, without what looks like an address of mail or a telephone number; null where none was sent.",
            "order-1",
        ),
        resolver=lambda root, info: root.event_id or None,
    )
    road = graphene.Field(Road, description="By which road it came; null where that is not the point.")


class EventIdFinding(graphene.ObjectType):
    """What is wrong with the ids of events of one name."""

    kind = graphene.Field(EventIdFindingKind, required=True, description="What it is.")
    count = graphene.Int(required=True, description="With how many events, in the last 48 hours.")
    last_at = graphene.String(
        description=Sampled(
            "When the last one came: milliseconds since the epoch, as a string; null where that is not the point.",
            str(MOMENT),
        ),
        resolver=lambda root, info: milliseconds(root["last_at"]),
    )
    examples = graphene.List(NonNull(EventIdExample), required=True, description="At most three.")
    explanation = graphene.String(required=True, description=Sampled("What it is, in words.", "The same id came again"))
    remedy = graphene.String(required=True, description=Sampled("What is to be done about it.", "Meta drops them: …"))


class EventDeduplication(graphene.ObjectType):
    """The events of one name in the last 48 hours, by road, and how many of their ids came on both."""

    id = graphene.ID(
        required=True,
        description=Sampled(
            "EventDeduplication:<pixel or source id>:<event name>; nothing behind the last colon for the names counted "
            "together.",
            "EventDeduplication:$pixel_id:Purchase",
        ),
    )
    event_name = graphene.String(
        required=True,
        description=Sampled(
            "The event's name. Beyond 500 names a day, further ones are counted together as Other.",
            "Purchase",
        ),
    )
    browser_count = graphene.Int(required=True, description="How many events came from browsers.")
    server_count = graphene.Int(required=True, description="How many events came from servers.")
    ids_on_both_count = graphene.Int(required=True, description="How many ids came on both roads within 48 hours.")
    share = graphene.Float(
        description=Sampled(
            "The part of the ids of the road with fewer that came on the other, too, from 0.0 to 1.0; null where one "
            "road brought none.",
            1.0,
        )
    )
    margin = graphene.Float(
        required=True,
        description=Sampled(
            "The share is off by less than this, 19 times out of 20. 0.0 where all ids were compared: of a name with "
            "more than 4,000, a sample is.",
            0.0,
        ),
    )
    findings = graphene.List(NonNull(EventIdFinding), required=True, description="What is wrong with ids.")


class DeduplicationQueries:
    """The part of TenantQueries that tells of event ids."""

    event_deduplication = graphene.List(
        NonNull(EventDeduplication),
        required=True,
        pixel_id=graphene.String(
            required=True, description=Sampled("The id of a pixel or data source of the account.", "$pixel_id")
        ),
        description=(
            "By event name, the busiest first: how many events came from browsers and from servers in the last 48 "
            "hours, and how many ids on both, which Meta counts once. "
            "Codes: 400, 401, 404 no such pixel or data source."
        ),
    )

    @staticmethod
    def resolve_event_deduplication(root: TenantScope, info: ResolveInfo, pixel_id: str) -> list[dict[str, Any]]:
        owner = find_source(root.tenant, pixel_id, field="pixelId")
        return [_shown(pixel_id, one) for one in read_deduplication(owner).names]


def _shown(pixel_id: str, one: Deduplicated) -> dict[str, Any]:
    return {
        "id": f"EventDeduplication:{pixel_id}:{one.label}",
        "event_name": one.name,
        "browser_count": as_int(one.browser),
        "server_count": as_int(one.server),
        "ids_on_both_count": as_int(one.on_both),
        "share": one.share,
        "margin": one.margin,
        "findings": [_shown_finding(finding) for finding in one.findings],
    }


def _shown_finding(finding: Finding) -> dict[str, Any]:
    return {
        "kind": finding.kind,
        "count": as_int(finding.count),
        "last_at": finding.last_at,
        "examples": finding.examples,
        "explanation": finding.explanation,
        "remedy": finding.remedy,
    }

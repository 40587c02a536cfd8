"""What the intake refused of a pixel or data source (beyond the reference: ours)."""

from __future__ import annotations

from typing import Any

import graphene
from graphene import NonNull, ResolveInfo

from accounts.schema.scope import TenantScope
from common import budget
from common.graphql.samples import Sampled
from events.intake.rules import explain
from events.owners import Owner
from events.refused.reading import MAX_SHOWN, read_last_refused, read_refused
from events.refused.writing import KEPT
from events.schema.deliveries import text_field, time_field
from events.schema.roads import as_int, road_field
from pipelines.lookups import find_source


def _field() -> graphene.String:
    return graphene.String(
        required=True, description=Sampled("The field that the rule is about, as the API names it.", "event_time")
    )


def _reason() -> graphene.String:
    return graphene.String(
        required=True, description=Sampled("The rule that was broken, in a word that stays.", "time_too_old")
    )


def _explanation() -> graphene.String:
    return graphene.String(
        required=True,
        description=Sampled("The rule in words.", "It is more than 7 days ago: Meta takes no older events."),
        resolver=lambda root, info: explain(root.reason),
    )


class RefusalCount(graphene.ObjectType):
    """How often requests were refused for one field and rule in the last 24 hours."""

    field = _field()
    reason = _reason()
    explanation = _explanation()
    let_in = graphene.Boolean(
        required=True,
        description="False of requests without the access key that the pixel asks for, or of pages that may not send.",
        resolver=lambda root, info: root.is_let_in,
    )
    request_count = graphene.Int(
        required=True,
        description="How many requests were refused.",
        resolver=lambda root, info: as_int(root.requests),
    )
    browser_request_count = graphene.Int(
        required=True,
        description="How many of them came from browsers.",
        resolver=lambda root, info: as_int(root.browser),
    )
    event_count = graphene.Int(
        required=True,
        description="How many events they held; a body that nobody could read counts as one.",
        resolver=lambda root, info: as_int(root.events),
    )
    last_hour = time_field("last_hour", "The hour in which it last happened, by its start")


class RefusedRequest(graphene.ObjectType):
    """A request of which nothing was taken. The last 100 are kept, for 7 days."""

    id = graphene.ID(required=True, description=Sampled("A number.", "42"), resolver=lambda root, info: root.pk)
    at = time_field("at", "When it came")
    road = road_field()
    field = _field()
    reason = _reason()
    explanation = _explanation()
    event_count = graphene.Int(
        required=True,
        description="How many events it held; a body that nobody could read counts as one.",
        resolver=lambda root, info: as_int(root.event_count),
    )
    sample = text_field(
        "sample",
        "The event, or the beginning of the body; what may tell of anybody is masked. Null where nothing was read.",
        '{"event_name": "Purchase", "event_time": 1700000000}',
    )


class IntakeRefusals(graphene.ObjectType):
    """What the intake refused of a pixel or data source."""

    counts = graphene.List(
        NonNull(RefusalCount),
        required=True,
        description=f"By field and rule, in the last 24 hours: the {MAX_SHOWN} most frequent.",
    )
    last_requests = graphene.List(
        NonNull(RefusedRequest), required=True, description=f"The last {KEPT}, the newest first."
    )

    # Each is read, and paid for, where it is asked for.
    @staticmethod
    def resolve_counts(root: Owner, info: ResolveInfo) -> list[Any]:
        budget.load(MAX_SHOWN, "intakeRefusals")
        return read_refused(root)

    @staticmethod
    def resolve_last_requests(root: Owner, info: ResolveInfo) -> list[Any]:
        budget.load(KEPT, "intakeRefusals")
        return read_last_refused(root)


class RefusalQueries:
    """The part of TenantQueries that tells of what the intake refused."""

    intake_refusals = graphene.Field(
        IntakeRefusals,
        required=True,
        pixel_id=graphene.String(
            required=True, description=Sampled("The id of a pixel or data source of the account.", "$pixel_id")
        ),
        description=(
            "What the intake refused of a pixel or data source: how often, by field and rule, and the last requests. "
            "Codes: 400, 401, 404 no such pixel or data source."
        ),
    )

    @staticmethod
    def resolve_intake_refusals(root: TenantScope, info: ResolveInfo, pixel_id: str) -> Owner:
        return find_source(root.tenant, pixel_id, field="pixelId")

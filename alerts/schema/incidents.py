"""What is wrong, in the hub API (beyond the reference: ours)."""

from __future__ import annotations

from enum import Enum
from typing import Any

import graphene
from django.conf import settings
from graphene import NonNull, ResolveInfo

from accounts.permissions import Action, get_tenant
from accounts.schema.context import principal_of
from alerts.models import Incident as IncidentModel
from alerts.models import RuleName
from alerts.reads import cursor_of, list_incidents
from alerts.words import describe, subject_of
from common.graphql.paging import PageInfo, asks_for_previous
from common.graphql.samples import Sampled
from common.graphql.selection import selected
from events.schema.deliveries import connection_of, cursor_field, paging, time_field


def _rule_description(value: Enum | None) -> str:
    return "A rule that can be broken." if value is None else f"{RuleName(value.value).label}."


IncidentRule = graphene.Enum.from_enum(RuleName, name="IncidentRule", description=_rule_description)


def _id_of(*kinds: str) -> Any:
    """What the incident is about, where it is one of these."""

    def resolve(incident: IncidentModel, info: ResolveInfo) -> str | None:
        kind, name = subject_of(incident)
        return name if kind in kinds else None

    return resolve


def _words(name: str) -> Any:
    return lambda incident, info: getattr(describe(incident), name)


class Incident(graphene.ObjectType):
    """A rule that is broken at something, from when it was found until it is true no more. Kept for 90 days then."""

    id = graphene.ID(required=True, description=Sampled("A number.", "42"), resolver=lambda root, info: root.pk)
    rule = graphene.Field(IncidentRule, required=True, description="What is wrong.")
    tenant_id = graphene.String(
        description=Sampled("The account; null for what is wrong with the instance.", "$tenant_id")
    )
    pixel_id = graphene.String(
        description=Sampled("The pixel, or data source, that it is about; null for others.", "$pixel_id"),
        resolver=_id_of("pixel", "source"),
    )
    destination_id = graphene.String(
        description=Sampled("The gateway's destination that it is about; null for others.", None),
        resolver=_id_of("destination"),
    )
    title = graphene.String(
        required=True, description=Sampled("The rule in words.", "Access token rejected"), resolver=_words("title")
    )
    what = graphene.String(
        required=True,
        description=Sampled(
            "What is wrong, with the figures of the last look.",
            "Meta rejects the access token of Shop. Its events wait.",
        ),
        resolver=_words("what"),
    )
    remedy = graphene.String(
        required=True,
        description=Sampled(
            "What to do.", "Make a new token in Events Manager and give it to the pixel: waiting events are then sent."
        ),
        resolver=_words("remedy"),
    )
    link = graphene.String(
        required=True,
        description=Sampled(
            "The portal's page where that is done.",
            "https://gateway.example.com/hub/capig/pixels/$pixel_id/token/?tenant=$tenant_id",
        ),
        resolver=lambda incident, info: f"{settings.BASE_URL}{describe(incident).path}",
    )
    opened_at = time_field("opened_at", "When it was found")
    updated_at = time_field("updated_at", "When its figures last changed")
    closed_at = time_field("closed_at", "When it was true no more, null while it is open", required=False)


class IncidentEdge(graphene.ObjectType):
    """An incident in a list."""

    node = graphene.Field(Incident, required=True, description="The incident.")
    cursor = cursor_field()


class IncidentConnection(graphene.ObjectType):
    """A page of incidents."""

    edges = graphene.List(NonNull(IncidentEdge), required=True, description="The last found first.")
    page_info = graphene.Field(PageInfo, required=True, description="Where the page starts and ends.")


class IncidentQueries(graphene.ObjectType):
    """The part of the hub's queries that tells what is wrong."""

    incidents = graphene.Field(
        IncidentConnection,
        required=True,
        tenant_id=graphene.ID(
            description=Sampled(
                "One account. If not given, all that the caller may look into; for the host, with the instance itself.",
                "$tenant_id",
            )
        ),
        open=graphene.Boolean(description="True for those that are open, false for those that are over."),
        rule=IncidentRule(description="Leaves out other rules'."),
        **paging(),
        description=(
            "What is wrong, and what was in the last 90 days. Codes: 400, 401 unknown and forbidden accounts alike."
        ),
    )

    @staticmethod
    def resolve_incidents(
        root: None,
        info: ResolveInfo,
        tenant_id: str | None = None,
        open: bool | None = None,
        rule: RuleName | None = None,
        **paged: Any,
    ) -> dict[str, Any]:
        principal = principal_of(info)
        tenant = get_tenant(principal, tenant_id, Action.VIEW_DATA) if tenant_id is not None else None
        with_previous = asks_for_previous(selected(info))
        page = list_incidents(principal.borders, tenant, is_open=open, rule=rule, with_previous=with_previous, **paged)
        return connection_of(page, cursor_of)

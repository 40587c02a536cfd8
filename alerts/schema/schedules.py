"""When an account is told of alerts, in the hub API (beyond the reference: ours)."""

from __future__ import annotations

from typing import Any

import graphene
from graphene import ResolveInfo

from accounts.models import Tenant
from accounts.permissions import Action, get_tenant
from accounts.schema.context import principal_of
from alerts.services.schedules import schedule_of, set_schedule
from common.graphql.samples import Sampled

_ZONE = Sampled("The account's time zone, in which its times are meant: a name of the IANA database.", "Europe/Berlin")
_FROM = Sampled("Where the quiet hours begin, HH:MM; null for none.", "22:00")
_UNTIL = Sampled("Where they end, HH:MM; null for none. The earlier one is of the next day.", "07:30")
_SEVERE = "Are alerts of what loses events for good told in quiet hours, too?"
_HOUR = Sampled("The hour of the daily digest, 0 to 23; null for no digest.", 8)


class AlertSchedule(graphene.ObjectType):
    """When an account is told of alerts."""

    tenant_id = graphene.String(required=True, description=Sampled("The account.", "$tenant_id"))
    time_zone = graphene.String(required=True, description=_ZONE)
    quiet_from = graphene.String(description=_FROM)
    quiet_until = graphene.String(description=_UNTIL)
    severe_at_once = graphene.Boolean(required=True, description=_SEVERE)
    digest_hour = graphene.Int(description=_HOUR)


class UpdateAlertScheduleInput(graphene.InputObjectType):
    """What to change of when an account is told; what is left out stays, and null takes a time away."""

    tenant_id = graphene.ID(required=True, description=Sampled("Unique identifier of the account.", "$tenant_id"))
    time_zone = graphene.String(description=_ZONE)
    quiet_from = graphene.String(description=_FROM)
    quiet_until = graphene.String(description=_UNTIL)
    severe_at_once = graphene.Boolean(description=_SEVERE)
    digest_hour = graphene.Int(description=_HOUR)


class ScheduleQueries(graphene.ObjectType):
    """The part of the hub's queries that tells when an account is told."""

    alert_schedule = graphene.Field(
        AlertSchedule,
        tenant_id=graphene.ID(required=True, description=Sampled("Unique identifier of the account.", "$tenant_id")),
        description="When an account is told of alerts. Codes: 401 unknown and forbidden accounts alike.",
    )

    @staticmethod
    def resolve_alert_schedule(root: None, info: ResolveInfo, tenant_id: str) -> dict[str, Any]:
        return _told(get_tenant(principal_of(info), tenant_id, Action.VIEW_DATA))


class ScheduleMutations(graphene.ObjectType):
    """The part of the hub's mutations that changes it."""

    update_alert_schedule = graphene.Field(
        AlertSchedule,
        input=UpdateAlertScheduleInput(required=True, description="What to change."),
        description="Changes an account's time zone, quiet hours and daily digest. Codes: 400, 401.",
    )

    @staticmethod
    def resolve_update_alert_schedule(root: None, info: ResolveInfo, input: dict[str, Any]) -> dict[str, Any]:
        principal, wanted = principal_of(info), dict(input)
        tenant_id = wanted.pop("tenant_id")
        tenant = get_tenant(principal, tenant_id, Action.EDIT_SETTINGS)
        for field in ("time_zone", "severe_at_once"):
            if wanted.get(field, True) is None:  # they have no null: it is as good as not given
                del wanted[field]
        set_schedule(principal=principal, tenant_id=tenant_id, **_chosen(tenant) | wanted)
        return _told(get_tenant(principal, tenant_id, Action.VIEW_DATA))


def _chosen(tenant: Tenant) -> dict[str, Any]:
    row = schedule_of(tenant)
    return {
        "quiet_from": f"{row.quiet_from:%H:%M}" if row.quiet_from else None,
        "quiet_until": f"{row.quiet_until:%H:%M}" if row.quiet_until else None,
        "severe_at_once": row.severe_at_once,
        "digest_hour": row.digest_hour,
    }


def _told(tenant: Tenant) -> dict[str, Any]:
    return {"tenant_id": tenant.pk, "time_zone": tenant.zone.key, **_chosen(tenant)}

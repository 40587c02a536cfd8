"""The stage for a run of any operation: an account with something of everything, and variables that aim at it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from accounts.models import Membership, RoleLevel, Tenant, User
from events.models import DeadLetter
from pixels.models import Pixel
from tests.base import person
from tests.factories import (
    DeadLetterFactory,
    DeliveryFactory,
    DomainFilterFactory,
    EventFilterFactory,
    IngressDomainFactory,
    InvitationFactory,
    OutboxRowFactory,
    PixelFactory,
)


@dataclass(frozen=True)
class Stage:
    """An account, its pixel, and people who are there to be invited, changed and removed."""

    tenant: Tenant
    pixel: Pixel
    dead_letter: DeadLetter
    member: User
    invited_member: str
    invited_admin: str
    host_member: User
    invited_host_member: str


def make_stage(tenant: Tenant) -> Stage:
    """Fill the account."""
    pixel = PixelFactory.create(tenant=tenant)
    EventFilterFactory.create(tenant=tenant, event_name="Lead")
    EventFilterFactory.create(pixel=pixel, event_name="Purchase")
    DomainFilterFactory.create(tenant=tenant, domain="blocked.example.com")
    DomainFilterFactory.create(pixel=pixel, domain="other.example.com")
    IngressDomainFactory.create(tenant=tenant)
    DeliveryFactory.create(pixel=pixel)
    OutboxRowFactory.create(pixel=pixel)
    return Stage(
        tenant=tenant,
        pixel=pixel,
        dead_letter=DeadLetterFactory.create(pixel=pixel),
        member=person("pam", tenant, RoleLevel.VIEW),
        invited_member=_invited("ines", tenant, RoleLevel.VIEW),
        invited_admin=_invited("ivan", tenant, RoleLevel.ADMIN),
        host_member=person("hugo", None, RoleLevel.VIEW),
        invited_host_member=_invited("irma", None, RoleLevel.VIEW),
    )


def _invited(name: str, tenant: Tenant | None, level: RoleLevel) -> str:
    invitation = InvitationFactory.create(
        membership__user__email=f"{name}@example.com", membership__tenant=tenant, membership__level=level
    )
    membership: Membership = invitation.membership
    return membership.user.email


Variables = Callable[[Stage], dict[str, Any]]


def _of_tenant(stage: Stage) -> dict[str, Any]:
    return {"tenantId": stage.tenant.pk}


def _new_tenant(**fields: Any) -> Variables:
    return lambda stage: {"input": {"name": "New", "eventEnrichment": False, **fields}}


def _tenant_update(**fields: Any) -> Variables:
    return lambda stage: {"input": {"tenantId": stage.tenant.pk, **fields}}


def _other_status(stage: Stage) -> dict[str, Any]:
    return {"input": {"tenantId": stage.tenant.pk, "status": 0 if stage.tenant.status else 2}}


def _other_partner_access(stage: Stage) -> dict[str, Any]:
    return {"input": {"tenantId": stage.tenant.pk, "canPartnerManage": not stage.tenant.can_partner_manage}}


def _of_pixel(**fields: Any) -> Variables:
    return lambda stage: {"tenantId": stage.tenant.pk, "id": stage.pixel.pixel_id, **fields}


def _for_pixel(stage: Stage) -> dict[str, Any]:
    return {"tenantId": stage.tenant.pk, "pixelId": stage.pixel.pixel_id}


def _connection(pixel_id: Callable[[Stage], str]) -> Variables:
    return lambda stage: {
        "tenantId": stage.tenant.pk,
        "input": {
            "businessId": "1",
            "pixelId": pixel_id(stage),
            "accessToken": "a-new-token",
            "externalId": "",
            "name": "Checkout",
        },
    }


def _filter(name: str, value: str, *, one_pixel: bool) -> Variables:
    def variables(stage: Stage) -> dict[str, Any]:
        pixel_ids = {"pixelIds": [stage.pixel.pixel_id]} if one_pixel else {}
        return {"tenantId": stage.tenant.pk, "input": {name: value, "filterState": "DROP", **pixel_ids}}

    return variables


def _role(level: str, stage: Stage) -> str:
    return f"advertiser-{level}-{stage.tenant.pk}"


def _invitation(email: Callable[[Stage], str]) -> Variables:
    return lambda stage: {"input": {"email": email(stage), "tenantId": stage.tenant.pk, "userType": "ADVERTISER"}}


#: What each variant of each operation is run with; a variant's name follows the operation's after a colon.
VARIABLES: dict[str, Variables] = {
    "tenant": _of_tenant,
    "tenantUsage": _of_tenant,
    "ingressDomain": _of_tenant,
    "tenants": lambda stage: {},
    "viewer": lambda stage: {},
    "createTenant:managed": _new_tenant(canPartnerManage=True),
    "createTenant:own": _new_tenant(canPartnerManage=False, adminEmail="new@example.com"),
    "updateTenant:name": _tenant_update(name="Renamed"),
    "updateTenant:eventEnrichment": _tenant_update(eventEnrichment=True),
    "updateTenant:status": _other_status,
    "updateTenant:canPartnerManage": _other_partner_access,
    "deleteTenant": _of_tenant,
    "upsertIngressDomain": lambda stage: {
        "tenantId": stage.tenant.pk,
        "input": {"ingress": "new.example.com", "targetDomain": "gateway.example.net"},
    },
    "addUserWithRole:account": lambda stage: {"input": {"email": "new@example.com", "roleName": _role("view", stage)}},
    "addUserWithRole:host": lambda stage: {"input": {"email": "new@example.com", "roleName": "agency-view"}},
    "changeRoleForUser:change": lambda stage: {
        "input": {
            "userId": str(stage.member.pk),
            "roleToRevoke": _role("view", stage),
            "roleToAdd": _role("manage", stage),
        }
    },
    "changeRoleForUser:revoke": lambda stage: {
        "input": {"userId": str(stage.member.pk), "roleToRevoke": _role("view", stage)}
    },
    "changeRoleForUser:make-host": lambda stage: {
        "input": {"userId": str(stage.member.pk), "roleToAdd": "agency-view"}
    },
    "changeRoleForUser:host": lambda stage: {
        "input": {
            "userId": str(stage.host_member.pk),
            "roleToRevoke": "agency-view",
            "roleToAdd": "agency-manage",
        }
    },
    "changeRoleForUser:host-revoke": lambda stage: {
        "input": {"userId": str(stage.host_member.pk), "roleToRevoke": "agency-view"}
    },
    "sendInvitation:admin": _invitation(lambda stage: stage.invited_admin),
    "sendInvitation:member": _invitation(lambda stage: stage.invited_member),
    "sendInvitation:host": lambda stage: {"input": {"email": stage.invited_host_member, "userType": "AGENCY"}},
    "account": _of_tenant,
    "eventMetrics": _of_tenant,
    "deliveries": _for_pixel,
    "deadLetters": _for_pixel,
    "replayDeadLetter": lambda stage: {"tenantId": stage.tenant.pk, "id": str(stage.dead_letter.pk)},
    "replayDeadLetters": _for_pixel,
    "eventFilters": _of_tenant,
    "domainFilters": _of_tenant,
    "setupPixelSignalConfig:new": _connection(lambda stage: "18904456377094531"),
    "setupPixelSignalConfig:again": _connection(lambda stage: stage.pixel.pixel_id),
    "deleteDataSource": _of_pixel(),
    "updateSignalConfigEventsStatus": _of_pixel(input={"status": 0}),
    "updateSignalConfigCapiPublish": _of_pixel(input={"status": 0}),
    "updateEventFilter:account-wide": _filter("eventName", "AddToCart", one_pixel=False),
    "updateEventFilter:one-pixel": _filter("eventName", "AddToCart", one_pixel=True),
    "updateDomainFilter:account-wide": _filter("domain", "example.com", one_pixel=False),
    "updateDomainFilter:one-pixel": _filter("domain", "example.com", one_pixel=True),
}

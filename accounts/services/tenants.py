"""Opening, changing and deleting accounts."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from accounts.audit import Act, apply_changes, labels_of, record
from accounts.models import Membership, RoleLevel, Tenant, TenantStatus, UsageSnapshot
from accounts.models.people import cannot_sign_in
from accounts.models.tenant import NAME_MAX_LENGTH
from accounts.permissions import Action, get_tenant, require
from accounts.principals import Principal
from accounts.services.people import admit, forget_strangers
from common.errors import InvalidInput
from common.time_zones import clean_time_zone
from common.validation import clean_choice, clean_email, clean_text

#: What of an account is chosen, in the audit log's words.
FIELDS = {
    "name": _("Name"),
    "status": _("Status"),
    "can_partner_manage": _("Managed by the host"),
    "event_enrichment": _("Enhance events"),
    "time_zone": _("Time zone"),
}
_STATUS = labels_of("status", TenantStatus)
CREATE_ACCOUNT = Act("create account", _("opened the account %(subject)s"), FIELDS, _STATUS)
UPDATE_ACCOUNT = Act("update account", _("changed the settings of the account %(subject)s"), FIELDS, _STATUS)
DELETE_ACCOUNT = Act("delete account", _("deleted the account %(subject)s"))


@dataclass(frozen=True, slots=True)
class CreatedTenant:
    """A new account, with the link of its first admin's invitation where one was invited."""

    tenant: Tenant
    invitation_link: str | None
    is_mailed: bool


@transaction.atomic
def create_tenant(
    *,
    principal: Principal,
    name: str,
    can_partner_manage: bool,
    event_enrichment: bool,
    admin_email: str | None = None,
) -> CreatedTenant:
    """Open an account.

    ``admin_email`` becomes its first admin, by invitation. An account that the host does not manage needs one, and
    waits for it: it starts as pending and turns active when the invitation is accepted.
    """
    require(principal, Action.CREATE_TENANT)
    name = clean_text("name", name, max_length=NAME_MAX_LENGTH)
    email = clean_email("adminEmail", admin_email) if admin_email else None
    if email is None and not can_partner_manage:
        raise InvalidInput("adminEmail", "is required where canPartnerManage is false.")
    tenant = Tenant.objects.create(
        name=name,
        can_partner_manage=can_partner_manage,
        event_enrichment=event_enrichment,
        status=TenantStatus.ACTIVE if can_partner_manage else TenantStatus.PENDING,
    )
    UsageSnapshot.objects.create(tenant=tenant)
    record(
        principal,
        CREATE_ACCOUNT,
        tenant,
        tenant=tenant,
        changes={"name": [None, name], "canPartnerManage": [None, can_partner_manage]},
    )
    link, is_mailed = None, False
    if email is not None:
        admin = admit(principal, email=(admin_email or "").strip(), tenant=tenant, level=RoleLevel.ADMIN)
        link, is_mailed = admin.invitation_link, admin.is_mailed
    return CreatedTenant(tenant, link, is_mailed)


@transaction.atomic
def update_tenant(
    *,
    principal: Principal,
    tenant_id: str,
    name: str | None = None,
    status: int | None = None,
    can_partner_manage: bool | None = None,
    event_enrichment: bool | None = None,
    time_zone: str | None = None,
) -> Tenant:
    """Change what is given; what is None stays. With an empty ``time_zone`` the next browser sets it."""
    tenant = get_tenant(principal, tenant_id, Action.EDIT_SETTINGS, lock=True)
    new: dict[str, object] = {}
    if name is not None:
        new["name"] = clean_text("name", name, max_length=NAME_MAX_LENGTH)
    if event_enrichment is not None:
        new["event_enrichment"] = event_enrichment
    if time_zone is not None:
        new["time_zone"] = clean_time_zone("timeZone", time_zone) if time_zone else ""
    if status is not None and clean_choice("status", status, TenantStatus.values) != tenant.status:
        require(principal, Action.EDIT_STATUS, tenant)
        new["status"] = TenantStatus(status)
    if can_partner_manage is not None and can_partner_manage != tenant.can_partner_manage:
        require(principal, Action.EDIT_PARTNER_ACCESS, tenant)
        new["can_partner_manage"] = can_partner_manage
        if not can_partner_manage:
            _check_hand_over(tenant, new.get("status", tenant.status))
    changes = apply_changes(tenant, new)
    if changes:
        record(principal, UPDATE_ACCOUNT, tenant, tenant=tenant, changes=changes)
    return tenant


@transaction.atomic
def propose_time_zone(*, principal: Principal, tenant_id: str, time_zone: str) -> Tenant:
    """Set the time zone that somebody's browser has, unless one is set: what people choose stays."""
    tenant = get_tenant(principal, tenant_id, Action.EDIT_SETTINGS, lock=True)
    if tenant.time_zone:
        return tenant
    return update_tenant(principal=principal, tenant_id=tenant_id, time_zone=time_zone)


def _check_hand_over(tenant: Tenant, status: object) -> None:
    """An account becomes its own only where somebody can run it: the host cannot help it any more."""
    admins = Membership.objects.filter(tenant=tenant, level=RoleLevel.ADMIN, accepted_at__isnull=False)
    if not admins.exclude(cannot_sign_in()).exists():
        raise InvalidInput("canPartnerManage", "can be false only once the account has an admin of its own.")
    if status == TenantStatus.DEACTIVATED:
        raise InvalidInput("canPartnerManage", "cannot be false while the account is deactivated.")


@transaction.atomic
def delete_tenant(*, principal: Principal, tenant_id: str) -> None:
    """Delete an account with everything in it, for good. Its entries in the audit log stay."""
    tenant = get_tenant(principal, tenant_id, Action.DELETE_TENANT, lock=True)
    record(principal, DELETE_ACCOUNT, tenant, tenant=tenant)
    members = list(Membership.objects.filter(tenant=tenant).values_list("user_id", flat=True))
    tenant.delete()
    forget_strangers(principal, members)

"""Accounts and the people, keys and records that belong to them."""

from accounts.models.api_account import AccessToken, ApiAccount
from accounts.models.audit import AuditEntry
from accounts.models.host import HostSettings
from accounts.models.people import Invitation, Membership, RoleLevel, User
from accounts.models.tenant import IngressDomain, Tenant, TenantStatus, UsageSnapshot

__all__ = [
    "AccessToken",
    "ApiAccount",
    "AuditEntry",
    "HostSettings",
    "IngressDomain",
    "Invitation",
    "Membership",
    "RoleLevel",
    "Tenant",
    "TenantStatus",
    "UsageSnapshot",
    "User",
]

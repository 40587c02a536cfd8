"""Read models of the hub API: what a document asks for, in a constant number of queries.

All of it is within the principal's borders. Every function takes the document's ``Selection`` and loads no more than
that; nested accounts and people are loaded level by level, never row by row.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

from django.db.models import Prefetch, QuerySet

from accounts.models import Membership, RoleLevel, Tenant, User
from accounts.permissions import Action, get_tenant, is_allowed
from accounts.principals import Principal
from accounts.roles import Role
from portal.graphql.selection import Selection

#: Fields of ``User`` that look at the person's accounts beyond the one being listed.
_BEYOND = ("tenants", "defaultTenantId")


@dataclass(frozen=True, slots=True)
class NamedRole:
    """A role with the name of its account, None at the host."""

    role: Role
    tenant_name: str | None

    @property
    def name(self) -> str:
        """The name that the API gives the role."""
        return self.role.name

    @property
    def display_name(self) -> str:
        """The action."""
        return str(self.role.level)


@dataclass(frozen=True, slots=True)
class Person:
    """A person as one principal sees them: ``scope`` are the memberships that are spoken of here."""

    user: User
    scope: list[Membership]
    visible: list[Membership]

    @property
    def id(self) -> str:
        """The UUID, as text."""
        return str(self.user.pk)

    @property
    def email(self) -> str:
        """The address, in lower case."""
        return self.user.email

    @property
    def status(self) -> int:
        """0 deactivated, 1 activated, 2 pending."""
        return self.user.status

    @property
    def user_expiry(self) -> str | None:
        """The last day of a temporary person, yyyy-mm-dd."""
        return self.user.expires_on.isoformat() if self.user.expires_on else None

    @property
    def roles(self) -> list[NamedRole]:
        """The roles in scope, by account."""
        return [named_role(membership) for membership in self.scope]

    @property
    def tenants(self) -> list[Tenant]:
        """The person's accounts that the principal may see."""
        return [membership.tenant for membership in self.visible if membership.tenant]

    @property
    def can_be_deleted(self) -> bool:
        """False where the person is the only admin of an account in scope, or of the host."""
        return not any(membership.is_last_admin for membership in self.scope)

    @property
    def default_tenant_id(self) -> str | None:
        """The account that the person starts in, if the principal may know of it."""
        default = self.user.default_tenant_id
        return default if any(tenant.pk == default for tenant in self.tenants) else None


def named_role(membership: Membership) -> NamedRole:
    """The membership's role as the API shows it."""
    tenant = membership.tenant
    return NamedRole(Role(RoleLevel(membership.level), membership.tenant_id), tenant.name if tenant else None)


def read_tenant(principal: Principal, tenant_id: str, selection: Selection) -> Tenant:
    """One account with what is selected of it; NotAuthorized where it is hidden or missing."""
    tenant = get_tenant(principal, tenant_id, Action.VIEW_TENANT)
    return select_tenants(principal, Tenant.objects.filter(pk=tenant.pk), selection).get()


def select_tenants(principal: Principal, tenants: QuerySet[Tenant], selection: Selection) -> QuerySet[Tenant]:
    """Extend ``tenants`` by the usage, pixels and people that the document selects."""
    if "tenantUsage" in selection:
        tenants = cast(Any, tenants).with_usage()
        if "pixelIds" in selection["tenantUsage"]:
            tenants = tenants.prefetch_related(_pixel_ids())
    if "users" in selection:
        tenants = tenants.prefetch_related(
            Prefetch("memberships", _members(principal, selection["users"]), to_attr="visible_memberships")
        )
    return tenants


def people_of(principal: Principal, tenant: Tenant) -> list[Person]:
    """The people of an account that ``select_tenants`` loaded; none where the account is closed to the principal."""
    if not is_allowed(principal, Action.VIEW_DATA, tenant):
        return []
    people = []
    for membership in loaded_memberships(tenant):
        membership.tenant = tenant
        people.append(Person(membership.user, [membership], loaded_memberships(membership.user)))
    return people


def read_person(principal: Principal, user: User, selection: Selection) -> Person:
    """A person with the roles in every account that the principal may see."""
    visible = list(_selected_memberships(principal, selection).filter(user=user))
    return Person(user, visible, visible)


def members_of(principal: Principal, tenant: Tenant | None) -> QuerySet[Membership]:
    """The people of an account, or of the host where there is none, by address; ``is_last_admin`` is added."""
    members = Membership.objects.visible_to(principal).filter(tenant=tenant).with_last_admin()
    return members.select_related("user", "invitation").order_by("user__email")


def loaded_memberships(owner: Tenant | User) -> list[Membership]:
    """What a prefetch stored on an account or a person; empty where the document did not ask for it."""
    return getattr(owner, "visible_memberships", [])


def pixel_ids_of(principal: Principal, tenant: Tenant) -> list[str]:
    """The pixel ids that ``select_tenants`` loaded; none where the account is closed to the principal."""
    if not is_allowed(principal, Action.VIEW_DATA, tenant):
        return []
    return [pixel.pixel_id for pixel in getattr(tenant, "selected_pixels", [])]


def _members(principal: Principal, selection: Selection) -> QuerySet[Membership]:
    members = Membership.objects.visible_to(principal).select_related("user").order_by("user__email")
    if "canBeDeleted" in selection:
        members = members.with_last_admin()
    if any(field in selection for field in _BEYOND):
        beyond = _selected_memberships(principal, selection)
        members = members.prefetch_related(Prefetch("user__memberships", beyond, to_attr="visible_memberships"))
    return members


def _selected_memberships(principal: Principal, selection: Selection) -> QuerySet[Membership]:
    tenants = select_tenants(principal, Tenant.objects.open_to(principal), selection["tenants"])
    return (
        Membership.objects.visible_to(principal)
        .with_last_admin()
        .order_by("tenant__name", "tenant_id")
        .prefetch_related(Prefetch("tenant", tenants))
    )


def _pixel_ids() -> Prefetch[Any]:
    # By the relation's name: accounts knows that an account has pixels, not what a pixel is.
    pixels = cast(Any, Tenant._meta.get_field("pixels").related_model)
    return Prefetch("pixels", pixels.objects.only("tenant_id", "pixel_id"), to_attr="selected_pixels")

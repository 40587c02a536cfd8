"""Read models of the hub API: what a document asks for, in one statement (docs/decisions/0010-fast-graphql.md).

All of it is within the principal's borders. Every function takes the document's ``Selection`` and loads no more than
that. An account comes with its people and the names of their accounts. What hangs on these accounts in turn is loaded
for all of them at once, level by level: people of accounts of people would multiply in the database.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from functools import lru_cache
from typing import Any, cast

import msgspec
from django.db.models import Case, Count, F, OuterRef, Q, QuerySet, When
from django.db.models.expressions import Combinable
from django.utils import timezone

from accounts.models import Membership, Tenant, UsageSnapshot, User
from accounts.models.tenant import open_to
from accounts.permissions import Action, is_allowed, require
from accounts.principals import Principal, Viewer
from accounts.roles import role_name
from portal.errors import NotAuthorized
from portal.graphql.selection import Selection
from portal.statements import NOTHING, One, Param, Row, Rows, Statement

#: Fields of ``User`` that look at the person's accounts beyond the one being listed.
_BEYOND = frozenset({"tenants", "defaultTenantId"})


class NamedRole(msgspec.Struct, frozen=True, gc=False):
    """A role with the names that the API gives it, and the name of its account, which is None at the host."""

    name: str
    display_name: str
    tenant_name: str | None


class PixelCounts(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """How many pixels are connected, and how many of them receive and publish."""

    total: int = 0
    active: int = 0


class Traffic(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """The columns of a ``UsageSnapshot``; ``refreshed_at`` in ISO 8601."""

    total_events_received: int
    total_pixels_with_traffic: int
    publish_error: bool
    duration_in_hours: int
    refreshed_at: str | None


class TenantView(msgspec.Struct, array_like=True):
    """An account as a document asks for it; what it does not select is None."""

    id: str
    name: str
    status: int
    can_partner_manage: bool
    event_enrichment: bool
    counts: PixelCounts | None
    #: Their ids, each in a row of its own.
    pixels: list[tuple[str]] | None
    #: None where nothing was counted yet, too.
    traffic: Traffic | None
    members: list[Member] | None

    @property
    def pk(self) -> str:
        """The id, as the permissions ask for it."""
        return self.id

    @property
    def total_pixels(self) -> int:
        """Pixels that are connected."""
        return self.counts.total if self.counts else 0

    @property
    def total_active_pixels(self) -> int:
        """Pixels that receive and publish."""
        return self.counts.active if self.counts else 0

    @property
    def usage(self) -> Traffic:
        """The traffic, of which there is none where nothing was counted yet."""
        return self.traffic or _NO_TRAFFIC


class MembershipView(msgspec.Struct, array_like=True):
    """A role of a person: ``tenant`` is None at the host, and in an account that the principal may not look into."""

    level: str
    tenant_id: str | None
    #: None where it is not asked for.
    is_last_admin: bool | None
    tenant: TenantView | None

    def named(self) -> NamedRole:
        """The role as the API shows it."""
        tenant_name = self.tenant.name if self.tenant else None
        return NamedRole(role_name(self.level, self.tenant_id), self.level, tenant_name)


class Member(msgspec.Struct, array_like=True, frozen=True):
    """A person of an account: the columns of ``Person``, and of their membership there."""

    id: str
    email: str
    status: int
    user_expiry: str | None
    starts_in: str | None
    level: str
    is_last_admin: bool | None
    #: All that the principal may see of the person's, where they are asked for.
    memberships: list[MembershipView] | None


class Person(msgspec.Struct, frozen=True):
    """A person as one principal sees them: ``scope`` are the memberships that are spoken of here."""

    id: str
    email: str
    status: int
    #: The last day of a temporary person, yyyy-mm-dd.
    user_expiry: str | None
    starts_in: str | None
    scope: list[MembershipView]
    visible: list[MembershipView]

    @property
    def roles(self) -> list[NamedRole]:
        """The roles in scope, by account."""
        return [role.named() for role in self.scope]

    @property
    def tenants(self) -> list[TenantView]:
        """The person's accounts that the principal may see."""
        return [membership.tenant for membership in self.visible if membership.tenant]

    @property
    def can_be_deleted(self) -> bool:
        """False where the person is the only admin of an account in scope, or of the host."""
        return not any(membership.is_last_admin for membership in self.scope)

    @property
    def default_tenant_id(self) -> str | None:
        """The account that the person starts in, if the principal may know of it."""
        return self.starts_in if self.starts_in in [tenant.id for tenant in self.tenants] else None


def read_tenant(principal: Principal, tenant_id: str, selection: Selection) -> TenantView:
    """One account with what is selected of it; NotAuthorized where it is hidden or missing."""
    tenant = _tenant(principal.viewer, selection, timezone.now().date()).one(id=tenant_id)
    if tenant is None:
        raise NotAuthorized()
    require(principal, Action.VIEW_TENANT, tenant)
    return _complete(principal, [tenant], selection)[0]


def read_tenants(principal: Principal, tenants: QuerySet[Tenant], selection: Selection) -> list[TenantView]:
    """The accounts of a query with what is selected of each."""
    rows = Statement(tenants, *_tenant_columns(principal, selection), row=TenantView).all()
    return _complete(principal, rows, selection)


def read_person(principal: Principal, user: User, selection: Selection) -> Person:
    """A person with the roles in every account that the principal may see."""
    visible = _roles(principal.viewer, selection, timezone.now().date()).all(user=user.pk)
    _complete_accounts(principal, visible, selection["tenants"])
    expires_on = user.expires_on.isoformat() if user.expires_on else None
    return Person(str(user.pk), user.email, user.status, expires_on, user.default_tenant_id, visible, visible)


def people_of(principal: Principal, tenant: TenantView) -> list[Person]:
    """The people of an account that was read with them; none where the account is closed to the principal."""
    if not tenant.members or not is_allowed(principal, Action.VIEW_DATA, tenant):
        return []
    return [
        Person(
            member.id,
            member.email,
            member.status,
            member.user_expiry,
            member.starts_in,
            [MembershipView(member.level, tenant.id, member.is_last_admin, tenant)],
            member.memberships or [],
        )
        for member in tenant.members
    ]


def pixel_ids_of(principal: Principal, tenant: TenantView) -> list[str]:
    """The pixel ids of an account that was read with them; none where the account is closed to the principal."""
    if not tenant.pixels or not is_allowed(principal, Action.VIEW_DATA, tenant):
        return []
    return [pixel_id for (pixel_id,) in tenant.pixels]


def members_of(principal: Principal, tenant: Tenant | None) -> QuerySet[Membership]:
    """The people of an account, or of the host where there is none, by address; ``is_last_admin`` is added."""
    members = Membership.objects.visible_to(principal).filter(tenant=tenant).with_last_admin()
    return members.select_related("user", "invitation").order_by("user__email")


_NO_TRAFFIC = Traffic(*(getattr(UsageSnapshot(), name) for name in Traffic.__struct_fields__))


def _complete(principal: Principal, tenants: list[TenantView], selection: Selection) -> list[TenantView]:
    """The accounts with what hangs on the accounts of their people."""
    people = [member for tenant in tenants for member in tenant.members or ()]
    memberships = [membership for member in people for membership in member.memberships or ()]
    _complete_accounts(principal, memberships, selection["users"]["tenants"])
    return tenants


def _complete_accounts(principal: Principal, memberships: list[MembershipView], selection: Selection) -> None:
    """Put the accounts of memberships in, with what is selected of them beyond their own columns."""
    if selection.keys().isdisjoint(("users", "tenantUsage")):
        return
    ids = {membership.tenant.id for membership in memberships if membership.tenant}
    tenants = read_tenants(principal, Tenant.objects.open_to(principal).filter(pk__in=ids).order_by(), selection)
    complete = {tenant.id: tenant for tenant in tenants}
    for membership in memberships:
        membership.tenant = membership.tenant and complete.get(membership.tenant.id)


# The statements. What they are built from is their key: the viewer's borders, the selection, and the day, since people
# who are there for a time can be admins until then.


@lru_cache(maxsize=256)
def _tenant(viewer: Viewer, selection: Selection, today: date) -> Statement[TenantView]:
    """One account, by ``id``."""
    tenants = Tenant.objects.visible_to(viewer.principal).filter(pk=Param("id")).order_by()
    return Statement(tenants, *_tenant_columns(viewer.principal, selection), row=TenantView)


@lru_cache(maxsize=256)
def _roles(viewer: Viewer, selection: Selection, today: date) -> Statement[MembershipView]:
    """The memberships of one person, by ``user``."""
    user = Param("user", User._meta.pk)
    columns = _membership_columns(viewer.principal, selection)
    return Statement(_memberships_of(user, viewer.principal), *columns, row=MembershipView)


_OWN = ("id", "name", "status", "can_partner_manage", "event_enrichment")


def _tenant_columns(principal: Principal, selection: Selection) -> Iterable[str | Combinable]:
    """The columns of ``TenantView``."""
    usage = selection["tenantUsage"]
    # By the relation's name: accounts knows that an account has pixels, not what a pixel is.
    pixels = cast(Any, Tenant._meta.get_field("pixels").related_model).objects.filter(tenant=OuterRef("pk"))
    counts = pixels.order_by().values("tenant")
    members = Membership.objects.visible_to(principal).filter(tenant=OuterRef("pk")).with_last_admin()
    people = selection["users"]
    return (
        *_OWN,
        One(counts, Count("pk"), Count("pk", filter=Q(active=True))) if usage else NOTHING,
        Rows(pixels.order_by("pixel_id"), "pixel_id") if "pixelIds" in usage else NOTHING,
        _traffic_column() if "tenantUsageByTraffic" in usage else NOTHING,
        Rows(members.order_by("user__email"), *_person_columns(principal, people)) if people else NOTHING,
    )


def _traffic_column() -> Case:
    traffic = Row(*(f"usage__{name}" for name in Traffic.__struct_fields__))
    return Case(When(usage__isnull=False, then=traffic), default=None)


def _person_columns(principal: Principal, selection: Selection) -> Iterable[str | Combinable]:
    """The columns of ``Member``."""
    beyond = _memberships_of(OuterRef("user"), principal)
    return (
        *("user_id", "user__email", "user__status", "user__expires_on", "user__default_tenant_id", "level"),
        F("is_last_admin") if "canBeDeleted" in selection else NOTHING,
        NOTHING if _BEYOND.isdisjoint(selection) else Rows(beyond, *_membership_columns(principal, Selection())),
    )


def _memberships_of(user: Combinable, principal: Principal) -> QuerySet[Membership]:
    memberships = Membership.objects.visible_to(principal).filter(user=user).with_last_admin()
    return memberships.order_by("tenant__name", "tenant_id")


def _membership_columns(principal: Principal, selection: Selection) -> Iterable[str | Combinable]:
    """The columns of ``MembershipView``, with the account's own where it is open to the principal."""
    own = Row(*(f"tenant__{name}" for name in _OWN), NOTHING, NOTHING, NOTHING, NOTHING)
    return (
        "level",
        "tenant_id",
        F("is_last_admin") if "canBeDeleted" in selection else NOTHING,
        Case(When(open_to(principal, "tenant__"), tenant__isnull=False, then=own), default=None),
    )

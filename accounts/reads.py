"""Read models of the hub API: what a document asks for, in one statement (docs/decisions/0010-fast-graphql.md).

All of it is within the principal's borders. Every function takes the document's ``Selection`` and loads no more than
that. An account comes with its people. Their accounts are loaded for all of them at once, once for each person however
often the person is listed, and what hangs on these accounts likewise, level by level: people of accounts of people
would multiply in the database. A list below a list is counted before it is loaded (common.budget).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import date
from functools import lru_cache
from operator import attrgetter
from typing import Any, cast
from uuid import UUID

import msgspec
from django.db.models import Case, Count, F, OuterRef, Q, QuerySet, When
from django.db.models.expressions import Combinable
from django.db.models.lookups import LessThan
from django.utils import timezone

from accounts.borders import Borders
from accounts.models import Membership, Tenant, UsageSnapshot, User
from accounts.models.people import MembershipQuerySet
from accounts.models.tenant import open_to
from accounts.permissions import Action, is_allowed, require
from accounts.principals import Principal
from accounts.role_names import role_name
from common import budget
from common.budget import SCALARS_PER_OBJECT, most_rows
from common.errors import NotAuthorized
from common.graphql.selection import Selection
from common.statements import NOTHING, Among, HowMany, One, Param, Row, Rows, Statement, columns_of

#: Fields of ``TenantUsage`` that count pipelines.
_PIPELINES = frozenset({"totalPipelines", "totalActivePipeline"})
#: Fields of ``User`` that look at the person's accounts beyond the one being listed.
_BEYOND = frozenset({"tenants", "defaultTenantId"})


class NamedRole(msgspec.Struct, frozen=True, gc=False):
    """A role with the names that the API gives it, and the name of its account, which is None at the host."""

    name: str
    display_name: str
    tenant_name: str | None


class Counts(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """How many things of a kind an account has, and how many of them are active."""

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
    counts: Counts | None = None
    #: Of pipelines that are no pixel's.
    gateway: Counts | None = None
    #: Their ids, each in a row of its own.
    pixels: list[tuple[str]] | None = None
    #: None where nothing was counted yet, too.
    traffic: Traffic | None = None
    members: list[Member] | None = None

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
    def total_pipelines(self) -> int:
        """Those of pixels, one each, and the others."""
        return self.total_pixels + (self.gateway.total if self.gateway else 0)

    @property
    def total_active_pipelines(self) -> int:
        """Those of active pixels, and the others that are on."""
        return self.total_active_pixels + (self.gateway.active if self.gateway else 0)

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


class PersonsMembership(MembershipView):
    """The same, with whose it is."""

    user_id: str


class _OfPerson(msgspec.Struct, array_like=True):
    """What is told of a person wherever they are listed."""

    id: str
    email: str
    status: int
    #: The last day of a temporary person, yyyy-mm-dd.
    user_expiry: str | None
    starts_in: str | None


class Member(_OfPerson):
    """A person of an account, and their membership there.

    Who is listed for many accounts has one list of memberships, loaded once.
    """

    level: str
    is_last_admin: bool | None
    #: All that the principal may see of the person's, where they are asked for.
    memberships: list[MembershipView] | None


class Person(_OfPerson, kw_only=True):
    """A person as one principal sees them: ``scope`` are the memberships that are spoken of here."""

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
    tenant = _tenant(principal.borders, selection, timezone.now().date(), most_rows()).one(
        principal.guard, id=tenant_id
    )
    if tenant is None:
        raise NotAuthorized()
    require(principal, Action.VIEW_TENANT, tenant)
    if selection["users"]:
        people = tenant.members
        memberships = sum(len(member.memberships or ()) for member in people or ())
        budget.load(most_rows() if people is None else len(people) + memberships, "users")
    budget.load(len(tenant.pixels or ()), "pixelIds", per_object=budget.SCALARS_PER_OBJECT)
    return _complete(principal, [tenant], selection)[0]


def read_tenants(principal: Principal, tenants: QuerySet[Tenant], selection: Selection) -> list[TenantView]:
    """The accounts of a query with what is selected of each; how many they are is bounded."""
    if selection["users"]:
        visible = Membership.objects.visible_to(principal.borders)
        budget.load_counted(visible.filter(tenant__in=tenants.values("pk")), "users")
    if "pixelIds" in selection["tenantUsage"]:
        pixels = _of_tenants("pixels").filter(tenant__in=tenants.values("pk"))
        budget.load_counted(pixels, "pixelIds", per_object=budget.SCALARS_PER_OBJECT)
    rows = Statement(tenants, *_tenant_columns(principal.borders, selection, most_rows()), row=TenantView).all(
        principal.guard
    )
    members = [member for tenant in rows for member in tenant.members or ()]
    if members and not _BEYOND.isdisjoint(selection["users"]):
        found = _memberships_of(principal, {UUID(member.id) for member in members}, Selection())
        for member in members:
            member.memberships = found.get(member.id)
    return _complete(principal, rows, selection)


def read_person(principal: Principal, user: User, selection: Selection) -> Person:
    """A person with the roles in every account that the principal may see."""
    visible = _memberships_of(principal, [user.pk], selection).get(str(user.pk), [])
    _complete_accounts(principal, visible, selection["tenants"])
    return Person(
        id=str(user.pk),
        email=user.email,
        status=user.status,
        user_expiry=user.expires_on.isoformat() if user.expires_on else None,
        starts_in=user.default_tenant_id,
        scope=visible,
        visible=visible,
    )


def people_of(principal: Principal, tenant: TenantView) -> list[Person]:
    """The people of an account that was read with them; none where the account is closed to the principal."""
    if not tenant.members or not is_allowed(principal, Action.VIEW_DATA, tenant):
        return []
    return [
        Person(
            *_of_person(member),
            scope=[MembershipView(member.level, tenant.id, member.is_last_admin, tenant)],
            visible=member.memberships or [],
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
    members = Membership.objects.visible_to(principal.borders).filter(tenant=tenant).with_last_admin()
    return members.select_related("user", "invitation").order_by("user__email")


_of_person = attrgetter(*_OfPerson.__struct_fields__)
_NO_TRAFFIC = Traffic(*(getattr(UsageSnapshot(), name) for name in Traffic.__struct_fields__))


def _complete(principal: Principal, tenants: list[TenantView], selection: Selection) -> list[TenantView]:
    """The accounts with what hangs on the accounts of their people."""
    people = [member for tenant in tenants for member in tenant.members or ()]
    memberships = [membership for member in people for membership in member.memberships or ()]
    _complete_accounts(principal, memberships, selection["users"]["tenants"])
    return tenants


def _memberships_of(
    principal: Principal, people: Collection[UUID], selection: Selection
) -> dict[str, list[MembershipView]]:
    """By person, the memberships that the principal may see, by account."""
    if len(people) > 1:
        budget.load_counted(Membership.objects.visible_to(principal.borders).filter(user__in=people), "tenants")
    rows = _roles(principal.borders, selection, timezone.now().date(), most_rows()).all(principal.guard, people=people)
    if len(people) == 1:
        budget.load(len(rows), "tenants")
    found: dict[str, list[MembershipView]] = {}
    for membership in rows:
        found.setdefault(membership.user_id, []).append(membership)
    return found


def _complete_accounts(principal: Principal, memberships: Iterable[MembershipView], selection: Selection) -> None:
    """Put the accounts of memberships in, with what is selected of them beyond their own columns."""
    if selection.keys().isdisjoint(("users", "tenantUsage")):
        return
    memberships = list(memberships)
    ids = {membership.tenant.id for membership in memberships if membership.tenant}
    tenants = read_tenants(
        principal, Tenant.objects.open_to(principal.borders).filter(pk__in=ids).order_by(), selection
    )
    complete = {tenant.id: tenant for tenant in tenants}
    for membership in memberships:
        membership.tenant = membership.tenant and complete.get(membership.tenant.id)


# The statements. What they are built from is their key: the borders, the selection, and the day, since people
# who are there for a time can be admins until then.


@lru_cache(maxsize=256)
def _tenant(borders: Borders, selection: Selection, today: date, most: int) -> Statement[TenantView]:
    """One account, by ``id``; its lists end at ``most`` rows."""
    tenants = Tenant.objects.visible_to(borders).filter(pk=Param("id")).order_by()
    return Statement(tenants, *_tenant_columns(borders, selection, most, one=True), row=TenantView)


@lru_cache(maxsize=256)
def _roles(borders: Borders, selection: Selection, today: date, most: int) -> Statement[PersonsMembership]:
    """The memberships of the ``people``, by account, ``most`` of them."""
    memberships = Membership.objects.visible_to(borders).filter(Among("user_id", "people")).with_last_admin()
    columns = _membership_columns(PersonsMembership, borders, selection)
    return Statement(_by_account(memberships)[:most], *columns, row=PersonsMembership)


def _of_tenants(relation: str) -> QuerySet[Any, Any]:
    """By the relation's name: accounts knows that an account has pixels and pipelines, not what these are."""
    found: QuerySet[Any, Any] = cast(Any, Tenant._meta.get_field(relation).related_model).objects.all()
    return found


def _counts(rows: QuerySet[Any, Any]) -> One:
    of_tenant = rows.filter(tenant=OuterRef("pk")).order_by().values("tenant")
    return One(of_tenant, *columns_of(Counts, total=Count("pk"), active=Count("pk", filter=Q(active=True))))


def _tenant_columns(borders: Borders, selection: Selection, most: int, *, one: bool = False) -> list[str | Combinable]:
    """The columns of ``TenantView``; lists end at ``most`` rows."""
    usage = selection["tenantUsage"]
    pixels = _of_tenants("pixels")
    ids = pixels.filter(tenant=OuterRef("pk")).order_by("pixel_id")[: most * SCALARS_PER_OBJECT]
    return columns_of(
        TenantView,
        counts=_counts(pixels) if usage else NOTHING,
        gateway=_counts(_of_tenants("pipelines")) if not _PIPELINES.isdisjoint(usage) else NOTHING,
        pixels=Rows(ids, "pixel_id") if "pixelIds" in usage else NOTHING,
        traffic=_traffic_column() if "tenantUsageByTraffic" in usage else NOTHING,
        members=_people_column(borders, selection["users"], most, one=one) if selection["users"] else NOTHING,
    )


def _people_column(borders: Borders, selection: Selection, most: int, *, one: bool) -> Combinable:
    """``Member``s of the account, ``most`` of them.

    Of ``one`` account they come with their memberships, each person's once. Null where these are so many that they are
    not loaded: the database counts them before.
    """
    members = Membership.objects.visible_to(borders).filter(tenant=OuterRef("pk")).with_last_admin()
    members = members.order_by("user__email")[:most]
    if not one or _BEYOND.isdisjoint(selection):
        return Rows(members, *_member_columns(selection, NOTHING))
    visible = Membership.objects.visible_to(borders)
    theirs = _by_account(visible.filter(user=OuterRef("user")).with_last_admin())
    memberships = Rows(theirs, *_membership_columns(MembershipView, borders, Selection()))
    people = Rows(members, *_member_columns(selection, memberships))
    number = HowMany(visible.filter(user__memberships__tenant=OuterRef("pk")).order_by()[:most])
    return Case(When(LessThan(number, most), then=people), default=None)


def _traffic_column() -> Case:
    traffic = Row(*columns_of(Traffic, "usage__"))
    return Case(When(usage__isnull=False, then=traffic), default=None)


def _member_columns(selection: Selection, memberships: Combinable) -> list[str | Combinable]:
    """The columns of ``Member`` in a membership."""
    return columns_of(
        Member,
        "user__",
        user_expiry="user__expires_on",
        starts_in="user__default_tenant_id",
        level="level",
        is_last_admin=_last_admin(selection),
        memberships=memberships,
    )


def _last_admin(selection: Selection) -> Combinable:
    return F("is_last_admin") if "canBeDeleted" in selection else NOTHING


def _by_account(memberships: MembershipQuerySet) -> MembershipQuerySet:
    return memberships.order_by("tenant__name", "tenant_id")


def _membership_columns(row: type[MembershipView], borders: Borders, selection: Selection) -> list[str | Combinable]:
    """The columns of ``row``, with the account's own where it is open to the principal."""
    own = Row(*columns_of(TenantView, "tenant__"))
    tenant = Case(When(open_to(borders, "tenant__"), tenant__isnull=False, then=own), default=None)
    return columns_of(row, is_last_admin=_last_admin(selection), tenant=tenant)

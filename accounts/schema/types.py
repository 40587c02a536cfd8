"""The hub API's types. Resolvers read what ``accounts.reads`` loaded; none asks the database row by row."""

from __future__ import annotations

from datetime import datetime

import graphene
from graphene import ResolveInfo

from accounts.models import IngressDomain as IngressDomainModel
from accounts.models import RoleLevel
from accounts.permissions import Action, is_allowed
from accounts.principals import Principal
from accounts.reads import NamedRole, Person, TenantView, Traffic, people_of, pixel_ids_of
from accounts.role_names import role_name
from accounts.schema.context import principal_of
from common.graphql.paging import SAMPLE_CURSOR, PageInfo
from common.graphql.samples import MOMENT, Sampled
from common.graphql.scalars import Long

_LEVELS = tuple(RoleLevel.values)


def milliseconds(moment: datetime | str | None) -> str | None:
    """Milliseconds since the epoch as a string; None for never. ``moment`` may be text in ISO 8601."""
    if isinstance(moment, str):
        moment = datetime.fromisoformat(moment)
    return None if moment is None else str(int(moment.timestamp() * 1000))


class UserType(graphene.Enum):
    """Whose person it is: the host's or an account's."""

    AGENCY = "AGENCY"
    ADVERTISER = "ADVERTISER"

    @property
    def description(self) -> str:
        return {"AGENCY": "One of the host's.", "ADVERTISER": "One of an account's."}[self.value]


class Role(graphene.ObjectType):
    """What a person may do in an account, or at the host."""

    class Meta:
        possible_types = (NamedRole,)

    name = graphene.String(
        required=True,
        description=Sampled(
            "agency-<action>, or advertiser-<action>-<tenantId>; the actions are admin, manage and view.",
            "advertiser-manage-$tenant_id",
        ),
    )
    display_name = graphene.String(required=True, description=Sampled("The action.", "manage"))
    tenant_name = graphene.String(
        description=Sampled("The account's name; null for a role at the host.", "$tenant_name")
    )


class TenantUsageByTraffic(graphene.ObjectType):
    """Traffic of an account over a duration, refreshed on a schedule."""

    class Meta:
        possible_types = (Traffic,)

    total_events_received = graphene.Field(Long, required=True, description="Events received in the duration.")
    total_pixels_with_traffic = graphene.Int(
        required=True, description="Pixels that received an event in the duration."
    )
    publish_error = graphene.Boolean(
        required=True, description=Sampled("Did publishing fail for any pixel in the duration?", False)
    )
    duration_in_hours = graphene.Int(required=True, description="How many hours back the figures reach.")
    last_updated_at = graphene.String(
        description=Sampled("When the figures were refreshed: milliseconds since the epoch, as a string.", str(MOMENT))
    )

    @staticmethod
    def resolve_last_updated_at(root: Traffic, info: ResolveInfo) -> str | None:
        return milliseconds(root.refreshed_at)


class TenantUsage(graphene.ObjectType):
    """How many pixels an account has and what passes through them."""

    class Meta:
        possible_types = (TenantView,)

    total_pixels = graphene.Int(required=True, description="Pixels that are connected.")
    total_active_pixels = graphene.Int(required=True, description="Pixels that receive and publish.")
    total_inactive_pixels = graphene.Int(
        required=True, description=Sampled("Pixels with receiving or publishing off.", 0)
    )
    total_pipelines = graphene.Int(
        required=True, description="Pipelines: one for each pixel, and those of the gateway."
    )
    total_active_pipeline = graphene.Int(
        required=True,
        source="total_active_pipelines",
        description="Pipelines of pixels that receive and publish, and those of the gateway that are on.",
    )
    pixel_ids = graphene.List(
        graphene.NonNull(graphene.String),
        required=True,
        description=Sampled("The ids of the pixels; empty where the account is closed to the caller.", "$pixel_id"),
    )
    tenant_usage_by_traffic = graphene.Field(
        TenantUsageByTraffic, required=True, source="usage", description="The traffic of the last hours."
    )

    @staticmethod
    def resolve_total_inactive_pixels(root: TenantView, info: ResolveInfo) -> int:
        return root.total_pixels - root.total_active_pixels

    @staticmethod
    def resolve_pixel_ids(root: TenantView, info: ResolveInfo) -> list[str]:
        return pixel_ids_of(principal_of(info), root)


class User(graphene.ObjectType):
    """A person."""

    class Meta:
        possible_types = (Person,)

    id = graphene.String(required=True, description=Sampled("A UUID.", "$user_id"))
    email = graphene.String(required=True, description=Sampled("The email address, in lower case.", "ada@example.com"))
    status = graphene.Int(required=True, description=Sampled("0 deactivated, 1 activated, 2 pending.", 1))
    roles = graphene.List(
        graphene.NonNull(Role),
        required=True,
        description="Roles in every account that the caller may see; in Tenant.users, the role in that account.",
    )
    tenants = graphene.List(
        graphene.NonNull(lambda: Tenant), required=True, description="The person's accounts that the caller may see."
    )
    is_self = graphene.Boolean(
        required=True, description=Sampled("Is this the signed-in person? Always false for API accounts.", False)
    )
    can_be_deleted = graphene.Boolean(
        required=True, description="False where the person is the only admin of an account."
    )
    default_tenant_id = graphene.String(description=Sampled("The account that the person starts in.", "$tenant_id"))
    user_expiry = graphene.String(description="yyyy-mm-dd, the last day of a temporary person.")

    @staticmethod
    def resolve_is_self(root: Person, info: ResolveInfo) -> bool:
        user = principal_of(info).user
        return user is not None and str(user.pk) == root.id


class Tenant(graphene.ObjectType):
    """An account."""

    class Meta:
        possible_types = (TenantView,)

    id = graphene.String(
        required=True, description=Sampled("Eight letters and digits, for example hU2koC34.", "$tenant_id")
    )
    name = graphene.String(required=True, description=Sampled("The account's name.", "$tenant_name"))
    status = graphene.Int(required=True, description=Sampled("0 active, 1 pending configuration, 2 deactivated.", 0))
    can_partner_manage = graphene.Boolean(
        required=True, description="May the host manage the account's pixels, filters and people?"
    )
    users = graphene.List(
        graphene.NonNull(User),
        required=True,
        description="The account's people; empty where the account is closed to the caller.",
    )
    available_roles = graphene.List(
        graphene.NonNull(Role), required=True, description="The roles that people can have in the account."
    )
    tenant_usage = graphene.Field(TenantUsage, required=True, description="Pixels and traffic of the account.")
    can_edit_tenant_settings_in_ui = graphene.Boolean(
        name="canEditTenantSettingsInUI",
        required=True,
        description="May the caller, in the web UI, change pixels, filters and settings? False for API accounts.",
    )
    can_view_tenant_in_ui = graphene.Boolean(
        name="canViewTenantInUI",
        required=True,
        description="May the caller open the account in the web UI? False for API accounts.",
    )
    can_edit_tenant_users_in_ui = graphene.Boolean(
        name="canEditTenantUsersInUI",
        required=True,
        description="May the caller change the account's people in the web UI? False for API accounts.",
    )
    event_enrichment = graphene.Boolean(required=True, description="Are events enhanced with advanced matching data?")

    @staticmethod
    def resolve_users(root: TenantView, info: ResolveInfo) -> list[Person]:
        return people_of(principal_of(info), root)

    @staticmethod
    def resolve_available_roles(root: TenantView, info: ResolveInfo) -> list[NamedRole]:
        return [NamedRole(role_name(level, root.id), level, root.name) for level in _LEVELS]

    @staticmethod
    def resolve_tenant_usage(root: TenantView, info: ResolveInfo) -> TenantView:
        return root

    @staticmethod
    def resolve_can_edit_tenant_settings_in_ui(root: TenantView, info: ResolveInfo) -> bool:
        return _may_in_ui(principal_of(info), Action.EDIT_SETTINGS, root)

    @staticmethod
    def resolve_can_view_tenant_in_ui(root: TenantView, info: ResolveInfo) -> bool:
        return _may_in_ui(principal_of(info), Action.VIEW_DATA, root)

    @staticmethod
    def resolve_can_edit_tenant_users_in_ui(root: TenantView, info: ResolveInfo) -> bool:
        return _may_in_ui(principal_of(info), Action.EDIT_PEOPLE, root)


class CreateTenantInput(graphene.InputObjectType):
    """The account to open."""

    name = graphene.String(required=True, description=Sampled("Name of the account, 1 to 100 characters.", "Shoes"))
    can_partner_manage = graphene.Boolean(required=True, description=Sampled("May the host manage the account?", True))
    admin_email = graphene.String(
        description="Required when canPartnerManage is false; becomes the account's first admin, by invitation."
    )
    event_enrichment = graphene.Boolean(
        required=True, description=Sampled("Enhance events with advanced matching data.", True)
    )


class UpdateTenantInput(graphene.InputObjectType):
    """What to change of an account; what is left out stays."""

    tenant_id = graphene.String(required=True, description=Sampled("Unique identifier of the account.", "$tenant_id"))
    name = graphene.String(description=Sampled("Name of the account, 1 to 100 characters.", "$tenant_name"))
    status = graphene.Int(description="0 active, 1 pending configuration, 2 deactivated.")
    can_partner_manage = graphene.Boolean(description="May the host manage the account?")
    event_enrichment = graphene.Boolean(description="Enhance events with advanced matching data.")


def _may_in_ui(principal: Principal, action: Action, tenant: TenantView) -> bool:
    return principal.user is not None and is_allowed(principal, action, tenant)


class EnhancementTenantIngressVerifiedResult(graphene.ObjectType):
    """The outcome of the check of an account's own domain."""

    id = graphene.ID(
        required=True, description=Sampled("<tenantId>:tenantIngressVerified", "$tenant_id:tenantIngressVerified")
    )
    tenant_ingress_verified = graphene.Boolean(required=True, description="Does the domain lead to the gateway?")

    @staticmethod
    def resolve_id(root: IngressDomainModel, info: ResolveInfo) -> str:
        return f"{root.tenant_id}:tenantIngressVerified"

    @staticmethod
    def resolve_tenant_ingress_verified(root: IngressDomainModel, info: ResolveInfo) -> bool:
        return root.status == IngressDomainModel.Status.VERIFIED


class IngressDomain(graphene.ObjectType):
    """Data routing: the account's own domain whose CNAME leads to the gateway."""

    id = graphene.ID(required=True, description=Sampled("<tenantId>:ingress", "$tenant_id:ingress"))
    tenant_name = graphene.String(required=True, description=Sampled("The account's name.", "$tenant_name"))
    ingress = graphene.String(description=Sampled("The account's own domain; null until one is chosen.", "$ingress"))
    tenant1p_domain = graphene.String(description=Sampled("The same as ingress.", "$ingress"))
    tenant1p_domain_status = graphene.String(
        description=Sampled(
            "DOMAIN_NOT_SELECTED until the CNAME of ingress leads to the gateway, then VERIFIED.", "VERIFIED"
        )
    )
    cname_resolve_success = graphene.Boolean(
        required=True, description="Did the CNAME lead to the gateway when it was last checked?"
    )
    enhancement_tenant_ingress_verified_result = graphene.Field(
        EnhancementTenantIngressVerifiedResult, description="The outcome of the last check; null before the first."
    )

    @staticmethod
    def resolve_id(root: IngressDomainModel, info: ResolveInfo) -> str:
        return f"{root.tenant_id}:ingress"

    @staticmethod
    def resolve_tenant_name(root: IngressDomainModel, info: ResolveInfo) -> str:
        return root.tenant.name

    @staticmethod
    def resolve_ingress(root: IngressDomainModel, info: ResolveInfo) -> str | None:
        return root.ingress or None

    @staticmethod
    def resolve_tenant1p_domain(root: IngressDomainModel, info: ResolveInfo) -> str | None:
        return root.ingress or None

    @staticmethod
    def resolve_tenant1p_domain_status(root: IngressDomainModel, info: ResolveInfo) -> str:
        # As the reference has it, also where a domain is chosen whose CNAME does not lead here yet.
        return "VERIFIED" if root.status == IngressDomainModel.Status.VERIFIED else "DOMAIN_NOT_SELECTED"

    @staticmethod
    def resolve_cname_resolve_success(root: IngressDomainModel, info: ResolveInfo) -> bool:
        return root.status == IngressDomainModel.Status.VERIFIED

    @staticmethod
    def resolve_enhancement_tenant_ingress_verified_result(
        root: IngressDomainModel, info: ResolveInfo
    ) -> IngressDomainModel | None:
        return root if root.checked_at else None


class TenantEdge(graphene.ObjectType):
    """An account in a list."""

    node = graphene.Field(Tenant, required=True, description="The account.")
    cursor = graphene.String(
        required=True, description=Sampled("Where it stands: pass it as after to go on from here.", SAMPLE_CURSOR)
    )


class TenantConnection(graphene.ObjectType):
    """A page of accounts."""

    edges = graphene.List(graphene.NonNull(TenantEdge), required=True, description="The accounts, by name.")
    page_info = graphene.Field(PageInfo, required=True, description="Where the page starts and ends.")
    total_count = graphene.Int(required=True, description="How many accounts match, over all pages.")


class Viewer(graphene.ObjectType):
    """The caller: a person or an API account."""

    kind = graphene.Field(UserType, required=True, description="Whose person or API account it is.")
    email = graphene.String(description=Sampled("The person's address; null for an API account.", "ada@example.com"))
    api_account = graphene.String(description="The API account's name; null for a person.")
    tenant_ids = graphene.List(
        graphene.NonNull(graphene.String),
        required=True,
        description=Sampled("The accounts that the caller can see.", "$tenant_id"),
    )

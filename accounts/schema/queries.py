"""The hub API's queries."""

from __future__ import annotations

from typing import Any

import graphene
from graphene import ResolveInfo

from accounts import reads
from accounts.models import IngressDomain as IngressDomainModel
from accounts.models import Tenant as TenantModel
from accounts.paging import cursor_of, page_of_tenants
from accounts.permissions import Action, get_tenant
from accounts.schema.api_accounts import ApiAccountQuery
from accounts.schema.context import principal_of
from accounts.schema.types import IngressDomain, Tenant, TenantConnection, TenantUsage, Viewer
from common import budget
from common.graphql.paging import asks_for_previous, connection
from common.graphql.samples import Sampled
from common.graphql.selection import Selection, selected


class HubQuery(ApiAccountQuery, graphene.ObjectType):
    """What the hub endpoint answers."""

    class Meta:
        name = "Query"

    tenant = graphene.Field(
        Tenant,
        tenant_id=graphene.String(
            required=True, description=Sampled("Unique identifier of the account.", "$tenant_id")
        ),
        description="One account. Unknown and forbidden accounts answer alike: 401.",
    )
    tenant_usage = graphene.Field(
        TenantUsage,
        tenant_id=graphene.String(
            required=True, description=Sampled("Unique identifier of the account.", "$tenant_id")
        ),
        description=(
            "Usage of one account; open to the host even where the host may not manage the account, for billing."
        ),
    )
    ingress_domain = graphene.Field(
        IngressDomain,
        tenant_id=graphene.ID(required=True, description=Sampled("Unique identifier of the account.", "$tenant_id")),
        description="The account's data routing.",
    )
    tenants = graphene.Field(
        TenantConnection,
        required=True,
        first=graphene.Int(default_value=50, description=Sampled("How many accounts a page holds, 1 to 200.", 10)),
        after=graphene.String(description="The cursor after which the page starts."),
        search=graphene.String(description="Part of the name, or an account's id."),
        status=graphene.Int(description="Only accounts with this status (refer to Tenant)."),
        description="The accounts that the caller can see, by name, with cursor paging.",
    )
    viewer = graphene.Field(Viewer, required=True, description="The caller: a person or an API account.")

    @staticmethod
    def resolve_tenant(root: None, info: ResolveInfo, tenant_id: str) -> reads.TenantView:
        return reads.read_tenant(principal_of(info), tenant_id, selected(info))

    @staticmethod
    def resolve_tenant_usage(root: None, info: ResolveInfo, tenant_id: str) -> reads.TenantView:
        return reads.read_tenant(principal_of(info), tenant_id, Selection({"tenantUsage": selected(info)}))

    @staticmethod
    def resolve_ingress_domain(root: None, info: ResolveInfo, tenant_id: str) -> IngressDomainModel:
        tenant = get_tenant(principal_of(info), tenant_id, Action.VIEW_DATA)
        routing = IngressDomainModel.objects.filter(tenant=tenant).first() or IngressDomainModel()
        routing.tenant = tenant
        return routing

    @staticmethod
    def resolve_tenants(
        root: None,
        info: ResolveInfo,
        first: int | None,
        after: str | None = None,
        search: str | None = None,
        status: int | None = None,
    ) -> dict[str, Any]:
        principal, selection = principal_of(info), selected(info)
        page = page_of_tenants(principal, first=first, after=after, search=search, status=status)
        rows = reads.read_tenants(principal, page.rows, selection["edges"]["node"])
        return {
            **connection(
                rows[: page.size],
                cursor_of,
                has_next=len(rows) > page.size,
                has_previous=asks_for_previous(selection) and page.before.exists(),
            ),
            "total_count": page.matching.count() if "totalCount" in selection else 0,
        }

    @staticmethod
    def resolve_viewer(root: None, info: ResolveInfo) -> dict[str, Any]:
        principal = principal_of(info)
        tenant_ids: list[str] = []
        if "tenantIds" in selected(info):
            tenants = (
                TenantModel.objects.visible_to(principal.borders).order_by("name", "pk").values_list("pk", flat=True)
            )
            tenant_ids = list(tenants[: budget.most_rows() * budget.SCALARS_PER_OBJECT])
            budget.load(len(tenant_ids), "tenantIds", per_object=budget.SCALARS_PER_OBJECT)
        return {
            "kind": "AGENCY" if principal.sees_all_tenants else "ADVERTISER",
            "email": principal.user and principal.user.email,
            "api_account": principal.api_account and principal.api_account.name,
            "tenant_ids": tenant_ids,
        }

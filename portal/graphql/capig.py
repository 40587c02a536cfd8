"""The schema of POST /capig/graphql/: pixels, filters, event metrics and deliveries."""

from __future__ import annotations

import graphene
from graphene import ResolveInfo

from accounts.schema.scope import TenantScope, scope_of
from common.graphql.samples import Sampled
from events.schema.deliveries import DeadLetterMutations, DeliveryQueries
from events.schema.metrics import MetricsQueries
from filters.schema import FilterMutations, FilterQueries
from pixels.schema.capig import PixelQueries, SignalMutations


def _tenant_id() -> graphene.ID:
    return graphene.ID(required=True, description=Sampled("Unique identifier of the account.", "$tenant_id"))


class TenantQueries(FilterQueries, DeliveryQueries, MetricsQueries, PixelQueries, graphene.ObjectType):
    """What one account holds."""


class TenantMutations(FilterMutations, DeadLetterMutations, graphene.ObjectType):
    """What can be changed in one account."""

    signal_mutations = graphene.Field(SignalMutations, description="The account's pixels.")

    @staticmethod
    def resolve_signal_mutations(root: str, info: ResolveInfo) -> str:
        return root


class Query(graphene.ObjectType):
    """What the capig endpoint answers."""

    tenant_queries = graphene.Field(
        TenantQueries,
        tenant_id=_tenant_id(),
        description="One account. Unknown and forbidden accounts answer alike: 401.",
    )

    @staticmethod
    def resolve_tenant_queries(root: None, info: ResolveInfo, tenant_id: str) -> TenantScope:
        return scope_of(info, tenant_id)


class Mutation(graphene.ObjectType):
    """What the capig endpoint changes."""

    tenant_mutations = graphene.Field(
        TenantMutations,
        tenant_id=_tenant_id(),
        description="One account. Unknown and forbidden accounts answer alike: 401.",
    )

    @staticmethod
    def resolve_tenant_mutations(root: None, info: ResolveInfo, tenant_id: str) -> str:
        # The services check: what an account allows depends on what is to be done there.
        return tenant_id


schema = graphene.Schema(query=Query, mutation=Mutation)

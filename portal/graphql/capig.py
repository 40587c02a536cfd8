"""The schema of POST /capig/graphql/: pixels, filters, pipelines, event metrics and deliveries."""

from __future__ import annotations

import graphene
from graphene import ResolveInfo

from accounts.schema.scope import TenantScope, scope_of
from common.graphql.samples import Sampled
from events.schema.deduplication import DeduplicationQueries
from events.schema.deliveries import DeadLetterMutations, DeliveryQueries
from events.schema.gateway import GatewayMutations, GatewayQueries
from events.schema.metrics import MetricsQueries
from events.schema.refused import RefusalQueries
from events.schema.registrations import RegistrationMutations, RegistrationQueries
from filters.schema import FilterMutations, FilterQueries
from pipelines.schema.destinations import DataDestinationMutations
from pipelines.schema.pipelines import DataPipelineMutations
from pipelines.schema.queries import SignalsQueries
from pipelines.schema.sources import DataSourceMutations
from pixels.schema.capig import PixelQueries, SignalMutations


def _tenant_id() -> graphene.ID:
    return graphene.ID(required=True, description=Sampled("Unique identifier of the account.", "$tenant_id"))


class TenantQueries(
    SignalsQueries,
    FilterQueries,
    DeliveryQueries,
    GatewayQueries,
    DeduplicationQueries,
    RefusalQueries,
    RegistrationQueries,
    MetricsQueries,
    PixelQueries,
    graphene.ObjectType,
):
    """What one account holds."""


class TenantMutations(
    FilterMutations, DeadLetterMutations, GatewayMutations, RegistrationMutations, graphene.ObjectType
):
    """What can be changed in one account."""

    signal_mutations = graphene.Field(SignalMutations, description="The account's pixels.")

    data_pipeline_mutations = graphene.Field(DataPipelineMutations, description="The account's pipelines.")
    data_source_mutations = graphene.Field(DataSourceMutations, description="What the account's events come from.")
    data_destination_mutations = graphene.Field(
        DataDestinationMutations, description="Where the account's events go, beside Meta."
    )

    @staticmethod
    def resolve_signal_mutations(root: str, info: ResolveInfo) -> str:
        return root

    @staticmethod
    def resolve_data_pipeline_mutations(root: str, info: ResolveInfo) -> str:
        return root

    @staticmethod
    def resolve_data_source_mutations(root: str, info: ResolveInfo) -> str:
        return root

    @staticmethod
    def resolve_data_destination_mutations(root: str, info: ResolveInfo) -> str:
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

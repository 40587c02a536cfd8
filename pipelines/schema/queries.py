"""The part of TenantQueries that is about pipelines."""

from __future__ import annotations

import graphene
from graphene import NonNull, ResolveInfo

from accounts.schema.scope import TenantScope
from common.graphql.samples import Sampled
from pipelines import reads
from pipelines.schema.types import DataDestination, DataSource, Pipeline
from pipelines.shown import DestinationView, PipelineView, SourceView


class SignalsQueries:
    """Pipelines, data sources and destinations of an account."""

    pipeline = graphene.Field(
        Pipeline,
        id=graphene.ID(required=True, description=Sampled("The pipeline's id.", "$pipeline_id")),
        description="One pipeline. Codes: 401, 404 no such pipeline.",
    )
    pipelines = graphene.List(
        NonNull(Pipeline),
        required=True,
        description="All pipelines: those of Meta Pixels by id, then the others as they were made. Codes: 401.",
    )
    data_sources_query = graphene.List(
        DataSource,
        description="All data sources: Meta Pixels by id, then the others as they were made. Codes: 401.",
    )
    data_destinations_query = graphene.List(
        DataDestination,
        description="All destinations: those of Meta Pixels by id, then the others as they were made. Codes: 401.",
    )

    @staticmethod
    def resolve_pipeline(root: TenantScope, info: ResolveInfo, id: str) -> PipelineView:
        return reads.read_pipeline(root.principal, root.tenant_id, id)

    @staticmethod
    def resolve_pipelines(root: TenantScope, info: ResolveInfo) -> list[PipelineView]:
        return reads.list_pipelines(root.principal, root.tenant_id)

    @staticmethod
    def resolve_data_sources_query(root: TenantScope, info: ResolveInfo) -> list[SourceView]:
        return reads.list_sources(root.principal, root.tenant_id)

    @staticmethod
    def resolve_data_destinations_query(root: TenantScope, info: ResolveInfo) -> list[DestinationView]:
        return reads.list_destinations(root.principal, root.tenant_id)

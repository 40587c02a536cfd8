"""What mutations answer with: what they have changed, read anew within what is left of the answer's budget."""

from __future__ import annotations

from graphene import ResolveInfo

from accounts.schema.context import principal_of
from common.budget import current_budget
from pipelines.reads import read_destination, read_pipeline, read_source
from pipelines.shown import DestinationView, PipelineView, SourceView


def pipeline_of(info: ResolveInfo, tenant_id: str, id: str) -> PipelineView:
    """The pipeline as it is now."""
    with current_budget().reading(info.field_name):
        return read_pipeline(principal_of(info), tenant_id, id)


def source_of(info: ResolveInfo, tenant_id: str, id: str) -> SourceView:
    """The data source as it is now."""
    with current_budget().reading(info.field_name):
        return read_source(principal_of(info), tenant_id, id)


def destination_of(info: ResolveInfo, tenant_id: str, id: str) -> DestinationView:
    """The destination as it is now."""
    with current_budget().reading(info.field_name):
        return read_destination(principal_of(info), tenant_id, id)

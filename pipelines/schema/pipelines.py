"""dataPipelineMutations."""

from __future__ import annotations

from typing import Any

import graphene
from graphene import NonNull, ResolveInfo

from accounts.schema.context import principal_of
from common.graphql.samples import Sampled
from pipelines.schema import nobodys
from pipelines.schema.answers import pipeline_of
from pipelines.schema.types import DataFilter, Pipeline, PipelineDestinationFilter
from pipelines.services import filters, pipelines
from pipelines.shown import DestinationFilterView, FilterView, PipelineView


class PipelineInput(graphene.InputObjectType):
    """What to change of a pipeline; what is left out stays."""

    id = graphene.ID(required=True, description=Sampled("The pipeline's id.", nobodys.PIPELINE))
    name = graphene.String(description=Sampled("The pipeline's name, 1 to 100 characters.", "Shop"))
    active = graphene.Boolean(
        description=Sampled("Do events pass? Of a Meta Pixel: does the gateway publish them?", True)
    )


def _names(description: str) -> graphene.List:
    return graphene.List(graphene.String, description=Sampled(description, ["AddToCart"]))


class PipelineFilterInput(graphene.InputObjectType):
    """The filter of a pipeline; what is left out stays."""

    pipeline_id = graphene.ID(required=True, description=Sampled("The pipeline's id.", nobodys.PIPELINE))
    filter_status = graphene.Boolean(
        description="False switches the filter off, and keeps its list. Left out, the list blocks."
    )
    blocked_event_types = _names("Names of events that shall not pass, instead of the former ones.")


class PipelineDestinationFilterInput(graphene.InputObjectType):
    """The filter of one destination of a pipeline; what is left out stays. The list goes by either name."""

    pipeline_id = graphene.ID(required=True, description=Sampled("The pipeline's id.", nobodys.PIPELINE))
    destination_id = graphene.ID(required=True, description=Sampled("The destination's id.", nobodys.DESTINATION))
    destination_filter_blocked_event_types = _names(
        "Names of events that shall not pass on, instead of the former ones."
    )
    blocked_event_types = graphene.List(graphene.String, description="The same list; both only if they agree.")
    filter_status = graphene.Boolean(description="False switches the filter off, and keeps its list.")


class DataPipelineMutations(graphene.ObjectType):
    """Makes, changes and deletes pipelines and their filters."""

    create_pipeline = graphene.Field(
        Pipeline,
        name=graphene.Argument(
            NonNull(graphene.String), description=Sampled("The pipeline's name, 1 to 100 characters.", "Shop")
        ),
        description="Makes a pipeline, which is active and empty. An account may have 500. Codes: 400, 401.",
    )
    create_conversion_api_gateway_pipeline = graphene.Field(
        Pipeline,
        pipeline_name=graphene.String(
            description=Sampled(
                "The pipeline's name, at most 100 characters; Conversions API Gateway(<pixel id>) where left out.",
                "Conversions API Gateway (18904456377094531)",
            )
        ),
        pixel_id=graphene.ID(
            required=True, description=Sampled("The pixel's id, 1 to 20 digits.", "18904456377094531")
        ),
        business_id=graphene.String(
            required=True,
            description=Sampled("The id of the business at Meta, 1 to 64 characters.", "2840127409433732"),
        ),
        access_token=graphene.String(
            required=True,
            description=Sampled("1 to 2,048 characters. Encrypted at rest, never returned.", "<accessToken>"),
        ),
        api_version=graphene.String(
            description=Sampled("A Graph API version: v24.0, 24.0 or 24.0.1; the newest known one.", "$api_version")
        ),
        external_id=graphene.String(
            required=True,
            description=Sampled("The external business id, at most 255 characters, or empty.", "633612748410ba6e902"),
        ),
        create_ob=graphene.Argument(
            graphene.Boolean,
            name="createOB",
            description=Sampled("Is Meta told to have browsers post to the gateway? True where left out.", True),
        ),
        description=(
            "Connects a Meta Pixel, as setupPixelSignalConfig does, and names its pipeline. A pixel that this account "
            "has already is updated: what is left out stays as it was. Codes: 400, 401."
        ),
    )
    update_pipeline = graphene.Field(
        Pipeline,
        input=graphene.Argument(NonNull(PipelineInput), description="What to change."),
        description="Names or switches a pipeline. Codes: 400, 401, 404 no such pipeline.",
    )
    delete_pipeline = graphene.ID(
        id=graphene.ID(required=True, description=Sampled("The pipeline's id.", nobodys.PIPELINE)),
        description=Sampled(
            "Deletes a pipeline, and answers its id. Data sources and destinations stay without it; a Meta Pixel is "
            "disconnected. Codes: 401, 404 no such pipeline.",
            nobodys.PIPELINE,
        ),
    )
    update_pipeline_filter = graphene.Field(
        DataFilter,
        input=graphene.Argument(NonNull(PipelineFilterInput), description="The filter to set."),
        description=(
            "Keeps events back from all destinations of a pipeline. A Meta Pixel's are its event filters. "
            "Codes: 400, 401, 404 no such pipeline."
        ),
    )
    update_pipeline_destination_filter = graphene.Field(
        PipelineDestinationFilter,
        input=graphene.Argument(NonNull(PipelineDestinationFilterInput), description="The filter to set."),
        description=(
            "Keeps events back from one destination of a pipeline. "
            "Codes: 400, 401, 404 no such pipeline or destination."
        ),
    )

    @staticmethod
    def resolve_create_pipeline(root: str, info: ResolveInfo, name: str) -> PipelineView:
        made = pipelines.create_pipeline(principal=principal_of(info), tenant_id=root, name=name)
        return pipeline_of(info, root, made)

    @staticmethod
    def resolve_create_conversion_api_gateway_pipeline(
        root: str, info: ResolveInfo, pipeline_name: str | None = None, create_ob: bool | None = None, **given: Any
    ) -> PipelineView:
        made = pipelines.connect_pixel_pipeline(
            principal=principal_of(info),
            tenant_id=root,
            connection=pipelines.Connection(**given),
            pipeline_name=pipeline_name,
            registers=create_ob,
        )
        return pipeline_of(info, root, made)

    @staticmethod
    def resolve_update_pipeline(root: str, info: ResolveInfo, input: dict[str, Any]) -> PipelineView:
        pipelines.update_pipeline(principal=principal_of(info), tenant_id=root, **input)
        return pipeline_of(info, root, input["id"])

    @staticmethod
    def resolve_delete_pipeline(root: str, info: ResolveInfo, id: str) -> str:
        pipelines.delete_pipeline(principal=principal_of(info), tenant_id=root, id=id)
        return id

    @staticmethod
    def resolve_update_pipeline_filter(root: str, info: ResolveInfo, input: dict[str, Any]) -> FilterView:
        return filters.update_pipeline_filter(principal=principal_of(info), tenant_id=root, **input)

    @staticmethod
    def resolve_update_pipeline_destination_filter(
        root: str, info: ResolveInfo, input: dict[str, Any]
    ) -> DestinationFilterView:
        names, field = filters.one_list(
            input.get("destination_filter_blocked_event_types"), input.get("blocked_event_types")
        )
        return filters.update_destination_filter(
            principal=principal_of(info),
            tenant_id=root,
            pipeline_id=input["pipeline_id"],
            destination_id=input["destination_id"],
            filter_status=input.get("filter_status"),
            blocked_event_types=names,
            field=field,
        )

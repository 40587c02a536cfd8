"""dataDestinationMutations."""

from __future__ import annotations

from typing import Any

import graphene
from graphene import NonNull, ResolveInfo

from accounts.schema.context import principal_of
from common.graphql.samples import Sampled
from pipelines.models import DestinationType
from pipelines.schema import nobodys
from pipelines.schema.answers import destination_of
from pipelines.schema.configuration import (
    UpdateDataDestinationCapiConfigInput,
    UpdateDataDestinationHttpConfigInput,
    http_config,
)
from pipelines.schema.enums import DataDestinationType
from pipelines.schema.types import DataDestination
from pipelines.services import configuration, destinations
from pipelines.shown import DestinationView
from pipelines.validation import one_of_two


class CreateDataDestinationInput(graphene.InputObjectType):
    """The destination to make."""

    name = graphene.String(
        required=True, description=Sampled("The destination's name, 1 to 100 characters.", "Data warehouse")
    )
    type = graphene.Field(
        DataDestinationType,
        required=True,
        description=Sampled("What kind of destination it is.", "GOOGLE_BIGQUERY_API"),
    )
    pipeline_id = graphene.ID(
        required=True, description=Sampled("The id of a pipeline that is no Meta Pixel's.", "$pipeline_id")
    )


class DataDestinationInput(graphene.InputObjectType):
    """What to change of a destination; what is left out stays. The type goes by either name, and never changes."""

    id = graphene.ID(required=True, description=Sampled("The destination's id.", nobodys.DESTINATION))
    name = graphene.String(description=Sampled("The destination's name, 1 to 100 characters.", "Data warehouse"))
    destination_type = graphene.Field(DataDestinationType, description="The type that the destination has.")
    type = graphene.Field(DataDestinationType, description="The same; both only if they agree.")
    active = graphene.Boolean(
        description=Sampled("Does it get events? Of a Meta Pixel: does the gateway publish them?", True)
    )
    pipeline_id = graphene.ID(description="A pipeline that the destination joins, if it is not in there.")


class DataDestinationMutations(graphene.ObjectType):
    """Makes, changes, configures and deletes destinations."""

    create_data_destination = graphene.Field(
        DataDestination,
        input=graphene.Argument(NonNull(CreateDataDestinationInput), description="The destination to make."),
        description=(
            "Makes a destination of a pipeline, which has one of each type. An account may have 500. "
            "Codes: 400, 401, 404 no such pipeline."
        ),
    )
    update_data_destination = graphene.Field(
        DataDestination,
        input=graphene.Argument(NonNull(DataDestinationInput), description="What to change."),
        description="Names or switches a destination. Codes: 400, 401, 404 no such destination or pipeline.",
    )
    delete_data_destination = graphene.ID(
        id=graphene.ID(required=True, description=Sampled("The destination's id.", nobodys.DESTINATION)),
        description=Sampled(
            "Deletes a destination with what waits for it, and answers its id. A Meta Pixel's cannot go alone. "
            "Codes: 400, 401, 404 no such destination.",
            nobodys.DESTINATION,
        ),
    )
    update_data_destination_capi_config = graphene.Boolean(
        input=graphene.Argument(
            NonNull(UpdateDataDestinationCapiConfigInput), description="The data set and its token."
        ),
        description=(
            "Has a destination publish to a data set at Meta. A Meta Pixel's gets a new token. "
            "Codes: 400, 401, 404 no such destination."
        ),
    )
    update_data_destination_http_config = graphene.Boolean(
        input=graphene.Argument(
            NonNull(UpdateDataDestinationHttpConfigInput), description="The address, the template, who sends."
        ),
        description=(
            "Has a destination send events to an address of the account's choice, in the form of a template. "
            "Codes: 400, 401, 404 no such destination."
        ),
    )

    @staticmethod
    def resolve_create_data_destination(root: str, info: ResolveInfo, input: dict[str, Any]) -> DestinationView:
        made = destinations.create_destination(
            principal=principal_of(info),
            tenant_id=root,
            pipeline_id=input["pipeline_id"],
            name=input["name"],
            kind=DestinationType(input["type"].value),
        )
        return destination_of(info, root, made)

    @staticmethod
    def resolve_update_data_destination(root: str, info: ResolveInfo, input: dict[str, Any]) -> DestinationView:
        names = {"destinationType": input.pop("destination_type", None), "type": input.pop("type", None)}
        kind = one_of_two("destinationType", "type", names)
        destinations.update_destination(
            principal=principal_of(info), tenant_id=root, kind=kind and DestinationType(kind.value), **input
        )
        return destination_of(info, root, input["id"])

    @staticmethod
    def resolve_delete_data_destination(root: str, info: ResolveInfo, id: str) -> str:
        destinations.delete_destination(principal=principal_of(info), tenant_id=root, id=id)
        return id

    @staticmethod
    def resolve_update_data_destination_capi_config(root: str, info: ResolveInfo, input: dict[str, Any]) -> bool:
        configuration.configure_meta(principal=principal_of(info), tenant_id=root, **input)
        return True

    @staticmethod
    def resolve_update_data_destination_http_config(root: str, info: ResolveInfo, input: dict[str, Any]) -> bool:
        configuration.configure_http(
            principal=principal_of(info), tenant_id=root, id=input["id"], config=http_config(input)
        )
        return True

"""dataSourceMutations."""

from __future__ import annotations

from typing import Any

import graphene
from graphene import NonNull, ResolveInfo

from accounts.schema.context import principal_of
from common.graphql.samples import Sampled
from pipelines.models import Source, SourceType
from pipelines.schema import nobodys
from pipelines.schema.answers import source_of
from pipelines.schema.enums import DataSourceType
from pipelines.schema.types import DataSource, GatewayPixelConfig
from pipelines.services import header_code, sources
from pipelines.shown import SourceView
from pipelines.validation import one_of_two


class DataSourceInput(graphene.InputObjectType):
    """What to change of a data source; what is left out stays. The type goes by either name."""

    id = graphene.ID(required=True, description=Sampled("The data source's id.", nobodys.SOURCE))
    name = graphene.String(description=Sampled("The data source's name, 1 to 100 characters.", "Website"))
    type = graphene.Field(
        DataSourceType,
        description="What kind of data source it is; a Meta Pixel stays one, and nothing else becomes one.",
    )
    data_source_type = graphene.Field(DataSourceType, description="The same; both only if they agree.")
    active = graphene.Boolean(
        description=Sampled("Do its events pass on? Of a Meta Pixel: does the gateway receive them?", True)
    )


class GatewayPixelConfigurationInput(graphene.InputObjectType):
    """How the script in a website's pages shall behave; what is left out stays."""

    enabled_status = graphene.Boolean(description=Sampled("Does the script send events?", True))
    enable_aam = graphene.Boolean(
        description="Advanced matching reads forms' fields; all fields where none was ever named."
    )
    enable_first_party_cookie = graphene.Boolean(
        description=Sampled("Does it keep _fbp and _fbc in cookies of the website?", True)
    )
    aam_fields = graphene.List(
        NonNull(graphene.String),
        description=Sampled("Among em fn ln ph ge ct st zp country db external_id.", ["em", "ph"]),
    )
    enable_automatic_fork_meta_pixel_event = graphene.Boolean(
        description="Are the calls of a Meta Pixel in the page taken, too?"
    )
    enable_contact_data_hash = graphene.Boolean(description="Are contact data hashed in the browser?")
    custom_integrity_script = graphene.String(
        description=(
            "The source of a function that gets an event and returns {shouldDrop, updatedEventObject}, at most 20,000 "
            "characters. It runs in the visitor's browser."
        )
    )


#: What the services call the switches.
_SWITCHES = {
    "enabled_status": "enabled",
    "enable_aam": "enable_aam",
    "enable_first_party_cookie": "first_party_cookie",
    "aam_fields": "aam_fields",
    "enable_automatic_fork_meta_pixel_event": "fork_meta_pixel",
    "enable_contact_data_hash": "hash_contact_data",
    "custom_integrity_script": "custom_integrity_script",
}


class DataSourceMutations(graphene.ObjectType):
    """Makes, changes and deletes data sources."""

    create_data_source_for_pipeline = graphene.Field(
        DataSource,
        data_source_id=graphene.ID(
            description=(
                "An id for the new data source, 1 to 20 digits; 19 digits are made where it is left out. With that of "
                "a data source of the account, this one joins the pipeline, and keeps its name."
            )
        ),
        name=graphene.Argument(
            NonNull(graphene.String), description=Sampled("The data source's name, 1 to 100 characters.", "Website")
        ),
        data_source_type=graphene.Argument(
            NonNull(DataSourceType),
            description=Sampled("What kind of data source it is; a Meta Pixel is 400.", "ADVERTISER_HOSTED_PIXEL"),
        ),
        pipeline_id=graphene.ID(
            required=True, description=Sampled("The id of a pipeline that is no Meta Pixel's.", "$pipeline_id")
        ),
        description=(
            "Makes a data source in a pipeline, or adds one to it. An account may have 500. "
            "Codes: 400, 401, 404 no such pipeline."
        ),
    )
    update_data_source = graphene.Field(
        DataSource,
        input=graphene.Argument(NonNull(DataSourceInput), description="What to change."),
        description="Names or switches a data source. Codes: 400, 401, 404 no such data source.",
    )
    delete_data_source = graphene.ID(
        id=graphene.ID(required=True, description=Sampled("The data source's id.", nobodys.SOURCE)),
        description=Sampled(
            "Deletes a data source, and answers its id; a Meta Pixel is disconnected. "
            "Codes: 401, 404 no such data source.",
            nobodys.SOURCE,
        ),
    )
    create_gateway_pixel_header_code = graphene.String(
        data_source_id=graphene.ID(required=True, description=Sampled("The data source's id.", "$source_id")),
        description=Sampled(
            "The HTML for a website's head, which loads the script of the data source. Its host is the account's own "
            "domain where that is verified. Codes: 400, 401, 404 no such data source.",
            "<!-- Signals Gateway Pixel Code -->…",
        ),
    )
    update_gateway_pixel_config = graphene.Field(
        GatewayPixelConfig,
        pixel_id=graphene.String(required=True, description=Sampled("The data source's id.", nobodys.SOURCE)),
        config=graphene.Argument(GatewayPixelConfigurationInput, description="What to change."),
        description="How the script in a website's pages behaves. Codes: 400, 401, 404 no such data source.",
    )

    @staticmethod
    def resolve_create_data_source_for_pipeline(
        root: str,
        info: ResolveInfo,
        name: str,
        data_source_type: SourceType,
        pipeline_id: str,
        data_source_id: str | None = None,
    ) -> SourceView:
        made = sources.create_source(
            principal=principal_of(info),
            tenant_id=root,
            pipeline_id=pipeline_id,
            name=name,
            kind=SourceType(data_source_type.value),
            source_id=data_source_id,
        )
        return source_of(info, root, made)

    @staticmethod
    def resolve_update_data_source(root: str, info: ResolveInfo, input: dict[str, Any]) -> SourceView:
        names = {"type": input.pop("type", None), "dataSourceType": input.pop("data_source_type", None)}
        kind = one_of_two("type", "dataSourceType", names)
        sources.update_source(
            principal=principal_of(info), tenant_id=root, kind=kind and SourceType(kind.value), **input
        )
        return source_of(info, root, input["id"])

    @staticmethod
    def resolve_delete_data_source(root: str, info: ResolveInfo, id: str) -> str:
        sources.delete_source(principal=principal_of(info), tenant_id=root, id=id)
        return id

    @staticmethod
    def resolve_create_gateway_pixel_header_code(root: str, info: ResolveInfo, data_source_id: str) -> str:
        return header_code.make_header_code(principal=principal_of(info), tenant_id=root, source_id=data_source_id)

    @staticmethod
    def resolve_update_gateway_pixel_config(
        root: str, info: ResolveInfo, pixel_id: str, config: dict[str, Any] | None = None
    ) -> Source:
        wanted = sources.ScriptChanges(**{_SWITCHES[name]: value for name, value in (config or {}).items()})
        return sources.configure_source(principal=principal_of(info), tenant_id=root, source_id=pixel_id, wanted=wanted)

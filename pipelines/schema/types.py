"""Pipelines, sources and destinations as the API shows them."""

from __future__ import annotations

import graphene
from graphene import ResolveInfo

from common.graphql.samples import Sampled
from pipelines import shown
from pipelines.models import Source
from pipelines.schema import enums


class PipelineBasicInfo(graphene.ObjectType):
    """Which pipeline it is."""

    class Meta:
        possible_types = (shown.PipelineName,)

    id = graphene.ID(description=Sampled("sg_v1_pl_<uuid>", "$pipeline_id"))
    name = graphene.String(description=Sampled("The pipeline's name.", "Shop"))
    type = graphene.Field(enums.PipelineType, description=Sampled("What kind of pipeline it is.", "GATEWAY_PIPELINE"))


def _source_id() -> graphene.ID:
    about = "Of a gateway source 19 digits, or what its caller has chosen; of a Meta Pixel the pixel's id."
    return graphene.ID(description=Sampled(about, "$source_id"))


def _source_type() -> graphene.Field:
    return graphene.Field(
        enums.DataSourceType, description=Sampled("What kind of data source it is.", "ADVERTISER_HOSTED_PIXEL")
    )


def _destination_id() -> graphene.ID:
    return graphene.ID(description=Sampled("sg_v1_dd_<uuid>", "$destination_id"))


def _destination_type() -> graphene.Field:
    return graphene.Field(
        enums.DataDestinationType, description=Sampled("What kind of destination it is.", "CUSTOM_HTTP_API")
    )


def _associated() -> graphene.List:
    return graphene.List(PipelineBasicInfo, description="The pipelines that it stands in.")


class _SourceFields:
    """What both types of a source tell."""

    id = _source_id()
    name = graphene.String(description=Sampled("The data source's name.", "Website"))
    type = _source_type()
    active = graphene.Boolean(description="Do its events pass on? Of a Meta Pixel: does the gateway receive them?")
    associated_pipelines = _associated()


class _DestinationFields:
    """What both types of a destination tell."""

    id = _destination_id()
    name = graphene.String(description=Sampled("The destination's name.", "Data warehouse"))
    type = _destination_type()
    active = graphene.Boolean(description="Does it get events? Of a Meta Pixel: does the gateway publish them?")
    associated_pipelines = _associated()


class DataSource(_SourceFields, graphene.ObjectType):
    """What events come from."""

    class Meta:
        possible_types = (shown.SourceView,)


class DataSourceShallow(_SourceFields, graphene.ObjectType):
    """What events come from, below a pipeline."""

    class Meta:
        possible_types = (shown.SourceView,)


class DataDestination(_DestinationFields, graphene.ObjectType):
    """Where events go."""

    class Meta:
        possible_types = (shown.DestinationView,)


class MetaCAPIConfig(graphene.ObjectType):
    """How a destination at Meta is configured."""

    class Meta:
        possible_types = (shown.DestinationView,)

    data_set_id = graphene.String(description=Sampled("Meta's id of the data set.", "$pixel_id"))


class DataDestinationShallow(_DestinationFields, graphene.ObjectType):
    """Where events go, below a pipeline."""

    class Meta:
        possible_types = (shown.DestinationView,)

    meta_capi_config = graphene.Field(
        MetaCAPIConfig,
        name="metaCAPIConfig",
        description="Of a destination at Meta; null for other types, and until it is configured.",
    )

    @staticmethod
    def resolve_meta_capi_config(root: shown.DestinationView, info: ResolveInfo) -> shown.DestinationView | None:
        return root if root.data_set_id else None


class DataFilter(graphene.ObjectType):
    """What a pipeline keeps back from all of its destinations."""

    class Meta:
        possible_types = (shown.FilterView,)

    filter_status = graphene.Boolean(
        description=Sampled("What was last set, false until then. The list blocks unless false was set by name.", False)
    )
    blocked_event_types = graphene.List(
        graphene.String, description=Sampled("The names of the events that do not pass.", "AddToCart")
    )


class PipelineDestinationFilter(graphene.ObjectType):
    """What does not pass on to one destination of a pipeline."""

    class Meta:
        possible_types = (shown.DestinationFilterView,)

    id = graphene.ID(
        description=Sampled(
            "pipelineDestinationFilter:<pipeline id>:<destination id>",
            "pipelineDestinationFilter:$pipeline_id:$destination_id",
        )
    )
    destination_id = graphene.ID(description=Sampled("The destination's id.", "$destination_id"))
    destination_filter_status = graphene.Boolean(
        description="What was last set, true until then. The list blocks unless false was set."
    )
    destination_filter_blocked_event_types = graphene.List(
        graphene.String, description=Sampled("The names of the events that do not pass.", "AddToCart")
    )


class Pipeline(graphene.ObjectType):
    """From data sources through filters to destinations."""

    class Meta:
        possible_types = (shown.PipelineView,)

    id = graphene.ID(description=Sampled("sg_v1_pl_<uuid>", "$pipeline_id"))
    name = graphene.String(description=Sampled("The pipeline's name.", "Shop"))
    active = graphene.Boolean(description="Do events pass? Of a Meta Pixel: does the gateway publish them?")
    type = graphene.Field(enums.PipelineType, description=Sampled("What kind of pipeline it is.", "GATEWAY_PIPELINE"))
    data_sources = graphene.List(DataSourceShallow, description="What its events come from.")
    data_destinations = graphene.List(DataDestinationShallow, description="Where its events go.")
    data_filter = graphene.Field(DataFilter, description="What it keeps back from all destinations.")
    pipeline_destination_filters = graphene.List(
        PipelineDestinationFilter,
        description="What does not pass on to each destination. A Meta Pixel's is the pipeline's filter.",
    )


class PixelESTRuleGroupConfig(graphene.ObjectType):
    """A group of event setup rules, which are Meta's: there are none here."""

    id = graphene.ID(description=Sampled("The group's id.", "1"))


class PixelIWLParametersConfig(graphene.ObjectType):
    """Parameters of Meta's event setup tool: there are none here."""

    id = graphene.ID(description=Sampled("The parameter's id.", "1"))


class GatewayPixelConfig(graphene.ObjectType):
    """How the script in a website's pages behaves."""

    class Meta:
        possible_types = (Source,)

    id = graphene.ID(source="source_id", description=Sampled("The data source's id.", "$source_id"))
    name = graphene.String(description=Sampled("The data source's name.", "Website"))
    enabled_status = graphene.Boolean(source="enabled", description="Does the script send events?")
    plugins = graphene.List(
        graphene.String,
        description=Sampled(
            "FIRST_PARTY_COOKIE and AUTOMATIC_ADVANCED_MATCHING, each where it is switched on.", "FIRST_PARTY_COOKIE"
        ),
    )
    aam_fields = graphene.List(graphene.String, description=Sampled("The fields that advanced matching reads.", "em"))
    enable_contact_data_hash = graphene.Boolean(
        source="hash_contact_data", description="Are contact data hashed in the browser?"
    )
    custom_integrity_script = graphene.String(
        description=Sampled("The source of a function that may drop or change an event, in the browser.", "")
    )
    est_rule_groups = graphene.List(PixelESTRuleGroupConfig, description="Always empty: event setup rules are Meta's.")
    iwl_parameters = graphene.List(
        PixelIWLParametersConfig, description="Always empty: the event setup tool is Meta's."
    )
    creation_source_platform = graphene.String(description="Always null here.")
    creation_source_id = graphene.String(description="Always null here.")

    @staticmethod
    def resolve_plugins(root: Source, info: ResolveInfo) -> list[str]:
        plugins = {"FIRST_PARTY_COOKIE": root.first_party_cookie, "AUTOMATIC_ADVANCED_MATCHING": root.enable_aam}
        return [name for name, is_on in plugins.items() if is_on]

    @staticmethod
    def resolve_est_rule_groups(root: Source, info: ResolveInfo) -> list[object]:
        return []

    @staticmethod
    def resolve_iwl_parameters(root: Source, info: ResolveInfo) -> list[object]:
        return []

    @staticmethod
    def resolve_creation_source_platform(root: Source, info: ResolveInfo) -> None:
        return None

    @staticmethod
    def resolve_creation_source_id(root: Source, info: ResolveInfo) -> None:
        return None

"""Pipelines, sources and destinations as API and pages show them: those of Meta Pixels beside those that are rows."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from pipelines.ids import DESTINATION, PIPELINE, id_of_pixel
from pipelines.models import DestinationType, SourceType


class PipelineType(StrEnum):
    """The reference's ``PipelineType``."""

    META_CAPI_PIPELINE = "META_CAPI_PIPELINE"
    GATEWAY_PIPELINE = "GATEWAY_PIPELINE"


@dataclass(frozen=True, slots=True)
class PipelineName:
    """Which pipeline it is, where something else is shown."""

    id: str
    name: str
    type: PipelineType


@dataclass(frozen=True, slots=True)
class SourceView:
    """What events come from."""

    id: str
    name: str
    type: SourceType
    active: bool
    associated_pipelines: list[PipelineName]


@dataclass(frozen=True, slots=True)
class DestinationView:
    """Where events go. Once it is configured, it has Meta's id of the data set, or the address of an HTTP API."""

    id: str
    name: str
    type: DestinationType
    active: bool
    associated_pipelines: list[PipelineName]
    data_set_id: str | None = None
    endpoint: str | None = None

    @property
    def is_configured(self) -> bool:
        """Is it known where its events go?"""
        return bool(self.data_set_id or self.endpoint)


@dataclass(frozen=True, slots=True)
class FilterView:
    """What a pipeline keeps back."""

    filter_status: bool
    blocked_event_types: list[str]
    #: Somebody has switched it off by name, so that the list blocks nothing.
    is_off: bool


@dataclass(frozen=True, slots=True)
class DestinationFilterView:
    """What does not pass on to a destination of a pipeline."""

    id: str
    destination_id: str
    destination_filter_status: bool
    destination_filter_blocked_event_types: list[str]


@dataclass(frozen=True, slots=True)
class PipelineView:
    """A pipeline with what is in it."""

    id: str
    name: str
    active: bool
    type: PipelineType
    data_sources: list[SourceView]
    data_destinations: list[DestinationView]
    data_filter: FilterView
    pipeline_destination_filters: list[DestinationFilterView]


def filter_of_pipeline(status: bool | None, blocked: list[str]) -> FilterView:
    """The reference answers false where nobody has said anything; the list blocks all the same."""
    return FilterView(status is True, blocked, is_off=status is False)


def filter_of_destination(
    pipeline_id: str, destination_id: str, status: bool | None, blocked: list[str]
) -> DestinationFilterView:
    """Here the reference answers true."""
    name = f"pipelineDestinationFilter:{pipeline_id}:{destination_id}"
    return DestinationFilterView(name, destination_id, status is not False, blocked)


@dataclass(frozen=True, slots=True)
class PixelParts:
    """What of a Meta Pixel makes its pipeline."""

    pixel_id: str
    name: str | None
    receives: bool
    publishes: bool
    pipeline_name: str
    destination_name: str
    filter_status: bool | None
    blocked: list[str]

    @property
    def named(self) -> PipelineName:
        """Which pipeline it is."""
        name = self.pipeline_name or default_pipeline_name(self.pixel_id)
        return PipelineName(id_of_pixel(PIPELINE, self.pixel_id), name, PipelineType.META_CAPI_PIPELINE)

    @property
    def source(self) -> SourceView:
        """The pixel itself."""
        name = self.name or default_source_name(self.pixel_id)
        return SourceView(self.pixel_id, name, SourceType.META_PIXEL, self.receives, [self.named])

    @property
    def destination(self) -> DestinationView:
        """Its data set at Meta."""
        return DestinationView(
            id_of_pixel(DESTINATION, self.pixel_id),
            self.destination_name or default_destination_name(self.pixel_id),
            DestinationType.META_CONVERSIONS_API,
            self.publishes,
            [self.named],
            self.pixel_id,
        )

    @property
    def pipeline(self) -> PipelineView:
        """All of it. It has one destination, so both filters are the same."""
        named, destination = self.named, self.destination
        return PipelineView(
            named.id,
            named.name,
            self.publishes,
            named.type,
            [self.source],
            [destination],
            filter_of_pipeline(self.filter_status, self.blocked),
            [filter_of_destination(named.id, destination.id, self.filter_status, self.blocked)],
        )


def default_pipeline_name(pixel_id: str) -> str:
    """Of a pipeline that nobody has named; without a space, as the reference's lists print it."""
    return f"Conversions API Gateway({pixel_id})"


def default_source_name(pixel_id: str) -> str:
    """Of a pixel that nobody has named."""
    return f"Meta Pixel ({pixel_id})"


def default_destination_name(pixel_id: str) -> str:
    """Of a pixel's destination that nobody has named."""
    return f"Meta Dataset ({pixel_id})"

"""How a pipeline fares, as pages tell it: the first thing that somebody should know."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from pipelines.models import DestinationType
from pipelines.shown import DestinationView, PipelineType, PipelineView


class PipelineState(StrEnum):
    """What keeps events from passing, if anything does."""

    ACTIVE = "active"
    DISABLED = "disabled"
    NO_SOURCE = "no-source"
    NO_DESTINATION = "no-destination"
    #: Each of its sources, or each of its destinations, is switched off or not configured.
    NOTHING_PASSES = "nothing-passes"


def state_of(pipeline: PipelineView) -> PipelineState:
    """The pipeline's state, by its own switch and by what is in it."""
    if not pipeline.active:
        return PipelineState.DISABLED
    if not pipeline.data_sources:
        return PipelineState.NO_SOURCE
    if not pipeline.data_destinations:
        return PipelineState.NO_DESTINATION
    some_send = any(source.active for source in pipeline.data_sources)
    some_take = any(takes_events(destination) for destination in pipeline.data_destinations)
    return PipelineState.ACTIVE if some_send and some_take else PipelineState.NOTHING_PASSES


def takes_events(destination: DestinationView) -> bool:
    """Does it send on what reaches it? Audience storage keeps nothing."""
    return destination.active and destination.is_configured and destination.type is not DestinationType.AUDIENCE_STORAGE


class Cause(StrEnum):
    """Something that keeps events from passing: of a pipeline, or of one source or destination in it."""

    PIPELINE_OFF = "pipeline-off"
    NO_SOURCE = "no-source"
    NO_DESTINATION = "no-destination"
    SOURCE_OFF = "source-off"
    DESTINATION_OFF = "destination-off"
    NOT_CONFIGURED = "not-configured"
    KEEPS_NOTHING = "keeps-nothing"
    # What has happened, which ``events/gateway/diagnostics.py`` knows.
    SCRIPT_OFF = "script-off"
    SILENT = "silent"
    HELD = "held"
    WAITS = "waits"
    REFUSED = "refused"
    PIXEL_FAILS = "pixel-fails"


class Obstacle(NamedTuple):
    """A cause, and the source or destination that it is about: its name and id."""

    cause: Cause
    name: str = ""
    id: str = ""
    #: What the destination has said, or how many events are concerned.
    detail: str = ""


def obstacles(pipeline: PipelineView) -> list[Obstacle]:
    """What of its configuration keeps events from passing, what concerns all of them first."""
    found = [] if pipeline.active else [Obstacle(Cause.PIPELINE_OFF)]
    if not pipeline.data_sources:
        found.append(Obstacle(Cause.NO_SOURCE))
    if not pipeline.data_destinations:
        found.append(Obstacle(Cause.NO_DESTINATION))
    found += [Obstacle(Cause.SOURCE_OFF, each.name, each.id) for each in pipeline.data_sources if not each.active]
    for each in pipeline.data_destinations:
        if cause := _why_it_takes_nothing(each, pipeline):
            found.append(Obstacle(cause, each.name, each.id))
    return found


def _why_it_takes_nothing(destination: DestinationView, pipeline: PipelineView) -> Cause | None:
    is_told_already = pipeline.type is PipelineType.META_CAPI_PIPELINE  # a pixel's are switched together
    if not destination.active:
        return None if is_told_already else Cause.DESTINATION_OFF
    if destination.type is DestinationType.AUDIENCE_STORAGE:
        return Cause.KEEPS_NOTHING
    return None if destination.is_configured else Cause.NOT_CONFIGURED

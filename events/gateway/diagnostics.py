"""Diagnostics: what keeps a pipeline's events from passing, by its configuration and by what has happened."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from django.db.models import Count

from accounts.models import Tenant
from events.models import DestinationLane, DestinationLetter
from pipelines.ids import DESTINATION, read_id
from pipelines.models import Source
from pipelines.shown import PipelineType, PipelineView
from pipelines.states import Cause, Obstacle, obstacles
from pixels.models import Pixel
from pixels.states import NEEDING, PixelState, with_state


def diagnose(tenant: Tenant, pipeline: PipelineView, received: Mapping[str, int]) -> list[Obstacle]:
    """All that is known to stand in the way; ``received`` are the events of a day by source. Three queries at most."""
    found = obstacles(pipeline)
    told = {each.id for each in found}
    if pipeline.type is PipelineType.META_CAPI_PIPELINE:
        happened = _of_pixel(tenant, pipeline)
    else:
        happened = [*_of_scripts(tenant, pipeline), *_of_destinations(pipeline)]
    silent = [
        Obstacle(Cause.SILENT, each.name, each.id)
        for each in pipeline.data_sources
        if each.id not in told and not received.get(each.id)
    ]
    return [*found, *(each for each in happened if each.id not in told or each.cause is Cause.REFUSED), *silent]


def _of_pixel(tenant: Tenant, pipeline: PipelineView) -> list[Obstacle]:
    ids = [source.id for source in pipeline.data_sources]
    pixels = with_state(Pixel.objects.filter(tenant=tenant, pixel_id__in=ids)).filter(state__in=NEEDING)
    return [
        Obstacle(Cause.PIXEL_FAILS, str(pixel), pixel.pixel_id, str(PixelState(pixel.state).label))
        for pixel in pixels.defer("access_token")
    ]


def _of_scripts(tenant: Tenant, pipeline: PipelineView) -> Iterator[Obstacle]:
    ids = [source.id for source in pipeline.data_sources]
    for source in Source.objects.filter(tenant=tenant, source_id__in=ids, enabled=False):
        yield Obstacle(Cause.SCRIPT_OFF, source.name, source.source_id)


def _of_destinations(pipeline: PipelineView) -> Iterator[Obstacle]:
    named = {read_id(DESTINATION, each.id): each for each in pipeline.data_destinations}
    uuids = [uuid for uuid in named if uuid]
    lanes = DestinationLane.objects.filter(destination__uuid__in=uuids)
    for uuid, held, failures, message, silence in lanes.values_list(
        "destination__uuid", "held", "failures", "message", "silence"
    ):
        if held or failures:
            cause = Cause.HELD if held else Cause.WAITS
            yield Obstacle(cause, named[uuid].name, named[uuid].id, message or silence)
    letters = DestinationLetter.objects.filter(destination__uuid__in=uuids).order_by()
    for uuid, count in letters.values_list("destination__uuid").annotate(Count("pk")):
        yield Obstacle(Cause.REFUSED, named[uuid].name, named[uuid].id, str(count))

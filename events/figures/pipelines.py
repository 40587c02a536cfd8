"""What passed through pipelines: received by each source, sent to each destination."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from django.db.models import Sum

from accounts.models import Tenant
from events.figures.metrics import totals
from events.figures.windows import last_minutes, within
from events.models import Counter, DestinationCounter, SourceCounter
from pipelines.ids import DESTINATION, id_of, read_id
from pipelines.shown import PipelineType, PipelineView
from pixels.reads import pixel_keys
from pixels.traffic import Totals


class Passed(NamedTuple):
    """Events by the ids of sources and destinations; none passed where one is missing.

    Those of a source or destination that stands in several pipelines are the events of all of these.
    """

    received: Mapping[str, int]
    sent: Mapping[str, int]


def passed(tenant: Tenant, pipelines: Iterable[PipelineView], minutes: int) -> Passed:
    """What passed in the last ``minutes``: at most four queries, however many there are."""
    pixels: list[PipelineView] = []
    gateway: list[PipelineView] = []
    for each in pipelines:
        (pixels if each.type is PipelineType.META_CAPI_PIPELINE else gateway).append(each)
    received, sent = _of_pixels(tenant, pixels, minutes)
    return Passed({**received, **_received(gateway, minutes)}, {**sent, **_sent(gateway, minutes)})


def _of_pixels(tenant: Tenant, pipelines: list[PipelineView], minutes: int) -> Passed:
    keys = pixel_keys(tenant) if pipelines else {}
    found = [(each, keys[source.id]) for each in pipelines for source in each.data_sources if source.id in keys]
    counted = totals([key for _, key in found], minutes) if found else {}
    received: dict[str, int] = {}
    sent: dict[str, int] = {}
    for pipeline, key in found:
        figures = counted.get(key, Totals())
        received[pipeline.data_sources[0].id] = figures.received
        sent[pipeline.data_destinations[0].id] = figures.published
    return Passed(received, sent)


def _received(pipelines: list[PipelineView], minutes: int) -> dict[str, int]:
    ids = {source.id for each in pipelines for source in each.data_sources}
    if not ids:
        return {}
    told = {"source__source_id__in": ids, "dimension": Counter.Dimension.TOTAL}
    rows = SourceCounter.objects.filter(within(last_minutes(minutes), **told)).order_by()
    return dict(rows.values_list("source__source_id").annotate(Sum("received")))


def _sent(pipelines: list[PipelineView], minutes: int) -> dict[str, int]:
    ids = {read_id(DESTINATION, destination.id) for each in pipelines for destination in each.data_destinations}
    if not ids:
        return {}
    told = {"destination__uuid__in": ids, "dimension": Counter.Dimension.TOTAL}
    rows = DestinationCounter.objects.filter(within(last_minutes(minutes), **told)).order_by()
    sums = rows.values_list("destination__uuid").annotate(Sum("published"))
    return {id_of(DESTINATION, uuid): published for uuid, published in sums}

"""What a pipeline keeps back, and what does not pass on to one of its destinations.

A Meta Pixel's pipeline has one destination, so its two filters are one: the pixel's event filters, which drop. While
the filter is off by name, the list is kept aside (``PixelPipeline.set_aside``), and the pixel has no such filters.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction

from accounts.audit import Changes, apply_changes, record
from accounts.principals import Principal
from common.errors import InvalidInput
from filters.models import EventFilter, FilterState
from filters.services import replace_blocked_events
from pipelines.ids import DESTINATION, PIPELINE, id_of, id_of_pixel
from pipelines.lookups import changes_of_pixel, find_destination, find_pipeline, no_such_destination, to_edit
from pipelines.models import Filtered, PipelineDestination
from pipelines.services import acts
from pipelines.shown import DestinationFilterView, FilterView, filter_of_destination, filter_of_pipeline
from pipelines.validation import clean_event_names
from pixels.models import Pixel

Names = Sequence[str | None]


@transaction.atomic
def update_pipeline_filter(
    *,
    principal: Principal,
    tenant_id: str,
    pipeline_id: str,
    filter_status: bool | None = None,
    blocked_event_types: Names | None = None,
) -> FilterView:
    """Block the events of these names in the pipeline, or switch its filter; what is None stays as it was."""
    tenant = to_edit(principal, tenant_id)
    found = find_pipeline(tenant, pipeline_id, field="pipelineId")
    names = None if blocked_event_types is None else clean_event_names("blockedEventTypes", blocked_event_types)
    if isinstance(found, Pixel):
        return filter_of_pipeline(*_filter_pixel(principal, found, filter_status, names))
    changes = _change(found, filter_status, names)
    record(principal, acts.FILTER_PIPELINE, found, tenant=tenant, changes=changes)
    return filter_of_pipeline(found.filter_status, found.blocked_event_types)


@transaction.atomic
def update_destination_filter(
    *,
    principal: Principal,
    tenant_id: str,
    pipeline_id: str,
    destination_id: str,
    filter_status: bool | None = None,
    blocked_event_types: Names | None = None,
    field: str = "destinationFilterBlockedEventTypes",
) -> DestinationFilterView:
    """The same for one destination of the pipeline; ``field`` is the name under which the list came."""
    tenant = to_edit(principal, tenant_id)
    pipeline = find_pipeline(tenant, pipeline_id, field="pipelineId")
    destination = find_destination(tenant, destination_id, field="destinationId")
    names = None if blocked_event_types is None else clean_event_names(field, blocked_event_types)
    if isinstance(pipeline, Pixel) or isinstance(destination, Pixel):
        if pipeline != destination:
            raise no_such_destination("destinationId")
        status, blocked = _filter_pixel(principal, pipeline, filter_status, names)
        return filter_of_destination(
            id_of_pixel(PIPELINE, pipeline.pixel_id), id_of_pixel(DESTINATION, pipeline.pixel_id), status, blocked
        )
    place = PipelineDestination.objects.filter(pipeline=pipeline, destination=destination).first()
    if place is None:
        raise no_such_destination("destinationId")
    changes = _change(place, filter_status, names)
    record(principal, acts.FILTER_DESTINATION, f"{destination} ({pipeline})", tenant=tenant, changes=changes)
    return filter_of_destination(
        id_of(PIPELINE, pipeline.uuid), id_of(DESTINATION, destination.uuid), place.filter_status,
        place.blocked_event_types,
    )  # fmt: skip


def one_list(first: Names | None, second: Names | None) -> tuple[Names | None, str]:
    """The list that came under either of the two names of the reference, and the name; 400 where both differ."""
    if first is not None and second is not None and list(first) != list(second):
        raise InvalidInput("blockedEventTypes", "must be the same as destinationFilterBlockedEventTypes.")
    if first is not None:
        return first, "destinationFilterBlockedEventTypes"
    return second, "blockedEventTypes"


def _change(filtered: Filtered, status: bool | None, names: list[str] | None) -> Changes:
    new = {"filter_status": status, "blocked_event_types": names}
    return apply_changes(filtered, {name: value for name, value in new.items() if value is not None})


def _filter_pixel(
    principal: Principal, pixel: Pixel, status: bool | None, names: list[str] | None
) -> tuple[bool | None, list[str]]:
    """Set the filter of a pixel's pipeline; returns how it stands."""
    row = changes_of_pixel(pixel)
    status_before = row.filter_status
    # While it is off, names may have been blocked one by one, on the page of filters.
    names_before = sorted({*row.set_aside, *_blocked(pixel)})
    status = status_before if status is None else status
    names = names_before if names is None else sorted(names)
    changes: Changes = {}
    if status != status_before:
        changes["filter_status"] = [status_before, status]
    if names != names_before:
        changes["blocked_event_types"] = [names_before, names]
    is_off = status is False
    if changes:
        row.filter_status, row.set_aside = status, names if is_off else []
        row.save()
        replace_blocked_events(
            principal=principal,
            tenant_id=pixel.tenant_id,
            pixel_id=pixel.pixel_id,
            names=[] if is_off else names,
        )
    record(principal, acts.FILTER_PIPELINE, pixel, tenant=pixel.tenant, changes=changes)
    return status, names if is_off else _blocked(pixel)


def _blocked(pixel: Pixel) -> list[str]:
    """The events that the pixel drops by a filter of its own, by name."""
    drops = EventFilter.objects.filter(tenant=pixel.tenant_id, pixel=pixel, state=FilterState.DROP)
    return list(drops.order_by("event_name").values_list("event_name", flat=True))

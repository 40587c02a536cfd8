"""Making, changing and deleting data destinations."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from accounts.audit import apply_changes, record
from accounts.models import Tenant
from accounts.principals import Principal
from common.errors import InvalidInput
from pipelines.ids import DESTINATION, id_of
from pipelines.lookups import check_number, find_destination, find_gateway_pipeline, find_pipeline, to_edit
from pipelines.models import Destination, DestinationType, PipelineDestination
from pipelines.services import acts
from pipelines.services.pipelines import change_pixel_pipeline
from pipelines.services.places import put_destination, refuse_second
from pipelines.validation import clean_destination_type, clean_name
from pixels.models import Pixel
from pixels.services import set_publishing


@transaction.atomic
def create_destination(
    *, principal: Principal, tenant_id: str, pipeline_id: str, name: str, kind: DestinationType
) -> str:
    """Make a destination of a pipeline, which has one of each type; returns its id. It gets events once configured."""
    tenant = to_edit(principal, tenant_id)
    pipeline = find_gateway_pipeline(tenant, pipeline_id)
    name, kind = clean_name("name", name), clean_destination_type("type", kind)
    check_number(tenant.destinations.all(), "name")
    refuse_second(pipeline, kind, "type")
    destination = Destination.objects.create(tenant=tenant, name=name, type=kind)
    PipelineDestination.objects.create(pipeline=pipeline, destination=destination, type=kind)
    record(
        principal,
        acts.CREATE_DESTINATION,
        destination,
        tenant=tenant,
        changes={"name": [None, name], "type": [None, kind], "pipeline": [None, pipeline.name]},
    )
    return id_of(DESTINATION, destination.uuid)


@transaction.atomic
def update_destination(
    *,
    principal: Principal,
    tenant_id: str,
    id: str,
    name: str | None = None,
    kind: DestinationType | None = None,
    active: bool | None = None,
    pipeline_id: str | None = None,
) -> None:
    """Change what is not None; a pipeline that is named gets the destination, too. The type stays what it is.

    A Meta Pixel's destination is switched by its publishing, and stays in its pipeline.
    """
    tenant = to_edit(principal, tenant_id)
    found = find_destination(tenant, id)
    if isinstance(found, Pixel):
        _update_pixel(principal, tenant, found, name, kind, active, pipeline_id)
        return
    if kind not in (None, found.type):
        raise InvalidInput("destinationType", "must be the type that this destination has.")
    new: dict[str, Any] = {} if name is None else {"name": clean_name("name", name)}
    if active is not None:
        new["active"] = active
    subject = str(found)
    changes = apply_changes(found, new)
    if pipeline_id:
        pipeline = find_gateway_pipeline(tenant, pipeline_id)
        if put_destination(pipeline, found, "pipelineId"):
            changes["pipeline"] = [None, pipeline.name]
    record(principal, acts.UPDATE_DESTINATION, subject, tenant=tenant, changes=changes)


def _update_pixel(
    principal: Principal,
    tenant: Tenant,
    pixel: Pixel,
    name: str | None,
    kind: DestinationType | None,
    active: bool | None,
    pipeline_id: str | None,
) -> None:
    if kind not in (None, DestinationType.META_CONVERSIONS_API):
        raise InvalidInput("destinationType", "must be the type that this destination has.")
    if pipeline_id and find_pipeline(tenant, pipeline_id, field="pipelineId") != pixel:
        raise InvalidInput("pipelineId", "must be the pipeline of the Meta Pixel, which has this destination alone.")
    if active is not None:
        set_publishing(principal=principal, tenant_id=tenant.pk, pixel_id=pixel.pixel_id, status=int(active))
    if name is not None:
        change_pixel_pipeline(principal, pixel, {"destination_name": clean_name("name", name)})


@transaction.atomic
def delete_destination(*, principal: Principal, tenant_id: str, id: str) -> None:
    """Delete a destination with what waits for it. A Meta Pixel's cannot go alone."""
    tenant = to_edit(principal, tenant_id)
    found = find_destination(tenant, id)
    if isinstance(found, Pixel):
        raise InvalidInput("id", "a Meta Pixel's destination goes with the pixel: delete its pipeline or data source.")
    found.delete()
    record(principal, acts.DELETE_DESTINATION, found, tenant=tenant)

"""Making, changing and deleting pipelines, of both types."""

from __future__ import annotations

from typing import Any

import msgspec
from django.db import transaction
from msgspec.structs import asdict

from accounts.audit import apply_changes, record
from accounts.principals import Principal
from pipelines.ids import PIPELINE, id_of, id_of_pixel
from pipelines.lookups import changes_of_pixel, check_number, find_pipeline, to_edit
from pipelines.models import Pipeline
from pipelines.services import acts
from pipelines.signals import registration_chosen
from pipelines.validation import clean_name, read_api_version
from pixels.models import Pixel
from pixels.services import connect_pixel, disconnect_pixel, set_publishing


@transaction.atomic
def create_pipeline(*, principal: Principal, tenant_id: str, name: str) -> str:
    """Make a gateway pipeline, which is active and has nothing in it yet; returns its id."""
    tenant = to_edit(principal, tenant_id)
    name = clean_name("name", name)
    check_number(tenant.pipelines.all(), "name")
    pipeline = Pipeline.objects.create(tenant=tenant, name=name)
    record(principal, acts.CREATE_PIPELINE, pipeline, tenant=tenant, changes={"name": [None, name]})
    return id_of(PIPELINE, pipeline.uuid)


class Connection(msgspec.Struct, frozen=True, kw_only=True):
    """The Meta Pixel to connect; what is None stays as it was."""

    pixel_id: str
    business_id: str
    access_token: str
    external_id: str
    api_version: str | None = None


@transaction.atomic
def connect_pixel_pipeline(
    *,
    principal: Principal,
    tenant_id: str,
    connection: Connection,
    pipeline_name: str | None = None,
    registers: bool | None = None,
) -> str:
    """Connect a Meta Pixel, as ``connect_pixel`` does, and name its pipeline; returns the pipeline's id.

    Where ``registers`` is false, Meta is not told of the gateway's address.
    """
    given = asdict(connection) | {"api_version": read_api_version(connection.api_version)}
    pixel = connect_pixel(principal=principal, tenant_id=tenant_id, **given)
    new: dict[str, Any] = {}
    if pipeline_name:
        new["name"] = clean_name("pipelineName", pipeline_name)
    if registers is not None:
        new["registers"] = registers
    change_pixel_pipeline(principal, pixel, new)
    return id_of_pixel(PIPELINE, pixel.pixel_id)


@transaction.atomic
def update_pipeline(
    *, principal: Principal, tenant_id: str, id: str, name: str | None = None, active: bool | None = None
) -> None:
    """Call a pipeline something else, or switch it; what is None stays. A pixel's pipeline is its publishing."""
    tenant = to_edit(principal, tenant_id)
    found = find_pipeline(tenant, id)
    new: dict[str, Any] = {} if name is None else {"name": clean_name("name", name)}
    if isinstance(found, Pixel):
        if active is not None:
            set_publishing(principal=principal, tenant_id=tenant_id, pixel_id=found.pixel_id, status=int(active))
        change_pixel_pipeline(principal, found, new)
        return
    if active is not None:
        new["active"] = active
    subject = str(found)  # by the name that it had
    changes = apply_changes(found, new)
    record(principal, acts.UPDATE_PIPELINE, subject, tenant=tenant, changes=changes)


@transaction.atomic
def delete_pipeline(*, principal: Principal, tenant_id: str, id: str) -> None:
    """Delete a pipeline. Its sources and destinations stay, without it; a pixel's goes with the pixel."""
    tenant = to_edit(principal, tenant_id)
    found = find_pipeline(tenant, id)
    if isinstance(found, Pixel):
        disconnect_pixel(principal=principal, tenant_id=tenant_id, pixel_id=found.pixel_id)
        return
    found.delete()
    record(principal, acts.DELETE_PIPELINE, found, tenant=tenant)


def change_pixel_pipeline(principal: Principal, pixel: Pixel, new: dict[str, Any]) -> None:
    """Keep what differs from the default in a pixel's pipeline, and record what has changed. The account is locked."""
    if "registers" in new:
        registration_chosen.send(Pixel, pixel=pixel, registers=new["registers"])
    row = changes_of_pixel(pixel)
    changes = {name: [getattr(row, name), value] for name, value in new.items() if getattr(row, name) != value}
    if not changes:
        return
    for name, (_, value) in changes.items():
        setattr(row, name, value)
    row.save()
    record(principal, acts.UPDATE_PIPELINE, pixel, tenant=pixel.tenant, changes=changes)

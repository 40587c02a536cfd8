"""Making, changing and deleting data sources, and the script in a website's pages."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Any

import msgspec
from django.db import IntegrityError, transaction
from msgspec.structs import asdict

from accounts.audit import apply_changes, record
from accounts.models import Tenant
from accounts.principals import Principal
from common.errors import InvalidInput
from pipelines.data_filters import clean_filter
from pipelines.lookups import check_number, find_gateway_pipeline, find_gateway_source, find_source, to_edit
from pipelines.models import Pipeline, PipelineSource, Source, SourceType
from pipelines.services import acts
from pipelines.services.places import put_source
from pipelines.validation import (
    AAM_FIELDS,
    clean_aam_fields,
    clean_name,
    clean_source_id,
    clean_source_type,
)
from pixels.ids import lock_ids, owner_of, taken_elsewhere
from pixels.models import Pixel
from pixels.services import disconnect_pixel, rename_pixel, set_receiving

_ID_DIGITS = 19


@transaction.atomic
def create_source(
    *,
    principal: Principal,
    tenant_id: str,
    pipeline_id: str,
    name: str,
    kind: SourceType,
    source_id: str | None = None,
) -> str:
    """Make a data source in a pipeline, under the id that is given, or a new one; returns its id.

    Where the account has a source of this id already, that one joins the pipeline, and keeps its name.
    """
    tenant = to_edit(principal, tenant_id)
    pipeline = find_gateway_pipeline(tenant, pipeline_id)
    name, kind = clean_name("name", name), clean_source_type("dataSourceType", kind)
    if not source_id:
        return _create(principal, pipeline, new_source_id(), name, kind)
    source_id = clean_source_id(source_id)
    source = Source.objects.filter(tenant=tenant, source_id=source_id).first()
    if source is None:
        return _create(principal, pipeline, source_id, name, kind)
    if source.type != kind:
        raise InvalidInput("dataSourceType", "must be the type that this data source has.")
    put_source(principal, pipeline, source)
    return source_id


def _create(principal: Principal, pipeline: Pipeline, source_id: str, name: str, kind: SourceType) -> str:
    tenant = pipeline.tenant
    check_number(tenant.sources.all(), "dataSourceId")
    lock_ids()
    _refuse_taken(tenant, source_id)
    try:
        with transaction.atomic():
            source = Source.objects.create(tenant=tenant, source_id=source_id, name=name, type=kind)
    except IntegrityError:
        raise taken_elsewhere("dataSourceId") from None
    PipelineSource.objects.create(pipeline=pipeline, source=source)
    record(
        principal,
        acts.CREATE_SOURCE,
        source,
        tenant=tenant,
        changes={"name": [None, name], "type": [None, kind]},
    )
    return source_id


def _refuse_taken(tenant: Tenant, source_id: str) -> None:
    owner = owner_of(source_id)
    if owner == tenant.pk:
        raise InvalidInput("dataSourceId", "is a Meta Pixel's, which stands in its own pipeline alone.")
    if owner is not None:
        raise taken_elsewhere("dataSourceId")


def new_source_id() -> str:
    """One of as many digits as the reference's that nobody has."""
    while True:
        made = str(10 ** (_ID_DIGITS - 1) + secrets.randbelow(9 * 10 ** (_ID_DIGITS - 1)))
        if owner_of(made) is None:
            return made


def account_of_source(source_id: str) -> str | None:
    """Which account has the id, for ``pixels.ids``."""
    return Source.objects.filter(source_id=source_id).values_list("tenant_id", flat=True).first()


@transaction.atomic
def update_source(
    *,
    principal: Principal,
    tenant_id: str,
    id: str,
    name: str | None = None,
    kind: SourceType | None = None,
    active: bool | None = None,
) -> None:
    """Change what is not None. A Meta Pixel's switch is its receiving."""
    tenant = to_edit(principal, tenant_id)
    found = find_source(tenant, id)
    if isinstance(found, Pixel):
        _update_pixel(principal, found, name, kind, active)
        return
    new: dict[str, Any] = {}
    if name is not None:
        new["name"] = clean_name("name", name)
    if kind is not None:
        new["type"] = clean_source_type("dataSourceType", kind)
    if active is not None:
        new["active"] = active
    subject = str(found)
    changes = apply_changes(found, new)
    record(principal, acts.UPDATE_SOURCE, subject, tenant=tenant, changes=changes)


def _update_pixel(
    principal: Principal, pixel: Pixel, name: str | None, kind: SourceType | None, active: bool | None
) -> None:
    if kind not in (None, SourceType.META_PIXEL):
        raise InvalidInput("dataSourceType", "must be META_PIXEL: that is what this data source is.")
    which: dict[str, Any] = {"principal": principal, "tenant_id": pixel.tenant_id, "pixel_id": pixel.pixel_id}
    if name is not None:
        rename_pixel(**which, name=name)
    if active is not None:
        set_receiving(**which, status=int(active))


@transaction.atomic
def delete_source(*, principal: Principal, tenant_id: str, id: str) -> None:
    """Delete a data source with what hangs on it; a Meta Pixel is disconnected."""
    tenant = to_edit(principal, tenant_id)
    found = find_source(tenant, id)
    if isinstance(found, Pixel):
        disconnect_pixel(principal=principal, tenant_id=tenant_id, pixel_id=found.pixel_id)
        return
    found.delete()
    record(principal, acts.DELETE_SOURCE, found, tenant=tenant)


class ScriptChanges(msgspec.Struct, frozen=True, kw_only=True):
    """What to change of how a script behaves; what is None stays as it was."""

    enabled: bool | None = None
    enable_aam: bool | None = None
    first_party_cookie: bool | None = None
    aam_fields: Sequence[str] | None = None
    fork_meta_pixel: bool | None = None
    hash_contact_data: bool | None = None
    custom_integrity_script: str | None = None


@transaction.atomic
def configure_source(*, principal: Principal, tenant_id: str, source_id: str, wanted: ScriptChanges) -> Source:
    """How the script in the website's pages behaves.

    Advanced matching reads all of its fields where it is switched on and none was ever named.
    """
    tenant = to_edit(principal, tenant_id)
    source = find_gateway_source(tenant, source_id, field="pixelId")
    refuse_files(source, "pixelId")
    new = {name: value for name, value in asdict(wanted).items() if value is not None}
    if "aam_fields" in new:
        new["aam_fields"] = clean_aam_fields(new["aam_fields"])
    elif wanted.enable_aam and not source.aam_fields:
        new["aam_fields"] = list(AAM_FIELDS)
    if "custom_integrity_script" in new:
        new["custom_integrity_script"] = clean_filter("customIntegrityScript", new["custom_integrity_script"])
    changes = apply_changes(source, new)
    record(principal, acts.CONFIGURE_SOURCE, source, tenant=tenant, changes=acts.shortened(changes))
    return source


def refuse_files(source: Source, field: str) -> None:
    """Raise InvalidInput for a source that stands in no page."""
    if source.type == SourceType.FILE_UPLOAD:
        raise InvalidInput(field, "must be a website's data source: files have no script.")

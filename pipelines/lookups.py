"""Finding what an id means in an account; what is not there, or another account's, is NotFound."""

from __future__ import annotations

from typing import Any

from django.db import models

from accounts.models import Tenant
from accounts.permissions import Action, get_tenant
from accounts.principals import Principal
from common.errors import InvalidInput, NotFound
from pipelines.ids import DESTINATION, PIPELINE, read_id
from pipelines.models import Destination, Pipeline, PixelPipeline, Source
from pipelines.validation import MAX_OF_A_KIND
from pixels.models import Pixel
from pixels.validation import is_pixel_id


def to_edit(principal: Principal, tenant_id: str) -> Tenant:
    """The account, locked, so that what is checked stays so."""
    return get_tenant(principal, tenant_id, Action.EDIT_DATA, lock=True)


def find_pipeline(tenant: Tenant, id: str, *, field: str = "id") -> Pipeline | Pixel:
    """The pipeline; the pixel, where it is a pixel's."""
    wanted = read_id(PIPELINE, id)
    if isinstance(wanted, str):
        found: Pipeline | Pixel | None = _pixel(tenant, wanted)
    else:
        found = tenant.pipelines.filter(uuid=wanted).first() if wanted else None
    if found is None:
        raise no_such_pipeline(field)
    return found


def find_gateway_pipeline(tenant: Tenant, id: str) -> Pipeline:
    """A pipeline that can have sources and destinations."""
    found = find_pipeline(tenant, id, field="pipelineId")
    if isinstance(found, Pixel):
        raise InvalidInput("pipelineId", "a Meta Pixel's pipeline has that pixel and its data set alone.")
    return found


def find_source(tenant: Tenant, id: str, *, field: str = "id") -> Source | Pixel:
    """The source; the pixel, where it is one."""
    if not is_pixel_id(id):
        raise no_such_source(field)
    found = tenant.sources.filter(source_id=id).first() or _pixel(tenant, id)
    if found is None:
        raise no_such_source(field)
    return found


def find_gateway_source(tenant: Tenant, id: str, *, field: str) -> Source:
    """A source that is no Meta Pixel."""
    found = find_source(tenant, id, field=field)
    if isinstance(found, Pixel):
        raise InvalidInput(field, "must be a data source of the gateway, not a Meta Pixel.")
    return found


def find_destination(tenant: Tenant, id: str, *, field: str = "id") -> Destination | Pixel:
    """The destination; the pixel, where it is a pixel's."""
    wanted = read_id(DESTINATION, id)
    if isinstance(wanted, str):
        found: Destination | Pixel | None = _pixel(tenant, wanted)
    else:
        found = tenant.destinations.filter(uuid=wanted).first() if wanted else None
    if found is None:
        raise no_such_destination(field)
    return found


def find_gateway_destination(tenant: Tenant, id: str, *, field: str) -> Destination:
    """A destination that is no Meta Pixel's."""
    found = find_destination(tenant, id, field=field)
    if isinstance(found, Pixel):
        raise InvalidInput(field, "must be a destination of the gateway, not a Meta Pixel's.")
    return found


def changes_of_pixel(pixel: Pixel) -> PixelPipeline:
    """What differs from the default in the pixel's pipeline; not saved where nothing does."""
    return PixelPipeline.objects.filter(pixel=pixel).first() or PixelPipeline(pixel=pixel)


def check_number(rows: models.QuerySet[Any], field: str) -> None:
    """Raise InvalidInput where an account has as many of a kind as it may have. The account is locked."""
    if rows.count() >= MAX_OF_A_KIND:
        raise InvalidInput(field, "would be one too many: an account may have {limit}.", limit=MAX_OF_A_KIND)


def _pixel(tenant: Tenant, pixel_id: str) -> Pixel | None:
    return tenant.pixels.defer("access_token").filter(pixel_id=pixel_id).first()


def no_such_pipeline(field: str) -> NotFound:
    """For unknown ones and other accounts' alike, as the next two."""
    return NotFound("{name}: this account has no such pipeline.", field=field, name=field)


def no_such_source(field: str) -> NotFound:
    """What events come from."""
    return NotFound("{name}: this account has no such data source.", field=field, name=field)


def no_such_destination(field: str) -> NotFound:
    """Where events go."""
    return NotFound("{name}: this account has no such data destination.", field=field, name=field)

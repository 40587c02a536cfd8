"""A source's and a destination's place in a gateway pipeline: put there, and taken out ("Disconnect pipeline").

Whoever is taken out stays, with its figures and configuration, and can be put back: it then gets what comes from that
moment on. What waits for a destination that no pipeline leads to any more is not sent (``events/gateway/cursors.py``).
"""

from __future__ import annotations

from django.db import transaction

from accounts.audit import record
from accounts.principals import Principal
from common.errors import InvalidInput
from pipelines.lookups import (
    find_destination,
    find_gateway_pipeline,
    find_gateway_source,
    no_such_destination,
    no_such_source,
    to_edit,
)
from pipelines.models import Destination, Pipeline, PipelineDestination, PipelineSource, Source
from pipelines.services import acts


@transaction.atomic
def add_source(*, principal: Principal, tenant_id: str, pipeline_id: str, id: str) -> None:
    """Put a data source of the account into the pipeline, too; nothing where it is there already."""
    tenant = to_edit(principal, tenant_id)
    pipeline = find_gateway_pipeline(tenant, pipeline_id)
    put_source(principal, pipeline, find_gateway_source(tenant, id, field="id"))


@transaction.atomic
def remove_source(*, principal: Principal, tenant_id: str, pipeline_id: str, id: str) -> None:
    """Take a data source out of the pipeline."""
    tenant = to_edit(principal, tenant_id)
    pipeline = find_gateway_pipeline(tenant, pipeline_id)
    source = find_gateway_source(tenant, id, field="id")
    if not PipelineSource.objects.filter(pipeline=pipeline, source=source).delete()[0]:
        raise no_such_source("id")
    record(principal, acts.REMOVE_SOURCE, f"{source} → {pipeline}", tenant=tenant)


@transaction.atomic
def add_destination(*, principal: Principal, tenant_id: str, pipeline_id: str, id: str) -> None:
    """Put a destination of the account into the pipeline, too; nothing where it is there already."""
    tenant = to_edit(principal, tenant_id)
    pipeline = find_gateway_pipeline(tenant, pipeline_id)
    destination = find_destination(tenant, id)
    if not isinstance(destination, Destination):
        raise InvalidInput("id", "must be a destination of the gateway, not a Meta Pixel's.")
    if put_destination(pipeline, destination, "id"):
        record(principal, acts.ADD_DESTINATION, f"{pipeline} → {destination}", tenant=tenant)


@transaction.atomic
def remove_destination(*, principal: Principal, tenant_id: str, pipeline_id: str, id: str) -> None:
    """Take a destination out of the pipeline, with the filter before it."""
    tenant = to_edit(principal, tenant_id)
    pipeline = find_gateway_pipeline(tenant, pipeline_id)
    destination = find_destination(tenant, id)
    places = PipelineDestination.objects.filter(pipeline=pipeline)
    if not isinstance(destination, Destination) or not places.filter(destination=destination).delete()[0]:
        raise no_such_destination("id")
    record(principal, acts.REMOVE_DESTINATION, f"{pipeline} → {destination}", tenant=tenant)


def put_source(principal: Principal, pipeline: Pipeline, source: Source) -> None:
    """Give the source its place, and record it. The account is locked."""
    _, is_new = PipelineSource.objects.get_or_create(pipeline=pipeline, source=source)
    if is_new:
        record(principal, acts.ADD_SOURCE, f"{source} → {pipeline}", tenant=pipeline.tenant)


def put_destination(pipeline: Pipeline, destination: Destination, field: str) -> bool:
    """Give the destination its place; False where it has it already. The account is locked."""
    if PipelineDestination.objects.filter(pipeline=pipeline, destination=destination).exists():
        return False
    refuse_second(pipeline, destination.type, field)
    PipelineDestination.objects.create(pipeline=pipeline, destination=destination, type=destination.type)
    return True


def refuse_second(pipeline: Pipeline, kind: str, field: str) -> None:
    """Raise InvalidInput where the pipeline has a destination of this type."""
    if PipelineDestination.objects.filter(pipeline=pipeline, type=kind).exists():
        raise InvalidInput(field, "the pipeline has a destination of this type already.")

"""An account's pipelines, with what passed through them."""

from __future__ import annotations

from typing import NamedTuple

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.models import Tenant
from accounts.permissions import Action
from accounts.web import AccountRequest, account_page
from events.figures.pipelines import Passed, passed
from events.gateway.diagnostics import diagnose
from pipelines.reads import list_pipelines, read_pipeline
from pipelines.shown import DestinationView, PipelineType, PipelineView
from pipelines.states import PipelineState, state_of

PAGE_SIZE = 25
#: What the figures are of.
_DAY_MINUTES = 24 * 60


class Row(NamedTuple):
    """A pipeline as pages show it: how it fares, what its sources received, and what was sent to each destination."""

    pipeline: PipelineView
    state: PipelineState
    received: int
    destinations: list[tuple[DestinationView, int]]


@require_safe
@account_page(Action.VIEW_DATA)
def pipeline_list(request: AccountRequest) -> HttpResponse:
    """All pipelines, of pixels and of the gateway, each with its picture."""
    pipelines = list_pipelines(request.principal, request.tenant.pk)
    page = Paginator(pipelines, PAGE_SIZE).get_page(request.GET.get("page"))
    rows = _rows(request.tenant, list(page))
    return render(request, "pipelines/list.html", {"rows": rows, "page": page})


@require_safe
@account_page(Action.VIEW_DATA)
def detail(request: AccountRequest, pipeline_id: str) -> HttpResponse:
    """One pipeline: its picture, its filters, and what can be done to it."""
    pipeline = read_pipeline(request.principal, request.tenant.pk, pipeline_id)
    figures = passed(request.tenant, [pipeline], _DAY_MINUTES)
    branches = list(zip(pipeline.data_destinations, pipeline.pipeline_destination_filters, strict=True))
    is_of_pixel = pipeline.type is PipelineType.META_CAPI_PIPELINE
    context = {
        "row": _row(pipeline, figures),
        "branches": branches,
        "is_of_pixel": is_of_pixel,
        "obstacles": diagnose(request.tenant, pipeline, figures.received),
    }
    return render(request, "pipelines/detail.html", context)


def _rows(tenant: Tenant, pipelines: list[PipelineView]) -> list[Row]:
    figures = passed(tenant, pipelines, _DAY_MINUTES)
    return [_row(each, figures) for each in pipelines]


def _row(pipeline: PipelineView, figures: Passed) -> Row:
    return Row(
        pipeline,
        state_of(pipeline),
        sum(figures.received.get(source.id, 0) for source in pipeline.data_sources),
        [(destination, figures.sent.get(destination.id, 0)) for destination in pipeline.data_destinations],
    )

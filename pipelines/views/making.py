"""Making pipelines, and what stands in them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.permissions import Action
from accounts.views.pages import address, form_page
from accounts.web import AccountRequest, account_page, refusals_in
from pipelines.forms import DestinationForm, ExistingForm, NameForm, SourceForm
from pipelines.models import DestinationType, SourceType
from pipelines.reads import list_destinations, list_sources, read_pipeline
from pipelines.services import places
from pipelines.services.destinations import create_destination
from pipelines.services.pipelines import create_pipeline
from pipelines.services.sources import create_source
from pipelines.shown import DestinationView, PipelineType, PipelineView


@require_http_methods(["GET", "HEAD", "POST"])
@account_page(Action.EDIT_DATA)
def create(request: AccountRequest) -> HttpResponse:
    """A gateway pipeline, by its name; or the way to the page that connects a Meta Pixel."""
    form = NameForm(request.POST or None)
    if form.is_valid():
        with refusals_in(form):
            made = create_pipeline(principal=request.principal, tenant_id=request.tenant.pk, **form.cleaned_data)
            messages.success(request, _("The pipeline is there. Add a data source and a destination next."))
            return redirect(address("pipelines:detail", request.tenant, made))
    is_of_pixel = request.method != "POST" and request.GET.get("kind") == "pixel"
    return form_page(request, "pipelines/create.html", form, {"is_of_pixel": is_of_pixel})


@require_http_methods(["GET", "HEAD", "POST"])
@account_page(Action.EDIT_DATA)
def add_source(request: AccountRequest, pipeline_id: str) -> HttpResponse:
    """A data source for the pipeline."""
    pipeline = read_pipeline(request.principal, request.tenant.pk, pipeline_id)
    context = _about(request, pipeline, _("Add data source"))
    others = [
        (each.id, f"{each.name} ({each.id})")
        for each in list_sources(request.principal, request.tenant.pk)
        if each.type is not SourceType.META_PIXEL and each not in pipeline.data_sources
    ]
    existing = ExistingForm(request.POST if "id" in request.POST else None, choices=others)
    if existing.is_valid():
        with refusals_in(existing):
            return _put(request, pipeline_id, places.add_source, existing, _("The data source is in the pipeline."))
    form = SourceForm(None if existing.is_bound else request.POST or None)
    if form.is_valid():
        given = form.cleaned_data
        with refusals_in(form):
            made = create_source(
                principal=request.principal,
                tenant_id=request.tenant.pk,
                pipeline_id=pipeline_id,
                name=given["name"],
                kind=SourceType(given["data_source_type"]),
                source_id=given["data_source_id"] or None,
            )
            messages.success(request, _("The data source is in the pipeline."))
            return redirect(address("pipelines:source", request.tenant, made))
    return _add_page(request, form, existing, context)


@require_http_methods(["GET", "HEAD", "POST"])
@account_page(Action.EDIT_DATA)
def add_destination(request: AccountRequest, pipeline_id: str) -> HttpResponse:
    """A destination for the pipeline."""
    pipeline = read_pipeline(request.principal, request.tenant.pk, pipeline_id)
    context = _about(request, pipeline, _("Add destination"))
    types = {each.type for each in pipeline.data_destinations}
    others = [
        (each.id, each.name)
        for each in list_destinations(request.principal, request.tenant.pk)
        if each.type not in types and _stands_in_gateway_pipelines(each)
    ]
    existing = ExistingForm(request.POST if "id" in request.POST else None, choices=others)
    if existing.is_valid():
        with refusals_in(existing):
            return _put(
                request, pipeline_id, places.add_destination, existing, _("The destination is in the pipeline.")
            )
    form = DestinationForm(None if existing.is_bound else request.POST or None)
    if form.is_valid():
        given = form.cleaned_data
        with refusals_in(form):
            made = create_destination(
                principal=request.principal,
                tenant_id=request.tenant.pk,
                pipeline_id=pipeline_id,
                name=given["name"],
                kind=DestinationType(given["type"]),
            )
            messages.success(request, _("The destination is in the pipeline. It gets events once it is configured."))
            return redirect(address("pipelines:destination", request.tenant, made))
    return _add_page(request, form, existing, context)


def _stands_in_gateway_pipelines(destination: DestinationView) -> bool:
    """A Meta Pixel's stands in that pixel's pipeline alone."""
    return all(each.type is PipelineType.GATEWAY_PIPELINE for each in destination.associated_pipelines)


def _about(request: AccountRequest, pipeline: PipelineView, title: str) -> dict[str, Any]:
    back = address("pipelines:detail", request.tenant, pipeline.id)
    return {"title": title, "about": pipeline.name, "back": back, "button": title}


def _put(
    request: AccountRequest, pipeline_id: str, add: Callable[..., None], existing: ExistingForm, done: str
) -> HttpResponse:
    """What the account has already comes into the pipeline, too."""
    add(
        principal=request.principal,
        tenant_id=request.tenant.pk,
        pipeline_id=pipeline_id,
        id=existing.cleaned_data["id"],
    )
    messages.success(request, done)
    return redirect(address("pipelines:detail", request.tenant, pipeline_id))


def _add_page(request: AccountRequest, form: NameForm, existing: ExistingForm, context: dict[str, Any]) -> HttpResponse:
    """The two forms: one of what the account has, where there is something, and one to make something new."""
    status = 400 if form.errors or existing.errors else 200
    return render(request, "pipelines/add.html", {"form": form, "existing": existing, **context}, status=status)

"""The filters of pipelines and of their destinations: the events that were seen, to tick."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.permissions import Action
from accounts.views.pages import address, form_page
from accounts.web import AccountRequest, account_page, refusals_in
from events.figures.labels import seen_labels, seen_labels_of_sources
from events.models import Counter
from pipelines.forms import FilterForm
from pipelines.lookups import no_such_destination
from pipelines.reads import read_pipeline
from pipelines.services.filters import update_destination_filter, update_pipeline_filter
from pipelines.shown import PipelineType, PipelineView
from pixels.reads import pixel_keys

#: So many of the names that were seen are there to tick, those seen last; others can be written.
NAMES_SHOWN = 100


@require_http_methods(["GET", "HEAD", "POST"])
@account_page(Action.EDIT_DATA)
def of_pipeline(request: AccountRequest, pipeline_id: str) -> HttpResponse:
    """What no destination of the pipeline gets."""
    pipeline = read_pipeline(request.principal, request.tenant.pk, pipeline_id)
    standing = pipeline.data_filter
    form = _form(request, pipeline, is_on=not standing.is_off, blocked=standing.blocked_event_types)
    return _answer(request, form, pipeline, update_pipeline_filter, pipeline.name)


@require_http_methods(["GET", "HEAD", "POST"])
@account_page(Action.EDIT_DATA)
def of_destination(request: AccountRequest, pipeline_id: str, destination_id: str) -> HttpResponse:
    """What one of its destinations does not get."""
    pipeline = read_pipeline(request.principal, request.tenant.pk, pipeline_id)
    names = {each.id: each.name for each in pipeline.data_destinations}
    if destination_id not in names:
        raise no_such_destination("destinationId")
    (standing,) = (each for each in pipeline.pipeline_destination_filters if each.destination_id == destination_id)
    form = _form(
        request,
        pipeline,
        is_on=standing.destination_filter_status,
        blocked=standing.destination_filter_blocked_event_types,
    )
    update = partial(update_destination_filter, destination_id=destination_id, field="blockedEventTypes")
    return _answer(request, form, pipeline, update, f"{pipeline.name} → {names[destination_id]}")


def _form(request: AccountRequest, pipeline: PipelineView, *, is_on: bool, blocked: list[str]) -> FilterForm:
    data = request.POST if request.method == "POST" else None
    return FilterForm(data, is_on=is_on, blocked=blocked, seen=list(_seen(request, pipeline))[:NAMES_SHOWN])


def _seen(request: AccountRequest, pipeline: PipelineView) -> Iterable[str]:
    """The names on its sources' events, those seen last first."""
    sources = [source.id for source in pipeline.data_sources]
    if pipeline.type is PipelineType.META_CAPI_PIPELINE:
        keys = pixel_keys(request.tenant)
        return seen_labels([keys[each] for each in sources if each in keys], Counter.Dimension.EVENT_NAME)
    return seen_labels_of_sources(sources, Counter.Dimension.EVENT_NAME)


def _answer(
    request: AccountRequest, form: FilterForm, pipeline: PipelineView, update: Callable[..., Any], about: str
) -> HttpResponse:
    back = address("pipelines:detail", request.tenant, pipeline.id)
    if form.is_valid():
        with refusals_in(form):
            update(
                principal=request.principal,
                tenant_id=request.tenant.pk,
                pipeline_id=pipeline.id,
                filter_status=form.cleaned_data["is_on"],
                blocked_event_types=form.blocked,
            )
            messages.success(request, _("The filter is changed."))
            return redirect(back)
    context = {"title": _("Blocked events"), "about": about, "back": back, "button": _("Save")}
    return form_page(request, "pipelines/form.html", form, context)

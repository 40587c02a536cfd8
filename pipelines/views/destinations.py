"""The page of a destination, and what it is configured with."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts.permissions import Action
from accounts.views.pages import address, form_page
from accounts.web import AccountRequest, account_page, refusals_in
from pipelines.configuration_forms import AUTH_TYPES, HttpForm, MetaForm
from pipelines.custom_http.configuration import Shown
from pipelines.custom_http.errors import TemplateError
from pipelines.custom_http.parameters import PARAMETERS, SAMPLE
from pipelines.custom_http.sending import preview
from pipelines.lookups import find_destination, no_such_destination
from pipelines.models import Destination, DestinationType
from pipelines.reads import read_destination
from pipelines.services.configuration import configure_http, configure_meta, preview_http
from pixels.models import Pixel


@require_safe
@account_page(Action.VIEW_DATA)
def destination(request: AccountRequest, destination_id: str) -> HttpResponse:
    """What it is, and which pipelines feed it; a Meta Pixel's is shown on the pixel's page."""
    row = find_destination(request.tenant, destination_id)
    if isinstance(row, Pixel):
        return redirect(address("pixels:detail", request.tenant, row.pixel_id))
    context: dict[str, Any] = {
        "destination": read_destination(request.principal, request.tenant.pk, destination_id),
        "settings": row.settings,
    }
    if row.type == DestinationType.CUSTOM_HTTP_API and row.settings:
        context |= {"sent": _stored_preview(row), "auth": AUTH_TYPES[row.settings["authType"]]}
    return render(request, "pipelines/destination.html", context)


def _stored_preview(row: Destination) -> str:
    try:
        return preview(Shown.read(row.settings), [SAMPLE]).text
    except TemplateError as error:  # the rules for templates have changed since
        return str(error)


@require_http_methods(["GET", "HEAD", "POST"])
@account_page(Action.EDIT_DATA)
def configure_at_meta(request: AccountRequest, destination_id: str) -> HttpResponse:
    """The data set at Meta, and its token, which is asked for each time."""
    row = _find(request, destination_id, DestinationType.META_CONVERSIONS_API)
    known = {
        "meta_dataset_id": row.settings.get("dataSetId"),
        "business_id": row.settings.get("businessId"),
        "api_version": row.settings.get("apiVersion"),
    }
    form = MetaForm(request.POST) if request.method == "POST" else MetaForm(initial=known)
    back = address("pipelines:destination", request.tenant, destination_id)
    if form.is_valid():
        with refusals_in(form):
            configure_meta(
                principal=request.principal, tenant_id=request.tenant.pk, id=destination_id, **form.cleaned_data
            )
            messages.success(request, _("The destination is configured."))
            return redirect(back)
    context = {"title": _("Configuration"), "about": row.name, "back": back, "button": _("Save")}
    return form_page(request, "pipelines/form.html", form, context)


@require_http_methods(["GET", "HEAD", "POST"])
@account_page(Action.EDIT_DATA)
def configure_over_http(request: AccountRequest, destination_id: str) -> HttpResponse:
    """Address, template, authentication; and what would be sent, before anything is saved."""
    row = _find(request, destination_id, DestinationType.CUSTOM_HTTP_API)
    form = HttpForm.of(row.settings, request.POST if request.method == "POST" else None)
    context: dict[str, Any] = {"destination": row, "id": destination_id, "parameters": PARAMETERS}
    which: dict[str, Any] = {"principal": request.principal, "tenant_id": request.tenant.pk, "id": destination_id}
    if form.is_valid():
        with refusals_in(form):
            if "preview" in request.POST:
                context["sent"] = preview_http(**which, config=form.config).text
            else:
                configure_http(**which, config=form.config)
                messages.success(request, _("The destination is configured."))
                return redirect(address("pipelines:destination", request.tenant, destination_id))
    return form_page(request, "pipelines/configure_http.html", form, context)


def _find(request: AccountRequest, destination_id: str, kind: DestinationType) -> Destination:
    """NotFound for one of another type, too, which has a page of its own."""
    row = find_destination(request.tenant, destination_id)
    if isinstance(row, Pixel) or row.type != kind:
        raise no_such_destination("id")
    return row

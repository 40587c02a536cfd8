"""The page of a data source: its setup guide, and how its script behaves."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.permissions import Action
from accounts.services.routing import address_of
from accounts.views.pages import address, form_page
from accounts.web import AccountRequest, account_page, refusals_in, said_yes
from pipelines.configuration_forms import ScriptForm
from pipelines.lookups import find_gateway_source, find_source
from pipelines.models import SourceType
from pipelines.reads import read_source
from pipelines.services.header_code import header_code
from pipelines.services.shopify_code import shopify_code
from pipelines.services.sources import ScriptChanges, configure_source, refuse_files
from pixels.models import Pixel


@require_safe
@account_page(Action.VIEW_DATA)
def source(request: AccountRequest, source_id: str) -> HttpResponse:
    """What it is, how it is set up, and which pipelines it feeds; a Meta Pixel has a page of its own."""
    row = find_source(request.tenant, source_id)
    if isinstance(row, Pixel):
        return redirect(address("pixels:detail", request.tenant, source_id))
    is_in_pages = row.type != SourceType.FILE_UPLOAD
    context = {
        "source": read_source(request.principal, request.tenant.pk, source_id),
        "row": row,
        "code": header_code(request.tenant, row) if is_in_pages else "",
        "shopify_code": shopify_code(request.tenant, row) if is_in_pages else "",
        "server_url": f"{address_of(request.tenant).rstrip('/')}/capi/{source_id}/events",
    }
    return render(request, "pipelines/source.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@account_page(Action.EDIT_DATA)
def configure(request: AccountRequest, source_id: str) -> HttpResponse:
    """How the script in the website's pages behaves."""
    row = find_gateway_source(request.tenant, source_id, field="id")
    refuse_files(row, "id")
    form = ScriptForm.of(row, request.POST if request.method == "POST" else None)
    back = address("pipelines:source", request.tenant, source_id)
    if form.is_valid():
        with refusals_in(form):
            configure_source(
                principal=request.principal, tenant_id=request.tenant.pk, source_id=source_id, wanted=form.changes
            )
            messages.success(request, _("The script's configuration is changed."))
            return redirect(back)
    context = {"title": _("Configuration"), "about": row.name, "back": back, "button": _("Save")}
    return form_page(request, "pipelines/form.html", form, context)


@require_POST
@account_page(Action.EDIT_DATA)
def answer_meta_pixel(request: AccountRequest, source_id: str) -> HttpResponse:
    """Does the website have a Meta Pixel? Where it does, its event code is used."""
    wanted = ScriptChanges(fork_meta_pixel=said_yes(request, "has_one"))
    configure_source(principal=request.principal, tenant_id=request.tenant.pk, source_id=source_id, wanted=wanted)
    messages.success(
        request,
        _("Event code such as fbq(...) is used. Pages have this within half an hour.")
        if wanted.fork_meta_pixel
        else _("Event code such as fbq(...) is not used. Pages have this within half an hour."),
    )
    return redirect(address("pipelines:source", request.tenant, source_id))

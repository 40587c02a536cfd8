"""Importing pixels from a CSV file: upload, look at every line's fate, apply, read the report."""

from __future__ import annotations

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_htmx.http import HttpResponseClientRedirect

from accounts.permissions import Action
from accounts.views.pages import address, form_page
from accounts.web import AccountRequest, account_page, add_service_error
from common.errors import PortalError
from pixels.csv_files import COLUMNS, MAX_BYTES, REQUIRED
from pixels.forms import ImportForm
from pixels.imports import PLANS, apply_import, count_fates, discard_import, get_import, start_import
from pixels.models import PixelImport, PixelImportRow

PAGE_SIZE = 50
#: One request applies lines for so long, then says how far it has come.
SECONDS_A_STEP = 1.0

Fate = PixelImportRow.Fate


@require_http_methods(["GET", "HEAD", "POST"])
@account_page(Action.EDIT_DATA)
def upload(request: AccountRequest) -> HttpResponse:
    """Take the file; nothing is connected yet."""
    form = ImportForm(request.POST, request.FILES) if request.method == "POST" else ImportForm()
    context = {"columns": COLUMNS, "required": REQUIRED}
    if not form.is_valid():
        return form_page(request, "pixels/import.html", form, context)
    # One byte more than is allowed tells that it is too large.
    content = form.cleaned_data["file"].read(MAX_BYTES + 1)
    try:
        batch = start_import(principal=request.principal, tenant_id=request.tenant.pk, content=content)
    except PortalError as error:
        add_service_error(form, error)
        return form_page(request, "pixels/import.html", form, context)
    return redirect(address("pixels:import_show", request.tenant, batch.pk))


@require_safe
@account_page(Action.EDIT_DATA)
def show(request: AccountRequest, import_id: int) -> HttpResponse:
    """Every line's fate: before it is applied what would become of it, afterwards what did."""
    batch = get_import(request.tenant, import_id)
    progress = Progress(batch)
    fate = request.GET.get("fate", "")
    rows = batch.rows.defer("access_token")
    if fate in Fate.values:
        rows = rows.filter(fate=fate)
    page = Paginator(rows, PAGE_SIZE).get_page(request.GET.get("page"))
    return render(request, "pixels/import_show.html", {"progress": progress, "page": page, "fate": fate})


@require_POST
@account_page(Action.EDIT_DATA)
def apply(request: AccountRequest, import_id: int) -> HttpResponse:
    """Apply some of the lines. HTMX asks again until all are done; without it there is a button."""
    page = address("pixels:import_show", request.tenant, import_id)
    done = apply_import(
        principal=request.principal, tenant_id=request.tenant.pk, import_id=import_id, seconds=SECONDS_A_STEP
    )
    if not request.htmx:  # type: ignore[attr-defined]
        return redirect(page)
    if done:
        return HttpResponseClientRedirect(page)
    progress = Progress(get_import(request.tenant, import_id))
    return render(request, "pixels/_import_progress.html", {"progress": progress})


@require_POST
@account_page(Action.EDIT_DATA)
def discard(request: AccountRequest, import_id: int) -> HttpResponse:
    """Forget the file."""
    discard_import(principal=request.principal, tenant_id=request.tenant.pk, import_id=import_id)
    messages.success(request, _("The file is forgotten."))
    return redirect(address("pixels:list", request.tenant))


class Progress:
    """How far an import has come."""

    def __init__(self, batch: PixelImport) -> None:
        self.batch = batch
        counts = count_fates(batch)
        self.total = sum(counts.values())
        self.waiting = sum(counts.get(fate, 0) for fate in PLANS)
        self.done = self.total - self.waiting
        self.fates = [(fate, fate.label, counts[fate]) for fate in Fate if fate in counts]
        #: The plan is shown, the lines are being applied, or the report is.
        self.is_planned = not batch.started and self.waiting > 0
        self.is_running = batch.started and self.waiting > 0

"""The page "Data Filter": an advertiser's own filter, and a trial of it in the reader's browser.

It is the advertiser's code. So it runs in a frame of an origin of its own, which reaches nothing of the portal, and
never on the server.
"""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.templatetags.static import static
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_http_methods, require_safe

from accounts.permissions import Action
from accounts.views.pages import address, form_page
from accounts.web import AccountRequest, account_page, refusals_in
from events.gateway.filter_samples import filter_samples
from events.views.frames import in_frame, with_frame
from pipelines.configuration_forms import DataFilterForm
from pipelines.lookups import find_gateway_source
from pipelines.services.sources import configure_source, refuse_files


@require_http_methods(["GET", "HEAD", "POST"])
@account_page(Action.EDIT_DATA)
def data_filter(request: AccountRequest, source_id: str) -> HttpResponse:
    """The filter of a source, to be changed and tried."""
    row = find_gateway_source(request.tenant, source_id, field="id")
    refuse_files(row, "id")
    given = request.POST if request.method == "POST" else None
    form = DataFilterForm(given, initial={"custom_integrity_script": row.custom_integrity_script})
    back = address("pipelines:source", request.tenant, source_id)
    if form.is_valid():
        with refusals_in(form):
            configure_source(
                principal=request.principal, tenant_id=request.tenant.pk, source_id=source_id, wanted=form.changes
            )
            messages.success(request, _("The data filter is changed."))
            return redirect(back)
    samples = filter_samples(row)
    frame = address("pipelines:filter_trial", request.tenant)
    context = {"source": row, "back": back, "frame": frame, "samples": samples, "events": [s.event for s in samples]}
    response = form_page(request, "events/data_filter.html", form, context)
    return with_frame(response, request, reverse("pipelines:filter_trial"))


@require_safe
@xframe_options_sameorigin
@account_page(Action.EDIT_DATA)
def frame(request: AccountRequest) -> HttpResponse:
    """The frame in which the filter runs: it has nothing in it."""
    response = render(request, "events/filter_trial.html")
    # The filter becomes a script element in it.
    script = request.build_absolute_uri(static("vendor/cbq-trial.js"))
    return in_frame(response, request, script, "'unsafe-inline'")

"""The page "Test event" of a data source: the events of one website, as they come."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.permissions import Action
from accounts.web import AccountRequest, account_page
from events.forms import WebsiteForm
from events.gateway.arrivals import MINUTES, read_arrivals, read_silence
from events.views.frames import portal_website
from pipelines.lookups import find_gateway_source
from pipelines.services.sources import refuse_files


@require_safe
@account_page(Action.VIEW_DATA)
def website_events(request: AccountRequest, source_id: str) -> HttpResponse:
    """Which website; once that is said, its events of the last minutes. For HTMX the events."""
    source = find_gateway_source(request.tenant, source_id, field="id")
    refuse_files(source, "id")
    form = WebsiteForm(request.GET if "website" in request.GET else None)
    context = {"source": source, "form": form, "minutes": MINUTES, "keeps_log": bool(settings.DELIVERY_LOG_DAYS)}
    if form.is_valid():
        website = form.cleaned_data["website"]
        arrivals = read_arrivals(source, website)
        silence = None if arrivals.events else read_silence(source, website)
        context |= {"website": website, "arrivals": arrivals, "silence": silence}
        # Its events come from the page with the script (script_trial.py).
        context["is_portal"] = website == portal_website(request)
        if request.htmx:  # type: ignore[attr-defined]
            return render(request, "events/_website_events.html", context)
    return render(request, "events/website_events.html", context, status=400 if form.errors else 200)

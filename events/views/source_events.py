"""What has come from a data source in the last hour, by name; what was refused, and what left out."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.permissions import Action
from accounts.web import AccountRequest, account_page
from events.findings import read_left_out
from events.gateway.figures import received_by_name
from events.refused.reading import read_refused
from pipelines.lookups import find_gateway_source


@require_safe
@account_page(Action.VIEW_DATA)
def source_events(request: AccountRequest, source_id: str) -> HttpResponse:
    """A page, which changes as events come; for HTMX the part that the source's own page shows."""
    source = find_gateway_source(request.tenant, source_id, field="id")
    context = {
        "source": source,
        "names": received_by_name(source),
        "refused": read_refused(source),
        "left_out": read_left_out(source),
    }
    template = "events/_source_events.html" if request.htmx else "events/source_events.html"  # type: ignore[attr-defined]
    return render(request, template, context)

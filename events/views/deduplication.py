"""Which event ids browsers and servers share, of a pixel or data source."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.permissions import Action
from accounts.web import AccountRequest, account_page
from events.deduplication import read_deduplication
from pipelines.lookups import find_gateway_source
from pixels.listing import get_listed_pixel


@require_safe
@account_page(Action.VIEW_DATA)
def deduplication(request: AccountRequest, pixel_id: str) -> HttpResponse:
    """What is counted of ids, what is wrong with them and what to do; for HTMX the part that the pixel's page shows."""
    pixel = get_listed_pixel(request.tenant, pixel_id)
    context = {"pixel": pixel, "deduplication": read_deduplication(pixel)}
    template = "events/_deduplication.html" if request.htmx else "events/deduplication.html"  # type: ignore[attr-defined]
    return render(request, template, context)


@require_safe
@account_page(Action.VIEW_DATA)
def of_source(request: AccountRequest, source_id: str) -> HttpResponse:
    """The same of a data source."""
    source = find_gateway_source(request.tenant, source_id, field="id")
    context = {"source": source, "deduplication": read_deduplication(source)}
    template = "events/_deduplication.html" if request.htmx else "events/source_deduplication.html"  # type: ignore[attr-defined]
    return render(request, template, context)

"""Which event ids a pixel's browsers and servers share."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.permissions import Action
from accounts.web import AccountRequest, account_page
from events.deduplication import read_deduplication
from pixels.listing import get_listed_pixel


@require_safe
@account_page(Action.VIEW_DATA)
def deduplication(request: AccountRequest, pixel_id: str) -> HttpResponse:
    """What is counted of ids, what is wrong with them and what to do; for HTMX the part that the pixel's page shows."""
    pixel = get_listed_pixel(request.tenant, pixel_id)
    context = {"pixel": pixel, "deduplication": read_deduplication(pixel.pk)}
    template = "events/_deduplication.html" if request.htmx else "events/deduplication.html"  # type: ignore[attr-defined]
    return render(request, template, context)

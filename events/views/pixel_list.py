"""The list of an account's pixels, with what passed on each."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.permissions import Action
from accounts.web import AccountRequest, account_page
from events.figures.series import Chart
from events.registration.reads import count_registrations
from events.registration.registrar import Obstacle, obstacle
from pixels.filters import PixelFilter
from pixels.listing import listed_pixels, page_of_pixels

PAGE_SIZE = 25


@require_safe
@account_page(Action.VIEW_DATA)
def pixel_list(request: AccountRequest) -> HttpResponse:
    """The account's pixels, with their figures of the last 24 hours."""
    chosen = PixelFilter(request.GET, listed_pixels(request.tenant))
    page = page_of_pixels(Paginator(chosen.qs, PAGE_SIZE), request.GET.get("page"), Chart.DAY.minutes)
    is_narrowed = bool(request.GET.get("search") or request.GET.get("state"))
    context: dict[str, Any] = {"page": page, "filter": chosen, "is_narrowed": is_narrowed}
    if page.object_list and obstacle() is not Obstacle.NOT_PUBLIC:
        context["registrations"] = count_registrations([request.tenant])
    return render(request, "pixels/list.html", context)

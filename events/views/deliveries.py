"""All of an account's events, whatever pixel they are of; and all that became of one of them."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from accounts.permissions import Action
from accounts.views.pages import address
from accounts.web import AccountRequest, account_page
from common.errors import InvalidInput
from events.delivery.ends import Ends, read_ends
from events.delivery.entries import Among, Wanted
from events.delivery.reads import list_deliveries_of
from events.delivery.stories import read_stories
from events.forms import DeliverySearchForm

PAGE_SIZE = 25


@require_safe
@account_page(Action.VIEW_DATA)
def deliveries(request: AccountRequest) -> HttpResponse:
    """The account's events, the newest first, by all that is asked for; for HTMX the table."""
    ends = read_ends(request.tenant)
    form = DeliverySearchForm(request.GET, ends=ends)
    form.is_valid()
    chosen = form.cleaned_data
    among = _among(chosen, ends)
    after = request.GET.get("after", "")
    show_all = address("events:deliveries", request.tenant)
    try:
        page = list_deliveries_of(
            request.tenant,
            among,
            _wanted(chosen),
            first=PAGE_SIZE,
            after=after or None,
            ends=ends,
        )
    except InvalidInput:  # a cursor that somebody has typed
        return redirect(show_all)
    context = {
        "form": form,
        "page": page,
        "after": after,
        "is_narrowed": any(chosen.values()),
        "show_all": show_all,
        "days": settings.DELIVERY_LOG_DAYS,
    }
    template = "events/_deliveries.html" if request.htmx else "events/all_deliveries.html"  # type: ignore[attr-defined]
    return render(request, template, context)


@require_safe
@account_page(Action.VIEW_DATA)
def delivery(request: AccountRequest) -> HttpResponse:
    """All that became of the events with one id; for HTMX what changes of it."""
    event_id = request.GET.get("id", "").strip()
    try:
        stories = read_stories(request.tenant, event_id)
    except InvalidInput:  # what no event's id can be
        stories = []
    context = {"event_id": event_id, "stories": stories, "days": settings.DELIVERY_LOG_DAYS}
    template = "events/_delivery.html" if request.htmx else "events/delivery.html"  # type: ignore[attr-defined]
    return render(request, template, context)


def _among(chosen: dict[str, Any], ends: Ends) -> Among:
    """Those of the pixel or data source that is chosen, to the destination that is."""
    of, to = chosen.get("pixel"), chosen.get("destination")
    source = next((pk for pk, source in ends.sources.items() if source.source_id == of), None)
    of_pixels = [] if to else [pixel for pixel in ends.pixels if of in ("", None, pixel.pixel_id)]
    if of and source is None:
        return Among(of_pixels)
    there = tuple(end.pk for end in ends.destinations.values() if end.id == to) if to else None
    return Among(of_pixels, there, source)


def _wanted(chosen: dict[str, Any]) -> Wanted:
    return Wanted(
        chosen.get("outcome"),
        chosen.get("road"),
        name_part=chosen.get("event", "").strip(),
        event_id=chosen.get("id") or None,
        website=chosen.get("website") or None,
        since=chosen.get("since"),
        until=chosen.get("until"),
    )

"""The portal's own page with a source's script: what it sends is seen arriving on the page "Test event".

The script is the real one, with the advertiser's filter in it. So it runs in a frame of an origin of its own.
"""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.templatetags.static import static
from django.urls import reverse
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_safe

from accounts.permissions import Action
from accounts.services.routing import address_of
from accounts.views.pages import address
from accounts.web import AccountRequest, account_page
from events.gateway.page_events import PAGE_EVENTS
from events.intake.event_ids import TEST_PREFIX
from events.views.frames import in_frame, portal_website, with_frame
from pipelines.lookups import find_gateway_source
from pipelines.models import Source
from pipelines.services.sources import refuse_files


@require_safe
@account_page(Action.EDIT_DATA)
def script_trial(request: AccountRequest, source_id: str) -> HttpResponse:
    """A button for each event, and below it what arrives."""
    source = _find(request, source_id)
    context = {
        "source": source,
        "events": PAGE_EVENTS,
        "prefix": TEST_PREFIX,
        "host": address_of(request.tenant).rstrip("/"),
        "website": portal_website(request),
        "frame": address("pipelines:script_frame", request.tenant, source_id),
    }
    response = render(request, "events/script_trial.html", context)
    return with_frame(response, request, reverse("pipelines:script_frame", args=[source_id]))


@require_safe
@xframe_options_sameorigin
@account_page(Action.EDIT_DATA)
def frame(request: AccountRequest, source_id: str) -> HttpResponse:
    """The frame in which the script runs, as in a page of a website's."""
    source = _find(request, source_id)
    host = address_of(request.tenant).rstrip("/")
    of_source = f"{host}/sdk/{source_id}"
    ours = request.build_absolute_uri(static("js/script-frame.js"))
    response = render(request, "events/script_frame.html", {"source": source, "host": host})
    return in_frame(response, request, ours, f"{of_source}/events.js", f"{of_source}/filter.js", asks=f"{host}/events")


def _find(request: AccountRequest, source_id: str) -> Source:
    source = find_gateway_source(request.tenant, source_id, field="id")
    refuse_files(source, "id")
    return source

"""How to send a pixel's events: its address, what to paste, the access key, and a test event to watch."""

from __future__ import annotations

import re
from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods, require_safe

from accounts.permissions import Action
from accounts.services.routing import address_of
from accounts.views.pages import address
from accounts.web import AccountRequest, account_page, refusals_in
from events.delivery.reads import find_decided
from events.forms import TestEventForm
from events.intake.addresses import events_path
from events.intake.test_event import send_test_event
from pixels.listing import get_listed_pixel
from pixels.models import Pixel

SNIPPETS = (("curl", "curl"), ("python", "Python"), ("php", "PHP"))
_TEST_ID = re.compile(r"test-[0-9a-f]{32}")


@require_safe
@account_page(Action.VIEW_DATA)
def sending(request: AccountRequest, pixel_id: str) -> HttpResponse:
    """Everything that whoever installs the sender needs."""
    return _sending(request, pixel_id)


@require_http_methods(["GET", "HEAD", "POST"])
@account_page(Action.EDIT_DATA)
def test_event(request: AccountRequest, pixel_id: str) -> HttpResponse:
    """Send a test event; for HTMX, what has become of one."""
    if request.method != "POST":
        pixel = get_listed_pixel(request.tenant, pixel_id)
        return render(request, "events/_test_event.html", {"pixel": pixel, **watched(request, pixel)})
    form = TestEventForm(request.POST)
    if form.is_valid():
        with refusals_in(form):
            event_id = send_test_event(
                principal=request.principal, tenant_id=request.tenant.pk, pixel_id=pixel_id, **form.cleaned_data
            )
            page = address("pixels:sending", request.tenant, pixel_id)
            return redirect(f"{page}&{urlencode({'event': event_id})}#test")
    return _sending(request, pixel_id, form)


def _sending(request: AccountRequest, pixel_id: str, form: TestEventForm | None = None) -> HttpResponse:
    pixel = get_listed_pixel(request.tenant, pixel_id)
    url = address_of(request.tenant) + events_path(pixel.pixel_id)
    # The key is for those who may change it.
    key = pixel.access_key if request.can[Action.EDIT_DATA.name] else "YOUR_ACCESS_KEY"
    context = {
        "pixel": pixel,
        "url": url,
        "snippets": [
            (name, title, render_to_string(f"events/snippets/{name}.txt", {"pixel": pixel, "url": url, "key": key}))
            for name, title in SNIPPETS
        ],
        "form": form or TestEventForm(),
        **watched(request, pixel),
    }
    return render(request, "events/sending.html", context, status=400 if form else 200)


def watched(request: AccountRequest, pixel: Pixel) -> dict[str, Any]:
    """The test event that the address names, and its entry in the delivery log once it has one."""
    event_id = request.GET.get("event", "")
    if not _TEST_ID.fullmatch(event_id):
        return {}
    entry = find_decided(pixel, event_id)
    return {"event_id": event_id, "entry": entry, "explanation": entry.explanation if entry else ""}

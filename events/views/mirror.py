"""The mirror: two lines for a website, by which what its Meta Pixel is told reaches the gateway, too."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.views.decorators.http import require_safe

from accounts.permissions import Action
from accounts.web import AccountRequest, account_page
from events.script.configuration import mirror_of
from events.script.files import built
from pixels.listing import get_listed_pixel


@require_safe
@account_page(Action.VIEW_DATA)
def mirror(request: AccountRequest, pixel_id: str) -> HttpResponse:
    """What to paste, where, and whether anything would come of it now."""
    pixel = get_listed_pixel(request.tenant, pixel_id)
    configuration = mirror_of(pixel)
    lines = {"line": built("cbq-line.js"), "address": f"{configuration.endpoint}/sdk/{pixel.pixel_id}/events.js"}
    context = {
        "pixel": pixel,
        "configuration": configuration,
        "lines": render_to_string("events/snippets/mirror.txt", lines),
    }
    return render(request, "events/mirror.html", context)

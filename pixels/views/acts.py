"""What is done to a pixel with one press: from its page, and from its menu in the lists."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from accounts.permissions import Action
from accounts.views.pages import address
from accounts.web import AccountRequest, account_page, page_in_view
from pixels import services
from pixels.reads import get_pixel
from pixels.views.pages import way_back


@dataclass(frozen=True, slots=True)
class Act:
    """An act: what it is called, what is asked before it, and what is said when it is done."""

    title: Promise
    question: Promise
    done: Promise
    run: Callable[..., Any]


ACTS = {
    "activate": Act(
        _("Activate pixel"),
        _("The gateway receives this pixel's events again."),
        _("%(pixel)s receives events."),
        partial(services.set_receiving, status=1),
    ),
    "deactivate": Act(
        _("Deactivate pixel"),
        _("Events that arrive for this pixel are dropped from now on. What they said cannot be recovered."),
        _("%(pixel)s is deactivated: its events are dropped."),
        partial(services.set_receiving, status=0),
    ),
    "enable_publishing": Act(
        _("Enable publishing"),
        _("The gateway publishes this pixel's events to Meta again."),
        _("%(pixel)s publishes its events."),
        partial(services.set_publishing, status=1),
    ),
    "disable_publishing": Act(
        _("Disable publishing"),
        _("Events of this pixel are received and counted, but not sent to Meta, neither now nor later."),
        _("%(pixel)s does not publish any more."),
        partial(services.set_publishing, status=0),
    ),
    "generate_key": Act(
        _("Generate access key"),
        _("Senders that use the present key are refused at once, until they are given the new one."),
        _("%(pixel)s has a new access key."),
        services.regenerate_access_key,
    ),
    "require_key": Act(
        _("Require the access key"),
        _("Senders that do not send the access key are refused from now on."),
        _("%(pixel)s asks its senders for the access key."),
        partial(services.set_access_key_required, required=True),
    ),
    "unrequire_key": Act(
        _("Do not require the access key"),
        _("Whoever knows the address can send events to this pixel."),
        _("%(pixel)s takes events without the access key."),
        partial(services.set_access_key_required, required=False),
    ),
    "open_to_browsers": Act(
        _("Take events of browsers"),
        _("Browsers send no key: whoever knows the pixel's id can post events to it."),
        _("%(pixel)s takes events of browsers."),
        partial(services.set_browsers_need_no_key, allowed=True),
    ),
    "close_to_browsers": Act(
        _("Take no events of browsers"),
        _("While the access key is required, events that browsers post to the gateway are not taken."),
        _("%(pixel)s takes no events of browsers while the access key is required."),
        partial(services.set_browsers_need_no_key, allowed=False),
    ),
    "remove": Act(
        _("Remove data source"),
        _("The pixel's connection, figures, delivery log and waiting events are deleted, and its senders are refused."),
        _("%(pixel)s is removed."),
        services.disconnect_pixel,
    ),
}


@require_http_methods(["GET", "HEAD", "POST"])
@account_page(Action.EDIT_DATA)
def change_pixel(request: AccountRequest, pixel_id: str, act: str) -> HttpResponse:
    """Ask, or do it and go back to where it was asked for."""
    chosen = ACTS[act]
    pixel = get_pixel(request.tenant, pixel_id)
    page_of_pixel = address("pixels:detail", request.tenant, pixel_id)
    if request.method != "POST":
        context = {"pixel": pixel, "act": chosen, "next": way_back(request, page_in_view(request), page_of_pixel)}
        return render(request, "pixels/confirm.html", context)
    chosen.run(principal=request.principal, tenant_id=request.tenant.pk, pixel_id=pixel_id)
    messages.success(request, str(chosen.done) % {"pixel": pixel})
    if act == "remove":
        return redirect(address("pixels:list", request.tenant))
    return redirect(way_back(request, request.POST.get("next") or page_in_view(request), page_of_pixel))

"""The events that a destination of the gateway refused: a page of them, sending them again, and discarding them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from accounts.permissions import Action
from accounts.views.pages import address
from accounts.web import AccountRequest, account_page
from events.delivery.explanations import explain
from events.gateway import services
from events.models import DestinationLetter
from events.views import sent_again
from events.views.pixels import PAGE_SIZE, row_of_letter
from pipelines.lookups import find_destination
from pipelines.models import DestinationType
from pixels.models import Pixel

_LIST = "pipelines:destination_letters"


@require_safe
@account_page(Action.VIEW_DATA)
def letters(request: AccountRequest, destination_id: str) -> HttpResponse:
    """They, the last first, with what the destination answered; a Meta Pixel's are on a page of the pixel's."""
    destination = find_destination(request.tenant, destination_id)
    if isinstance(destination, Pixel):
        return redirect(address("pixels:dead_letters", request.tenant, destination.pixel_id))
    found = DestinationLetter.objects.filter(destination=destination)
    page = Paginator(found, PAGE_SIZE).get_page(request.GET.get("page"))
    is_metas = destination.type == DestinationType.META_CONVERSIONS_API
    rows = [row_of_letter(letter, explain(letter.code) if is_metas else "") for letter in page]
    context = {"destination": destination, "id": destination_id, "page": page, "rows": rows}
    return render(request, "events/destination_letters.html", context)


@require_POST
@account_page(Action.EDIT_DATA)
def replay(request: AccountRequest, destination_id: str) -> HttpResponse:
    """Send the one that is named again, or all of the destination's."""
    count = _each(request, destination_id, services.replay_letter, services.replay_letters)
    return sent_again.back(request, count, address(_LIST, request.tenant, destination_id))


@require_POST
@account_page(Action.EDIT_DATA)
def discard(request: AccountRequest, destination_id: str) -> HttpResponse:
    """Forget the one that is named, or all of the destination's."""
    count = _each(request, destination_id, services.discard_letter, services.discard_letters)
    text = ngettext("%(count)d event is discarded.", "%(count)d events are discarded.", count)
    messages.success(request, text % {"count": count})
    return redirect(address(_LIST, request.tenant, destination_id))


def _each(
    request: AccountRequest, destination_id: str, act_on_one: Callable[..., Any], act_on_all: Callable[..., int]
) -> int:
    """Call the service for the one dead letter that the form names, or the one for all; how many it was."""
    at = {"principal": request.principal, "tenant_id": request.tenant.pk, "destination_id": destination_id}
    if letter := request.POST.get("letter"):
        act_on_one(**at, dead_letter_id=letter)
        return 1
    return act_on_all(**at)

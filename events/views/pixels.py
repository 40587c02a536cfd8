"""The pages of one pixel: how it fares, its delivery log, and the events that Meta refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from accounts.permissions import Action
from accounts.views.pages import address
from accounts.web import AccountRequest, account_page
from common.errors import InvalidInput
from events.delivery import services
from events.delivery.entries import Among, Wanted
from events.delivery.explanations import explain, explain_wait
from events.delivery.masking import masked_event
from events.delivery.reads import list_deliveries_of
from events.figures.waiting import Waiting, read_waiting
from events.findings import read_left_out
from events.forms import DeliveryFilterForm
from events.models import DeadLetter, Lane
from events.models.shared import RefusedEvent
from events.refused.reading import read_refused
from events.views import sent_again
from events.views.charts import Traffic
from events.views.registrations import registration_context
from pixels.listing import get_listed_pixel
from pixels.reads import get_pixel

PAGE_SIZE = 25
#: Seconds after which a page asks anew: while events are on their way, else.
_BUSY, _CALM = 3, 15


@require_safe
@account_page(Action.VIEW_DATA)
def detail(request: AccountRequest, pixel_id: str) -> HttpResponse:
    """How the pixel fares, and its switches; for HTMX what changes of it."""
    pixel = get_listed_pixel(request.tenant, pixel_id, "lane", "registration")
    lane: Lane | None = getattr(pixel, "lane", None)
    traffic = Traffic(request, request.tenant, [pixel.pk])
    context = {
        "pixel": pixel,
        "traffic": traffic,
        "lane": lane,
        "pace": _BUSY if _is_moving(traffic.waiting, lane) else _CALM,
        "is_held": pixel.bad_token,
        "dead_letters": DeadLetter.objects.filter(pixel=pixel).count(),
        "left_out": read_left_out(pixel),
        "refused": read_refused(pixel),
        "explanation": explain_wait(pixel.api_error_code, lane.silence if lane else ""),
    }
    if not request.htmx:  # type: ignore[attr-defined]
        context |= registration_context(pixel)
    template = "events/_pixel.html" if request.htmx else "events/pixel.html"  # type: ignore[attr-defined]
    return render(request, template, context)


def _is_moving(waiting: Waiting, lane: Lane | None) -> bool:
    """Are events on their way, and neither held nor waiting for another attempt?"""
    return waiting.events > 0 and not (lane and (lane.held or lane.failures))


@require_safe
@account_page(Action.VIEW_DATA)
def deliveries(request: AccountRequest, pixel_id: str) -> HttpResponse:
    """The delivery log, by outcome and event name; for HTMX its table."""
    pixel = get_listed_pixel(request.tenant, pixel_id)
    form = DeliveryFilterForm(request.GET)
    chosen = form.cleaned_data if form.is_valid() else {}
    after = request.GET.get("after", "")
    try:
        page = list_deliveries_of(
            request.tenant,
            Among([pixel]),
            Wanted(chosen.get("outcome"), chosen.get("road"), name_part=chosen.get("event", "").strip()),
            first=PAGE_SIZE,
            after=after or None,
        )
    except InvalidInput:  # a cursor that somebody has typed
        return redirect(address("pixels:deliveries", request.tenant, pixel_id))
    context = {"pixel": pixel, "form": form, "page": page, "after": after, "is_narrowed": any(chosen.values())}
    context |= {
        "days": settings.DELIVERY_LOG_DAYS,
        "show_all": address("pixels:deliveries", request.tenant, pixel_id),
    }
    template = "events/_deliveries.html" if request.htmx else "events/deliveries.html"  # type: ignore[attr-defined]
    return render(request, template, context)


@require_safe
@account_page(Action.VIEW_DATA)
def dead_letters(request: AccountRequest, pixel_id: str) -> HttpResponse:
    """The events that Meta refused, with its answers, and how many are sent again; for HTMX what changes of it."""
    pixel = get_listed_pixel(request.tenant, pixel_id)
    letters = Paginator(DeadLetter.objects.filter(pixel=pixel), PAGE_SIZE).get_page(request.GET.get("page"))
    rows = [row_of_letter(letter, explain(letter.code)) for letter in letters]
    waiting = read_waiting([pixel.pk], again=True)
    is_moving = _is_moving(waiting, Lane.objects.filter(pixel=pixel).first())
    context = {
        "pixel": pixel,
        "page": letters,
        "rows": rows,
        "waiting": waiting,
        "is_moving": is_moving,
        "pace": _BUSY if is_moving else _CALM,
    }
    template = "events/_dead_letters.html" if request.htmx else "events/dead_letters.html"  # type: ignore[attr-defined]
    return render(request, template, context)


def row_of_letter(letter: RefusedEvent, explanation: str) -> dict[str, Any]:
    """What a table shows of an event that was refused."""
    event = json.dumps(masked_event(bytes(letter.event)), indent=2, ensure_ascii=False)
    return {"key": str(letter.pk), "letter": letter, "explanation": explanation, "event": event}


@require_POST
@account_page(Action.EDIT_DATA)
def replay(request: AccountRequest, pixel_id: str) -> HttpResponse:
    """Send the dead letter that is named again, or all of the pixel's."""
    count = _each(request, pixel_id, services.replay_dead_letter, services.replay_dead_letters)
    return sent_again.back(request, count, address("pixels:dead_letters", request.tenant, pixel_id))


@require_POST
@account_page(Action.EDIT_DATA)
def discard(request: AccountRequest, pixel_id: str) -> HttpResponse:
    """Forget the dead letter that is named, or all of the pixel's."""
    count = _each(request, pixel_id, services.discard_dead_letter, services.discard_dead_letters)
    text = ngettext("%(count)d event is discarded.", "%(count)d events are discarded.", count)
    messages.success(request, text % {"count": count})
    return redirect(address("pixels:dead_letters", request.tenant, pixel_id))


def _each(
    request: AccountRequest, pixel_id: str, act_on_one: Callable[..., Any], act_on_all: Callable[..., int]
) -> int:
    """Call the service for the one dead letter that the form names, or the one for all; how many it was."""
    at = {"principal": request.principal, "tenant_id": request.tenant.pk, "pixel_id": pixel_id}
    if letter := request.POST.get("letter"):
        act_on_one(**at, dead_letter_id=letter)
        return 1
    return act_on_all(**at)


@require_POST
@account_page(Action.EDIT_DATA)
def retry(request: AccountRequest, pixel_id: str) -> HttpResponse:
    """Try to publish at once what waits."""
    pixel = get_pixel(request.tenant, pixel_id)
    services.retry_publishing(principal=request.principal, tenant_id=request.tenant.pk, pixel_id=pixel_id)
    messages.success(request, _("The gateway tries to send the waiting events of %(pixel)s now.") % {"pixel": pixel})
    return redirect(address("pixels:detail", request.tenant, pixel_id))

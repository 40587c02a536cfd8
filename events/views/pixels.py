"""The pages of one pixel: how it fares, its delivery log, and the events that Meta refused."""

from __future__ import annotations

import json
from typing import Any

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
from events.delivery.explanations import explain, explain_wait
from events.delivery.reads import list_deliveries, masked_event
from events.figures.waiting import Waiting, read_waiting
from events.findings import read_left_out
from events.forms import DeliveryFilterForm
from events.models import DeadLetter, Lane
from events.views.charts import Traffic
from pixels.listing import get_listed_pixel
from pixels.reads import get_pixel

PAGE_SIZE = 25
#: Seconds after which a page asks anew: while events are on their way, else.
_BUSY, _CALM = 3, 15


@require_safe
@account_page(Action.VIEW_DATA)
def detail(request: AccountRequest, pixel_id: str) -> HttpResponse:
    """How the pixel fares, and its switches; for HTMX what changes of it."""
    pixel = get_listed_pixel(request.tenant, pixel_id)
    lane = Lane.objects.filter(pixel=pixel).first()
    traffic = Traffic(request, request.tenant, [pixel.pk])
    context = {
        "pixel": pixel,
        "traffic": traffic,
        "lane": lane,
        "pace": _BUSY if _is_moving(traffic.waiting, lane) else _CALM,
        "is_held": pixel.bad_token,
        "dead_letters": DeadLetter.objects.filter(pixel=pixel).count(),
        "left_out": read_left_out(pixel.pk),
        "explanation": explain_wait(pixel.api_error_code, lane.silence if lane else ""),
    }
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
        page = list_deliveries(
            request.tenant,
            pixel_id,
            outcome=chosen.get("outcome"),
            name_part=chosen.get("event", "").strip(),
            first=PAGE_SIZE,
            after=after or None,
        )
    except InvalidInput:  # a cursor that somebody has typed
        return redirect(address("pixels:deliveries", request.tenant, pixel_id))
    context = {"pixel": pixel, "form": form, "page": page, "after": after, "is_narrowed": any(chosen.values())}
    template = "events/_deliveries.html" if request.htmx else "events/deliveries.html"  # type: ignore[attr-defined]
    return render(request, template, context)


@require_safe
@account_page(Action.VIEW_DATA)
def dead_letters(request: AccountRequest, pixel_id: str) -> HttpResponse:
    """The events that Meta refused, with its answers, and how many are sent again; for HTMX what changes of it."""
    pixel = get_listed_pixel(request.tenant, pixel_id)
    letters = Paginator(DeadLetter.objects.filter(pixel=pixel), PAGE_SIZE).get_page(request.GET.get("page"))
    rows: list[dict[str, Any]] = [
        {
            "key": str(letter.pk),
            "letter": letter,
            "explanation": explain(letter.code),
            "event": json.dumps(masked_event(letter), indent=2, ensure_ascii=False),
        }
        for letter in letters
    ]
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


@require_POST
@account_page(Action.EDIT_DATA)
def replay(request: AccountRequest, pixel_id: str) -> HttpResponse:
    """Send the dead letter that is named again, or all of the pixel's."""
    one = request.POST.get("letter", "")
    if one:
        _one(request, services.replay_dead_letter, pixel_id, one)
    count = 1 if one else _each(request, services.replay_dead_letters, pixel_id)
    text = ngettext("%(count)d event is sent again.", "%(count)d events are sent again.", count)
    messages.success(request, text % {"count": count})
    return redirect(address("pixels:dead_letters", request.tenant, pixel_id))


@require_POST
@account_page(Action.EDIT_DATA)
def discard(request: AccountRequest, pixel_id: str) -> HttpResponse:
    """Forget the dead letter that is named, or all of the pixel's."""
    one = request.POST.get("letter", "")
    if one:
        _one(request, services.discard_dead_letter, pixel_id, one)
    count = 1 if one else _each(request, services.discard_dead_letters, pixel_id)
    text = ngettext("%(count)d event is discarded.", "%(count)d events are discarded.", count)
    messages.success(request, text % {"count": count})
    return redirect(address("pixels:dead_letters", request.tenant, pixel_id))


def _one(request: AccountRequest, service: Any, pixel_id: str, letter: str) -> None:
    service(principal=request.principal, tenant_id=request.tenant.pk, pixel_id=pixel_id, dead_letter_id=letter)


def _each(request: AccountRequest, service: Any, pixel_id: str) -> int:
    return int(service(principal=request.principal, tenant_id=request.tenant.pk, pixel_id=pixel_id))


@require_POST
@account_page(Action.EDIT_DATA)
def retry(request: AccountRequest, pixel_id: str) -> HttpResponse:
    """Try to publish at once what waits."""
    pixel = get_pixel(request.tenant, pixel_id)
    services.retry_publishing(principal=request.principal, tenant_id=request.tenant.pk, pixel_id=pixel_id)
    messages.success(request, _("The gateway tries to send the waiting events of %(pixel)s now.") % {"pixel": pixel})
    return redirect(address("pixels:detail", request.tenant, pixel_id))

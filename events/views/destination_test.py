"""The test of a destination: one event by its own road, the request that was made of it, and the answer in words."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.permissions import Action
from accounts.views.pages import address, form_page
from accounts.web import AccountRequest, account_page, refusals_in
from events.delivery.destinations.answers import Accepted, Refused, Trial, Wait
from events.delivery.destinations.kinds import TRIALS
from events.forms import DestinationTestForm
from events.gateway.trials import Recent, recent_events, try_destination
from pipelines.lookups import find_destination, no_such_destination
from pipelines.models import DestinationType
from pixels.models import Pixel


@require_http_methods(["GET", "HEAD", "POST"])
@account_page(Action.EDIT_DATA)
def destination_test(request: AccountRequest, destination_id: str) -> HttpResponse:
    """What to send; once that is said, what was sent and what came back."""
    row = find_destination(request.tenant, destination_id)
    if isinstance(row, Pixel):
        return redirect(address("pixels:sending", request.tenant, row.pixel_id))
    if row.type not in TRIALS:
        raise no_such_destination("id")
    asks_for_code = row.type == DestinationType.META_CONVERSIONS_API
    events = [(each.key, _label(each)) for each in recent_events(row)]
    data = request.POST if request.method == "POST" else None
    form = DestinationTestForm(data, recent=events, asks_for_code=asks_for_code)
    context: dict[str, Any] = {"destination": row, "id": destination_id, "is_at_meta": asks_for_code}
    if form.is_valid():
        with refusals_in(form):
            trial = try_destination(
                principal=request.principal,
                tenant_id=request.tenant.pk,
                destination_id=destination_id,
                **form.cleaned_data,
            )
            context |= {"trial": trial, "verdict": _verdict(trial), "words": _words(trial)}
    return form_page(request, "events/destination_test.html", form, context)


def _label(event: Recent) -> str:
    name = f"{event.event_name} {event.event_id}"
    return _("%(event)s, refused") % {"event": name} if event.was_refused else name


def _verdict(trial: Trial) -> str:
    match trial.answer:
        case Accepted():
            return "accepted"
        case Refused():
            return "refused"
        case Wait(held=True):
            return "held"
    return "waits"


def _words(trial: Trial) -> str:
    """What is known where the destination's answer does not say it."""
    match trial.answer:
        case Refused(_, message, _) if not trial.body:
            return message
        case Wait(reason, _, message) if not trial.body:
            return message or reason
    return ""

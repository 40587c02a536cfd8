"""Where people come back to when they have sent refused events again."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.views.pages import address
from accounts.web import AccountRequest
from events.delivery.entries import EVENT_ID_MAX_LENGTH


def back(request: AccountRequest, count: int, refused: str) -> HttpResponse:
    """To the page of the event that the form names, else to that of the ``refused`` events: each says what happens."""
    if event_id := request.POST.get("event", "")[:EVENT_ID_MAX_LENGTH]:
        text = _("The event waits to be sent again. What becomes of it is shown here, mostly within seconds.")
        messages.success(request, text)
        return redirect(f"{address('events:delivery', request.tenant)}&{urlencode({'id': event_id})}")
    text = ngettext("%(count)d event is sent again.", "%(count)d events are sent again.", count)
    messages.success(request, text % {"count": count})
    return redirect(refused)

"""What people do about the events that wait for a destination of the gateway."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.permissions import Action
from accounts.views.pages import address
from accounts.web import AccountRequest, account_page
from events.gateway import services
from pipelines.lookups import find_gateway_destination


@require_POST
@account_page(Action.EDIT_DATA)
def resume(request: AccountRequest, destination_id: str) -> HttpResponse:
    """Try to send at once what waits, whatever it waits for."""
    destination = find_gateway_destination(request.tenant, destination_id, field="destinationId")
    services.retry_destination(principal=request.principal, tenant_id=request.tenant.pk, destination_id=destination_id)
    text = _("The gateway tries to send the waiting events of %(destination)s now.")
    messages.success(request, text % {"destination": destination.name})
    return redirect(address("pipelines:destination", request.tenant, destination_id))

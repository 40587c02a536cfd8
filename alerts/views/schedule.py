"""When an account is told of alerts: its quiet hours and its daily digest."""

from __future__ import annotations

import re
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.models import Tenant
from accounts.permissions import Action
from accounts.views.pages import address
from accounts.web import AccountRequest, account_page, said_yes
from alerts.rules.table import RULES
from alerts.services.schedules import LAST_HOUR, schedule_of, set_schedule
from common.errors import InvalidInput

_HOUR = re.compile(r"[0-9]{1,2}")


@require_POST
@account_page(Action.EDIT_SETTINGS)
def choose_schedule(request: AccountRequest) -> HttpResponse:
    """Choose quiet hours and the hour of the digest."""
    hour = request.POST.get("digest_hour", "")
    if hour and not _HOUR.fullmatch(hour):
        raise InvalidInput("digest_hour", "must be a whole number.")
    set_schedule(
        principal=request.principal,
        tenant_id=request.tenant.pk,
        quiet_from=request.POST.get("quiet_from", ""),
        quiet_until=request.POST.get("quiet_until", ""),
        severe_at_once=said_yes(request, "severe_at_once"),
        digest_hour=int(hour) if hour else None,
    )
    messages.success(request, _("Saved."))
    return redirect(address("alerts:rules", request.tenant))


def schedule_context(tenant: Tenant) -> dict[str, Any]:
    """What the card of "Alert settings" shows."""
    return {
        "schedule": schedule_of(tenant),
        "hours": [(hour, f"{hour:02}:00") for hour in range(LAST_HOUR + 1)],
        "severe": [rule.name.label for rule in RULES if rule.is_severe],
    }

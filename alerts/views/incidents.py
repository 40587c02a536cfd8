"""The incidents of an account, and for the host those of all accounts."""

from __future__ import annotations

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.models import Tenant
from accounts.permissions import Action
from accounts.tables import PAGE_SIZE
from accounts.web import AccountRequest, HostRequest, account_page, host_page
from alerts.reads import CLOSED_FOR, closed_incidents, open_incidents
from alerts.remedies import shown
from alerts.rules.table import RANK


@require_safe
@account_page(Action.VIEW_DATA)
def of_account(request: AccountRequest) -> HttpResponse:
    """What is wrong in the account, and what was of late."""
    return _page(request, request.tenant)


@require_safe
@host_page()
def of_host(request: HostRequest) -> HttpResponse:
    """What is wrong with the instance and in all accounts that are open to the host, the worst first."""
    return _page(request, None)


def _page(request: HostRequest, tenant: Tenant | None) -> HttpResponse:
    borders, known = request.principal.borders, list(RANK)  # rows of another version have no words
    incidents = open_incidents(borders, tenant).filter(rule__in=known).select_related("tenant")
    page = Paginator(incidents, PAGE_SIZE).get_page(request.GET.get("page"))
    closed = closed_incidents(borders, tenant).select_related("tenant") if tenant else []
    context = {
        "page": page,
        "open": [shown(request.principal, incident) for incident in page],
        "closed": [shown(request.principal, incident) for incident in closed if incident.rule in RANK],
        "days": CLOSED_FOR.days,
    }
    return render(request, "alerts/incidents.html", context)

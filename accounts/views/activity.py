"""The audit log in words: of an account, and of the host itself."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.activity import in_words
from accounts.filters import ActivityFilter
from accounts.models import AuditEntry
from accounts.tables import ActivityTable, PageData, paged
from accounts.web import AccountRequest, HostRequest, account_page, host_page


@require_safe
@account_page()
def account_activity(request: AccountRequest) -> HttpResponse:
    """Who changed what in the account."""
    return _activity(request, request.tenant.pk)


@require_safe
@host_page()
def host_activity(request: HostRequest) -> HttpResponse:
    """Who changed what at the host."""
    return _activity(request, None)


def _activity(request: HostRequest, tenant_id: str | None) -> HttpResponse:
    entries = AuditEntry.objects.visible_to(request.principal.borders).filter(tenant_id=tenant_id)
    chosen = ActivityFilter(request.GET, entries)
    table = paged(request, ActivityTable(PageData(chosen.qs, in_words)))
    return render(request, "accounts/activity.html", {"table": table, "filter": chosen})

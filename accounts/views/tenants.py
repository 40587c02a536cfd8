"""The list of accounts, and opening one."""

from __future__ import annotations

from datetime import datetime
from functools import partial

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts.filters import TenantFilter
from accounts.forms.tenants import NewAccountForm
from accounts.listing import complete_page, listed_tenants
from accounts.models import Tenant
from accounts.paging import SEARCH_MAX_LENGTH
from accounts.permissions import Action
from accounts.services.tenants import create_tenant
from accounts.tables import PageData, TenantTable, paged
from accounts.views.pages import address, form_page
from accounts.web import HostRequest, add_service_error, host_page, selector, signed_in_page
from common.errors import PortalError
from common.sent_once import claim_submission, release_submission


@require_safe
@signed_in_page
def account_list(request: HostRequest) -> HttpResponse:
    """The accounts that the person may see; whoever has one alone is taken there."""
    principal = request.principal
    if principal.only_tenant_id:
        return redirect(address("account_overview", Tenant(pk=principal.only_tenant_id)))
    chosen = TenantFilter(request.GET, listed_tenants(principal))
    table = paged(request, TenantTable(PageData(chosen.qs, partial(complete_page, principal))))
    return render(request, "accounts/list.html", {"table": table, "filter": chosen, "as_of": _as_of(table)})


@require_safe
@signed_in_page
def choose_account(request: HostRequest) -> HttpResponse:
    """The accounts that the selector finds, for HTMX; without a script the list does the same."""
    search = request.GET.get("search", "").strip()[:SEARCH_MAX_LENGTH].replace("\0", "")
    if not request.htmx:  # type: ignore[attr-defined]
        return redirect(f"{address('accounts:list')}?{urlencode({'search': search})}")
    return render(request, "partials/account_choices.html", {"accounts": selector(request.principal, search)})


def _as_of(table: TenantTable) -> datetime | None:
    """When the figures on the page were counted: all at once, but for those that are nought and stay so."""
    counted = (row.record.usage.refreshed_at for row in table.page.object_list if row.record.events)
    return next(counted, None)


@require_http_methods(["GET", "HEAD", "POST"])
@host_page(Action.CREATE_TENANT)
def add_account(request: HostRequest) -> HttpResponse:
    """Open an account; where an admin was invited, show the link to copy."""
    form = NewAccountForm(request.POST or None)
    if not form.is_valid():
        return form_page(request, "accounts/add.html", form)
    if not claim_submission(request):
        messages.warning(request, _("This form was sent already: the account was added once. It is in the list."))
        return redirect(address("accounts:list"))
    try:
        created = create_tenant(principal=request.principal, **form.cleaned_data)
    except PortalError as error:
        release_submission(request)
        add_service_error(form, error)
        return form_page(request, "accounts/add.html", form)
    context = {
        "opened": created.tenant,
        "email": form.cleaned_data["admin_email"],
        "link": created.invitation_link,
        "is_mailed": created.is_mailed,
    }
    return render(request, "accounts/added.html", context)

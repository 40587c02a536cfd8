"""API accounts: what software signs in with."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.forms.host import ApiAccountForm
from accounts.models import ApiAccount
from accounts.permissions import Action
from accounts.services.api_accounts import create_api_account, delete_api_account
from accounts.tables import ApiAccountTable, paged
from accounts.views.pages import form_page
from accounts.web import HostRequest, add_service_error, host_page
from common.errors import PortalError

_ADD_PAGE = "accounts/api_account_add.html"


@require_safe
@host_page()
def api_accounts(request: HostRequest) -> HttpResponse:
    """The API accounts that there are."""
    hidden = () if request.can[Action.EDIT_API_ACCOUNTS.name] else ("actions",)
    table = ApiAccountTable(ApiAccount.objects.select_related("created_by"), exclude=hidden)
    return render(request, "accounts/api_accounts.html", {"table": paged(request, table)})


@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
@host_page(Action.EDIT_API_ACCOUNTS)
def add_api_account(request: HostRequest) -> HttpResponse:
    """Make an API account, and show its secret: now or never."""
    form = ApiAccountForm(request.POST or None)
    if not form.is_valid():
        return form_page(request, _ADD_PAGE, form)
    try:
        issued = create_api_account(principal=request.principal, **form.cleaned_data)
    except PortalError as error:
        add_service_error(form, error)
        return form_page(request, _ADD_PAGE, form)
    context = {"api_account": issued.api_account, "secret": issued.secret, "base_url": settings.BASE_URL}
    return render(request, "accounts/api_account_added.html", context)


@require_POST
@host_page(Action.EDIT_API_ACCOUNTS)
def remove_api_account(request: HostRequest) -> HttpResponse:
    """Delete an API account; its tokens end at once."""
    name = request.POST.get("name", "")
    delete_api_account(principal=request.principal, name=name)
    messages.success(request, _("The API account %(name)s is deleted; its tokens have ended.") % {"name": name})
    return redirect("host:api_accounts")

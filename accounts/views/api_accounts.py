"""API accounts: what software signs in with."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.forms.host import ApiAccountForm, ChangeScopeForm, RotationForm
from accounts.models import ApiAccount
from accounts.permissions import Action
from accounts.services.api_accounts import (
    IssuedApiAccount,
    create_api_account,
    delete_api_account,
    rotate_api_account,
    update_api_account,
)
from accounts.tables import ApiAccountTable, paged
from accounts.views.pages import form_page
from accounts.web import HostRequest, host_page, refusals_in

_ADD_PAGE = "accounts/api_account_add.html"
_PAGE = "accounts/api_account.html"


@require_safe
@host_page()
def api_accounts(request: HostRequest) -> HttpResponse:
    """The API accounts that there are."""
    hidden = () if request.can[Action.EDIT_API_ACCOUNTS.name] else ("actions",)
    table = ApiAccountTable(ApiAccount.objects.select_related("created_by", "tenant"), exclude=hidden)
    return render(request, "accounts/api_accounts.html", {"table": paged(request, table)})


@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
@host_page(Action.EDIT_API_ACCOUNTS)
def add_api_account(request: HostRequest) -> HttpResponse:
    """Make an API account, and show its secret: now or never."""
    form = ApiAccountForm(request.POST or None)
    if form.is_valid():
        with refusals_in(form):
            issued = create_api_account(principal=request.principal, **form.cleaned_data)
            return _secret_of(request, issued, is_new=True)
    return form_page(request, _ADD_PAGE, form)


def _secret_of(request: HostRequest, issued: IssuedApiAccount, *, is_new: bool) -> HttpResponse:
    context = {"api_account": issued.api_account, "secret": issued.secret, "is_new": is_new}
    return render(request, "accounts/api_account_added.html", {**context, "base_url": settings.BASE_URL})


@require_http_methods(["GET", "HEAD", "POST"])
@host_page(Action.EDIT_API_ACCOUNTS)
def api_account(request: HostRequest, api_account: str) -> HttpResponse:
    """What an API account may do, to be changed, and how it gets a new secret."""
    shown = _find(api_account)
    form = _scope_form(shown, request.POST if request.method == "POST" else None)
    if form.is_valid():
        with refusals_in(form):
            update_api_account(principal=request.principal, name=shown.name, **form.changed)
            messages.success(request, _("What the API account %(name)s may do is saved.") % {"name": shown.name})
            return redirect("host:api_accounts")
    return form_page(request, _PAGE, form, {"api_account": shown, "rotation": RotationForm()})


@sensitive_post_parameters("password")
@require_POST
@host_page(Action.EDIT_API_ACCOUNTS)
def renew_secret(request: HostRequest, api_account: str) -> HttpResponse:
    """Give an API account a new secret, and show it: now or never."""
    shown = _find(api_account)
    rotation = RotationForm(request.POST)
    if rotation.is_valid():
        with refusals_in(rotation):
            issued = rotate_api_account(principal=request.principal, name=shown.name, **rotation.cleaned_data)
            return _secret_of(request, issued, is_new=False)
    context = {"api_account": shown, "form": _scope_form(shown), "rotation": rotation}
    return render(request, _PAGE, context, status=400)


def _find(name: str) -> ApiAccount:
    return get_object_or_404(ApiAccount.objects.select_related("created_by", "tenant"), name=name)


def _scope_form(account: ApiAccount, data: QueryDict | None = None) -> ChangeScopeForm:
    # As the form shows it: what was not touched is no change.
    end = account.expires_at and account.expires_at.replace(second=0, microsecond=0)
    shown = f"{account.read_only} {account.tenant_id} {account.expires_at}"
    initial = {"read_only": account.read_only, "tenant_id": account.tenant_id, "expires_at": end, "shown": shown}
    return ChangeScopeForm(data, initial=initial)


@require_POST
@host_page(Action.EDIT_API_ACCOUNTS)
def remove_api_account(request: HostRequest) -> HttpResponse:
    """Delete an API account; its tokens end at once."""
    name = request.POST.get("name", "")
    delete_api_account(principal=request.principal, name=name)
    messages.success(request, _("The API account %(name)s is deleted; its tokens have ended.") % {"name": name})
    return redirect("host:api_accounts")

"""Admin pages of API accounts and their tokens; ``accounts.admin``, which Django looks for, brings them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldAdminPasswordWidget, UnfoldBooleanWidget

from accounts.models import AccessToken, ApiAccount
from accounts.service_admin import ServiceAdmin
from accounts.services import api_accounts
from accounts.web import principal_of_request

if TYPE_CHECKING:
    _ModelForm = forms.ModelForm[Any]
else:
    _ModelForm = forms.ModelForm

_SCOPE = ("read_only", "tenant", "expires_at")


class ApiAccountForm(_ModelForm):
    """An API account; a secret is made for the person's own password alone."""

    new_secret = forms.BooleanField(required=False, label="Make a new secret", widget=UnfoldBooleanWidget)
    overlap_hours = forms.IntegerField(
        min_value=0,
        max_value=api_accounts.MAX_OVERLAP_HOURS,
        initial=api_accounts.DEFAULT_OVERLAP_HOURS,
        required=False,
        label="Hours for which the former secret is good, too",
        help_text="0 where others know it: it ends at once, and its tokens with it.",
        widget=UnfoldAdminIntegerFieldWidget,
    )
    password = forms.CharField(
        label="Your password",
        help_text="For a secret to be shown.",
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "current-password"}),
        strip=False,
        required=False,
    )

    class Meta:
        model = ApiAccount
        fields = ("name", *_SCOPE)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # The form says what it showed: what somebody else has changed meanwhile is no change of this person's.
        for name in _SCOPE:
            self.fields[name].show_hidden_initial = True


@admin.register(ApiAccount)
class ApiAccountAdmin(ServiceAdmin):
    """API accounts: make one, with its secret shown once, change its scope and its secret, and delete one."""

    lists_all_accounts = True
    can_add = can_change = can_delete = True
    form = ApiAccountForm
    list_display = ("name", *_SCOPE, "created_by", "created_at", "last_used_at", "last_used_from")
    list_filter = ("read_only",)
    list_select_related = ("created_by", "tenant")
    search_fields = ("name", "tenant__id__exact")
    search_help_text = "A part of the name, or the id of the account that it is for"
    raw_id_fields = ("tenant",)

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        if obj is None:
            return ["name", *_SCOPE, "password"]
        renewal = ["new_secret", "overlap_hours", "password"]
        return [*self.get_readonly_fields(request, obj), *_SCOPE, *renewal]

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        if obj is None:
            return []
        return ["name", "created_by", "created_at", "last_used_at", "last_used_from", "previous_secret_until"]

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        principal, data = principal_of_request(request), form.cleaned_data
        changed = _SCOPE if not change else [field for field in _SCOPE if field in form.changed_data]
        scope: api_accounts.Scope = {}
        for field in changed:
            if field == "tenant":
                scope["tenant_id"] = data["tenant"] and data["tenant"].pk
            else:
                scope[field] = data[field]  # type: ignore[literal-required]
        if not change:
            issued = api_accounts.create_api_account(
                principal=principal, name=obj.name, password=data["password"], **scope
            )
            obj.pk = issued.api_account.pk
            self._show(request, issued)
            return
        api_accounts.update_api_account(principal=principal, name=obj.name, **scope)
        if data["new_secret"]:
            hours = data["overlap_hours"]
            issued = api_accounts.rotate_api_account(
                principal=principal,
                name=obj.name,
                password=data["password"],
                overlap_hours=api_accounts.DEFAULT_OVERLAP_HOURS if hours is None else hours,
            )
            self._show(request, issued)

    def _show(self, request: HttpRequest, issued: api_accounts.IssuedApiAccount) -> None:
        said = f"The secret of {issued.api_account.name}, shown this once: {issued.secret}"
        self.message_user(request, said, messages.WARNING)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        api_accounts.delete_api_account(principal=principal_of_request(request), name=obj.name)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        self.each(request, queryset, lambda account: self.delete_model(request, account), "{} API accounts deleted.")


@admin.register(AccessToken)
class AccessTokenAdmin(ServiceAdmin):
    """Tokens in use; they end with their API account."""

    lists_all_accounts = True
    list_display = ("api_account", "issued_at", "expires_at")
    list_select_related = ("api_account",)
    search_fields = ("api_account__name",)
    search_help_text = "A part of the API account's name"
    fields = ("api_account", "issued_at", "expires_at")

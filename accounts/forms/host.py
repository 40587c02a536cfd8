"""Forms of the host's settings; the rules are the services'."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.models.host import NAME_MAX_LENGTH
from accounts.models.tenant import ID_LENGTH
from accounts.services.api_accounts import DEFAULT_OVERLAP_HOURS, MAX_OVERLAP_HOURS, Scope


class HostNameForm(forms.Form):
    """The host's name."""

    name = forms.CharField(
        label=_("Name"),
        max_length=NAME_MAX_LENGTH,
        help_text=_("Shown at the top of every page and in mails."),
    )


def _password(why: Any) -> forms.CharField:
    """The person's own, once more."""
    return forms.CharField(
        label=_("Your password"),
        strip=False,
        max_length=4096,
        help_text=why,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )


class ScopeForm(forms.Form):
    """What an API account may do."""

    read_only = forms.BooleanField(
        label=_("Read only"), required=False, help_text=_("It may look at everything, and change nothing.")
    )
    tenant_id = forms.CharField(
        label=_("Only for the account"),
        required=False,
        max_length=ID_LENGTH,
        empty_value=None,
        help_text=_(
            "The account's id, eight letters and digits: the list of accounts shows it. Empty for all accounts."
        ),
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}),
    )
    expires_at = forms.DateTimeField(
        label=_("Expires"),
        required=False,
        help_text=_("In UTC. Empty for never."),
        widget=forms.DateTimeInput(format="%Y-%m-%dT%H:%M", attrs={"type": "datetime-local"}),
    )

    @property
    def changed(self) -> Scope:
        """What was changed in the form."""
        return cast(Scope, {name: self.cleaned_data[name] for name in self.changed_data if name in _SCOPE})


_SCOPE = frozenset(ScopeForm.base_fields)


class ChangeScopeForm(ScopeForm):
    """What an API account may do, to be changed. It knows what was shown: what somebody else has bounded meanwhile
    would else be taken for what is to be unbounded."""

    shown = forms.CharField(required=False, widget=forms.HiddenInput())

    def clean(self) -> None:
        """Refuse a form that shows what is no longer so."""
        super().clean()
        if self.data.get("shown") and "shown" in self.changed_data:
            raise forms.ValidationError(_("Somebody has changed this meanwhile. Load the page again."))


class ApiAccountForm(ScopeForm):
    """An API account to make; the password is the person's own, again."""

    field_order = ("name", "read_only", "tenant_id", "expires_at", "password")

    name = forms.CharField(
        label=_("Name"),
        max_length=20,
        help_text=_("1 to 20 letters and digits. Software sends it as client_id."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}),
    )
    password = _password(_("Once more, since an API account may do all that a host admin may, if nothing bounds it."))


class RotationForm(forms.Form):
    """A new secret for an API account."""

    overlap_hours = forms.IntegerField(
        label=_("Hours for which the former secret is good, too"),
        min_value=0,
        max_value=MAX_OVERLAP_HOURS,
        initial=DEFAULT_OVERLAP_HOURS,
        help_text=_("0 where others know it: it ends at once, and its tokens with it."),
    )
    password = _password(_("Once more, since the secret is shown."))

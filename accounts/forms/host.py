"""Forms of the host's settings; the rules are the services'."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.models.host import NAME_MAX_LENGTH


class HostNameForm(forms.Form):
    """The host's name."""

    name = forms.CharField(
        label=_("Name"),
        max_length=NAME_MAX_LENGTH,
        help_text=_("Shown at the top of every page and in mails."),
    )


class ApiAccountForm(forms.Form):
    """An API account to make; the password is the person's own, again."""

    name = forms.CharField(
        label=_("Name"),
        max_length=20,
        help_text=_("1 to 20 letters and digits. Software sends it as client_id."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}),
    )
    password = forms.CharField(
        label=_("Your password"),
        strip=False,
        max_length=4096,
        help_text=_("Once more, since an API account may do all that a host admin may."),
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )

"""Forms about pixels; the rules are the services'."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.conf import settings
from django.utils.functional import lazy
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import Tenant
from accounts.web import sentence
from common.errors import InvalidInput
from pixels import validation
from pixels.models import NAME_MAX_LENGTH
from pixels.validation import is_pixel_id

_PLAIN = {"autocapitalize": "none", "autocomplete": "off", "spellcheck": "false"}
_DIGITS = _PLAIN | {"inputmode": "numeric"}


def _default_version() -> str:
    return gettext("Leave it empty for %(version)s.") % {"version": settings.GRAPH_API_VERSION}


def token_field(help_text: Any) -> forms.CharField:
    """An access token, which is never written into a page: not the stored one, nor one that was refused."""
    widget = forms.PasswordInput(attrs=_PLAIN | {"autocomplete": "new-password"}, render_value=False)
    return forms.CharField(label=_("Access token"), widget=widget, help_text=help_text)


class NameForm(forms.Form):
    """How a pixel is called."""

    name = forms.CharField(
        label=_("Name"),
        required=False,
        strip=False,
        help_text=_("How it is called here. Without a name, its number is shown."),
        widget=forms.TextInput(attrs={"maxlength": NAME_MAX_LENGTH}),
    )


class WebsitesForm(forms.Form):
    """Where visitors' browsers may send from."""

    websites = forms.CharField(
        label=_("Websites"),
        required=False,
        help_text=_("One domain a line, such as example.com; its subdomains are meant, too. Empty: every website."),
        widget=forms.Textarea(attrs=_PLAIN | {"rows": 6}),
    )


class ConnectForm(forms.Form):
    """A pixel to connect; fields are called as the service's refusals call them, and all mistakes show together."""

    pixel_id = forms.CharField(
        label=_("Pixel id"),
        help_text=_("In Meta's Events Manager, under Data sources: the number below the pixel's name."),
        widget=forms.TextInput(attrs=_DIGITS),
    )
    name = forms.CharField(
        label=_("Name"), required=False, help_text=_("How it is called here; the number alone is hard to tell apart.")
    )
    business_id = forms.CharField(
        label=_("Business id"),
        help_text=_("In Meta's Business settings, under Business info: the business portfolio's id."),
        widget=forms.TextInput(attrs=_DIGITS),
    )
    access_token = token_field(
        _("In Events Manager: the pixel, Settings, Conversions API, Generate access token. Meta shows it once.")
    )
    external_id = forms.CharField(
        label=_("External business id"),
        required=False,
        help_text=_("Only where Meta Business Extension gave you one; else leave it empty."),
        widget=forms.TextInput(attrs=_PLAIN),
    )
    api_version = forms.CharField(
        label=_("Graph API version"),
        required=False,
        help_text=lazy(_default_version, str)(),
        widget=forms.TextInput(attrs=_PLAIN),
    )

    replace = forms.BooleanField(
        label=_("Replace the access token. What is left empty above stays as it is."),
        required=True,
        error_messages={"required": _("This account has the pixel already: say whether to replace its access token.")},
    )

    def __init__(self, data: Any = None, *, tenant: Tenant) -> None:
        super().__init__(data)
        typed = str(self.data.get("pixel_id", "")).strip()
        #: The pixel, where the account has it already: somebody must agree to replace its token.
        self.connected = tenant.pixels.filter(pixel_id=typed).first() if is_pixel_id(typed) else None
        if self.connected is None:
            del self.fields["replace"]
        else:
            self.fields["business_id"].required = False

    def clean_pixel_id(self) -> str:
        return self._checked("pixel_id", validation.clean_pixel_id)

    def clean_name(self) -> str:
        return self._checked("name", validation.clean_name)

    def clean_business_id(self) -> str:
        return self._checked("business_id", validation.clean_business_id)

    def clean_access_token(self) -> str:
        return self._checked("access_token", validation.clean_access_token)

    def clean_external_id(self) -> str:
        return self._checked("external_id", validation.clean_external_id)

    def clean_api_version(self) -> str:
        return self._checked("api_version", validation.clean_api_version)

    def _checked(self, field: str, rule: Callable[[str], object]) -> str:
        """What was typed, if the service will take it; what was left empty stands for the service's default."""
        typed: str = self.cleaned_data[field]
        try:
            if typed:
                rule(typed)
        except InvalidInput as error:
            raise forms.ValidationError(sentence(error)) from None
        return typed

    def ask_for_token_again(self) -> None:
        """Where the form is refused, say at the token's field that the page has not kept what was typed."""
        if self.errors and self.data.get("access_token"):
            self.add_error("access_token", gettext("Enter the access token again: it is not kept."))


class TokenForm(forms.Form):
    """A new access token for a connected pixel."""

    access_token = token_field(
        _(
            "From Events Manager: the pixel, Settings, Conversions API, Generate access token. Waiting events are then "
            "sent."
        )
    )


class ImportForm(forms.Form):
    """A CSV file of pixels."""

    file = forms.FileField(
        label=_("CSV file"),
        help_text=_("UTF-8, at most 1,000 pixels and 1 MiB."),
        widget=forms.FileInput(attrs={"accept": ".csv,text/csv"}),
    )

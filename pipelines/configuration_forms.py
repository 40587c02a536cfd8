"""Forms about what sources and destinations are configured with; a secret is never written into a page.

The rules are the services', and fields are called as their refusals call them.
"""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.web import form_field
from pipelines.custom_http.given import AddTo, AuthType, HttpConfig, HttpMethod
from pipelines.custom_http.template import TEMPLATE_MAX_LENGTH
from pipelines.forms import PLAIN
from pipelines.models import Source
from pipelines.services.sources import ScriptChanges
from pipelines.validation import AAM_FIELDS, SCRIPT_MAX_LENGTH
from pixels.forms import token_field

_METHODS = [(method, method.value) for method in (HttpMethod.POST, HttpMethod.PUT, HttpMethod.GET)]
_STAYS = _("Left empty, it stays as it was, as long as it goes to the same address.")

AUTH_TYPES = {
    AuthType.NONE: _("None"),
    AuthType.API_KEY: _("API key"),
    AuthType.BASIC: _("User name and password"),
    AuthType.CLIENT_CREDENTIALS: _("Client credentials (OAuth 2)"),
    AuthType.JSON_WEB_TOKEN: _("JSON web token"),
}

_AAM = {
    "em": _("Email address"),
    "fn": _("First name"),
    "ln": _("Last name"),
    "ph": _("Telephone number"),
    "ge": _("Gender"),
    "ct": _("City"),
    "st": _("State or region"),
    "zp": _("Postal code"),
    "country": _("Country"),
    "db": _("Date of birth"),
    "external_id": _("Id of your own"),
}


class ScriptForm(forms.Form):
    """How the script in a website's pages behaves."""

    enabled = forms.BooleanField(
        label=_("The script sends events"),
        required=False,
        help_text=_("Off, nothing leaves the browser. Pages have a change within half an hour."),
    )
    fork_meta_pixel = forms.BooleanField(
        label=_("The website has a Meta Pixel: use its event code such as fbq(...)"),
        required=False,
        help_text=_("Its events come here, too, under the same ids, so that Meta counts each once."),
    )
    first_party_cookie = forms.BooleanField(
        label=_("First-party cookies"),
        required=False,
        help_text=_("The script makes _fbp and _fbc where they are missing, for 90 days, on the website's own domain."),
    )
    enable_aam = forms.BooleanField(
        label=_("Automatic advanced matching"),
        required=False,
        help_text=_("The script reads what visitors write into the page's forms."),
    )
    aam_fields = forms.MultipleChoiceField(
        label=_("Fields of advanced matching"),
        required=False,
        choices=[(field, _AAM[field]) for field in AAM_FIELDS],
        widget=forms.CheckboxSelectMultiple,
    )
    hash_contact_data = forms.BooleanField(
        label=_("Hashes contact data in the browser"),
        required=False,
        help_text=_("Data of people are hashed before they leave. Off, the gateway hashes them as they come."),
    )

    def clean(self) -> dict[str, Any]:
        """A page shows all fields: none ticked is none chosen, and the switch would do nothing."""
        given = super().clean() or self.cleaned_data
        if given.get("enable_aam") and "aam_fields" in given and not given["aam_fields"]:
            self.add_error("aam_fields", _("Choose at least one field, or switch automatic advanced matching off."))
        return given

    @classmethod
    def of(cls, source: Source, data: Any = None) -> ScriptForm:
        """The form as the source stands."""
        return cls(data, initial={name: getattr(source, name) for name in cls.base_fields})

    @property
    def changes(self) -> ScriptChanges:
        """What the service takes."""
        return ScriptChanges(**self.cleaned_data)


class DataFilterForm(forms.Form):
    """The advertiser's own filter."""

    custom_integrity_script = forms.CharField(
        label=_("Data filter"),
        required=False,
        strip=False,
        help_text=_(
            "A function in JavaScript that gets each event (eventName, domainUrl, userData, customData) and returns "
            "{shouldDrop: false, updatedEventObject}. It runs in the visitor's browser; one that fails lets the event "
            "pass."
        ),
        widget=forms.Textarea(attrs=PLAIN | {"rows": 8, "maxlength": SCRIPT_MAX_LENGTH, "class": "font-monospace"}),
    )

    @property
    def changes(self) -> ScriptChanges:
        """What the service takes. Browsers end lines with CR and LF."""
        return ScriptChanges(custom_integrity_script=self.cleaned_data["custom_integrity_script"].replace("\r\n", "\n"))


class MetaForm(forms.Form):
    """The data set at Meta that a destination publishes to."""

    meta_dataset_id = forms.CharField(
        label=_("Data set id"), widget=forms.TextInput(attrs=PLAIN | {"inputmode": "numeric"})
    )
    access_token = token_field(
        _("From Events Manager: the data set, Settings, Conversions API, Generate access token. It is not shown again.")
    )
    business_id = forms.CharField(label=_("Business id"), widget=forms.TextInput(attrs=PLAIN))
    api_version = forms.CharField(
        label=_("Graph API version"),
        required=False,
        help_text=_("Leave it empty for the one in use, at first the newest known one."),
        widget=forms.TextInput(attrs=PLAIN),
    )


def _text(label: Any, help_text: Any = "") -> forms.CharField:
    return forms.CharField(label=label, required=False, help_text=help_text, widget=forms.TextInput(attrs=PLAIN))


def _secret(label: Any) -> forms.CharField:
    widget = forms.PasswordInput(attrs=PLAIN | {"autocomplete": "new-password"}, render_value=False)
    return forms.CharField(label=label, required=False, strip=False, help_text=_STAYS, widget=widget)


class HiddenText(forms.Textarea):
    """Several lines that are never written into the page, neither stored nor refused ones."""

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        return super().get_context(name, None, attrs)


class HttpForm(forms.Form):
    """An address, what is sent there, and how the sender is told."""

    endpoint = forms.CharField(
        label=_("Endpoint"),
        help_text=_("An address on the public web, such as https://example.com/events."),
        widget=forms.TextInput(attrs=PLAIN | {"inputmode": "url"}),
    )
    http_method = forms.ChoiceField(label=_("HTTP method"), choices=_METHODS)
    auth_type = forms.ChoiceField(
        label=_("Authentication"),
        choices=list(AUTH_TYPES.items()),
    )
    api_key_auth_name = _text(_("Name of the header or parameter"))
    api_key_auth_add_to = forms.ChoiceField(
        label=_("Where it stands"),
        required=False,
        choices=[(AddTo.HEADER, _("In a header")), (AddTo.QUERY_PARAM, _("In the address"))],
    )
    api_key_auth_value = _secret(_("API key"))
    basic_auth_credentials = _secret(_("User name and password, as user:password"))
    client_credentials_auth_auth_endpoint = _text(_("Address that gives tokens"))
    client_credentials_auth_http_method = forms.ChoiceField(
        label=_("How it is asked"), required=False, choices=_METHODS
    )
    client_credentials_auth_client_id = _text(_("Client id"))
    client_credentials_auth_client_secret = _secret(_("Client secret"))
    json_web_token_auth_service_user_account = _text(_("Service user account"))
    json_web_token_auth_private_key = forms.CharField(
        label=_("Private key, in PEM form"),
        required=False,
        strip=False,
        help_text=_STAYS,
        widget=HiddenText(attrs=PLAIN | {"rows": 3, "class": "font-monospace"}),
    )
    payload_schema = forms.CharField(
        label=_("Template"),
        strip=False,
        widget=forms.Textarea(attrs=PLAIN | {"rows": 12, "maxlength": TEMPLATE_MAX_LENGTH, "class": "font-monospace"}),
    )

    #: The ways to tell the sender, by the value of ``auth_type``: how their fields begin.
    WAYS = {
        AuthType.API_KEY: "api_key_auth",
        AuthType.BASIC: "basic_auth",
        AuthType.CLIENT_CREDENTIALS: "client_credentials_auth",
        AuthType.JSON_WEB_TOKEN: "json_web_token_auth",
    }

    @classmethod
    def of(cls, settings: dict[str, Any], data: Any = None) -> HttpForm:
        """The form as the destination stands."""
        return cls(data, initial=_initial(settings))

    @property
    def general(self) -> list[forms.BoundField]:
        """The fields of every configuration, but for the template."""
        return [self["endpoint"], self["http_method"], self["auth_type"]]

    @property
    def ways(self) -> list[tuple[str, list[forms.BoundField]]]:
        """The fields of each way to tell the sender."""
        return [
            (way.value, [self[name] for name in self.fields if name.startswith(f"{prefix}_")])
            for way, prefix in self.WAYS.items()
        ]

    @property
    def config(self) -> HttpConfig:
        """What the service takes. Browsers end lines with CR and LF."""
        given = self.cleaned_data
        ways = {prefix: _part(given, prefix) for prefix in self.WAYS.values()}
        if add_to := ways["api_key_auth"]["add_to"]:
            ways["api_key_auth"]["add_to"] = AddTo(add_to)
        if method := ways["client_credentials_auth"]["http_method"]:
            ways["client_credentials_auth"]["http_method"] = HttpMethod(method)
        return HttpConfig(
            endpoint=given["endpoint"],
            http_method=HttpMethod(given["http_method"]),
            auth_type=AuthType(given["auth_type"]),
            payload_schema=given["payload_schema"].replace("\r\n", "\n"),
            **ways,
        )


def _part(given: dict[str, Any], prefix: str) -> dict[str, Any]:
    return {name.removeprefix(f"{prefix}_"): value for name, value in given.items() if name.startswith(f"{prefix}_")}


def _initial(settings: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """The fields by the names of the stored settings: ``apiKeyAuth.addTo`` is ``api_key_auth_add_to``."""
    found: dict[str, Any] = {}
    for name, value in settings.items():
        field = f"{prefix}{form_field(name)}"
        found |= _initial(value, f"{field}_") if isinstance(value, dict) else {field: value}
    return found

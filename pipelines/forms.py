"""Forms about pipelines; the rules are the services', and fields are called as their refusals call them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from pipelines.models import DestinationType, SourceType
from pixels.models import NAME_MAX_LENGTH

PLAIN = {"autocapitalize": "none", "autocomplete": "off", "spellcheck": "false"}

#: The events that Meta knows by name.
STANDARD_EVENTS = (
    *("PageView", "AddPaymentInfo", "AddToCart", "AddToWishlist", "CompleteRegistration", "Contact"),
    *("CustomizeProduct", "Donate", "FindLocation", "InitiateCheckout", "Lead", "Purchase", "Schedule", "Search"),
    *("StartTrial", "SubmitApplication", "Subscribe", "ViewContent"),
)


class NameForm(forms.Form):
    """What something is called."""

    name = forms.CharField(label=_("Name"), strip=False, widget=forms.TextInput(attrs={"maxlength": NAME_MAX_LENGTH}))


class SourceForm(NameForm):
    """A data source to make, or one of the account's that joins the pipeline."""

    data_source_type = forms.ChoiceField(
        label=_("Type"),
        choices=[
            (SourceType.ADVERTISER_HOSTED_PIXEL, _("Signals Gateway Pixel, in a website's pages")),
            (SourceType.ADVERTISER_HOSTED_SDK, _("Signals Gateway SDK, in an app")),
            (SourceType.FILE_UPLOAD, _("File upload")),
        ],
    )
    data_source_id = forms.CharField(
        label=_("Id"),
        required=False,
        help_text=_(
            "Leave it empty for a new one. The id of a data source that the account has brings that one into this "
            "pipeline, too."
        ),
        widget=forms.TextInput(attrs=PLAIN | {"inputmode": "numeric"}),
    )


class DestinationForm(NameForm):
    """A destination to make."""

    type = forms.ChoiceField(
        label=_("Type"),
        choices=[
            (DestinationType.META_CONVERSIONS_API, _("Meta Conversions API")),
            (DestinationType.CUSTOM_HTTP_API, _("Customized connector: an HTTP API of your choice")),
        ],
    )


class ExistingForm(forms.Form):
    """One that the account has, to come into a pipeline, too."""

    id = forms.ChoiceField(label=_("One that the account has"))

    def __init__(self, data: Any = None, *, choices: list[tuple[str, str]]) -> None:
        super().__init__(data)
        self.fields["id"].choices = choices  # type: ignore[attr-defined]


class FilterForm(forms.Form):
    """Which events do not pass: known names to tick, and others to write."""

    is_on = forms.BooleanField(
        label=_("The filter is on"),
        required=False,
        help_text=_("While it is off, the list is kept, and blocks nothing."),
    )
    names = forms.MultipleChoiceField(
        label=_("Blocked events"),
        required=False,
        help_text=_("Those that are ticked do not pass."),
        widget=forms.CheckboxSelectMultiple,
    )
    # By the service's name: a name that is ticked is one that it takes.
    blocked_event_types = forms.CharField(
        label=_("Further blocked events"),
        required=False,
        help_text=_("One name a line, as your websites and servers write it."),
        widget=forms.Textarea(attrs=PLAIN | {"rows": 3}),
    )

    def __init__(self, data: Any = None, *, is_on: bool, blocked: Iterable[str], seen: Iterable[str]) -> None:
        blocked = list(blocked)
        super().__init__(data, initial={"is_on": is_on, "names": blocked})
        known = dict.fromkeys((*STANDARD_EVENTS, *seen, *blocked))
        self.fields["names"].choices = [(name, name) for name in known]  # type: ignore[attr-defined]

    @property
    def blocked(self) -> list[str]:
        """The names that shall not pass."""
        written = self.cleaned_data["blocked_event_types"].splitlines()
        return [*self.cleaned_data["names"], *(name for name in map(str.strip, written) if name)]

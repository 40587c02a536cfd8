"""Forms about filters; the rules are the services'."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from filters.domains import host_of
from filters.models import DOMAIN_MAX_LENGTH, EVENT_NAME_MAX_LENGTH, FilterState
from filters.reads import ShownState

#: Of an address that is pasted in the place of a domain.
ADDRESS_MAX_LENGTH = 2_048
_PLAIN = {"autocapitalize": "none", "autocomplete": "off", "spellcheck": "false"}


class EventFilterForm(forms.Form):
    """A filter for an event name, seen or yet to come."""

    event_name = forms.CharField(
        label=_("Event name"),
        strip=False,
        help_text=_("As your senders write it, such as Purchase: capital letters count."),
        widget=forms.TextInput(attrs=_PLAIN | {"maxlength": EVENT_NAME_MAX_LENGTH}),
    )
    state = forms.ChoiceField(
        label=_("What happens to its events"),
        choices=[(FilterState.DROP, _("Block them")), (FilterState.PUBLISH, _("Publish them"))],
        initial=FilterState.DROP,
    )


class DomainFilterForm(forms.Form):
    """A website to block, seen or yet to come."""

    domain = forms.CharField(
        label=_("Website"),
        help_text=_("Such as example.com, or an address on it. Its subdomains are blocked with it."),
        widget=forms.TextInput(attrs=_PLAIN | {"maxlength": ADDRESS_MAX_LENGTH, "inputmode": "url"}),
    )

    def clean_domain(self) -> str:
        """A pasted address is trimmed to its host; what is none is the service's to refuse."""
        typed: str = self.cleaned_data["domain"]
        # An address of mail is no website.
        return host_of(typed) or (None if "@" in typed else host_of(f"https://{typed}")) or typed


class NameFilterForm(forms.Form):
    """What the list of names is narrowed to."""

    search = forms.CharField(
        required=False,
        max_length=DOMAIN_MAX_LENGTH,
        widget=forms.TextInput(attrs={"type": "search", "class": "form-control", "placeholder": _("Search")}),
    )
    state = forms.ChoiceField(
        required=False,
        choices=[
            ("", _("Every state")),
            (ShownState.PUBLISH, _("Published")),
            (ShownState.DROP, _("Blocked")),
            (ShownState.MIXED, _("Mixed")),
        ],
        widget=forms.Select(attrs={"class": "form-select"}),
    )

    @property
    def chosen(self) -> dict[str, Any]:
        """What was chosen, without what no form could have sent."""
        self.full_clean()
        return {field: value for field, value in self.cleaned_data.items() if value}

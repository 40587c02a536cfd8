"""Forms about filters; the rules are the services'."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from filters.models import DOMAIN_MAX_LENGTH, EVENT_NAME_MAX_LENGTH, FilterState
from filters.reads import ShownState

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
        choices=[(FilterState.DROP, _("Drop them")), (FilterState.PUBLISH, _("Publish them"))],
        initial=FilterState.DROP,
    )


class DomainFilterForm(forms.Form):
    """A website to block, seen or yet to come."""

    domain = forms.CharField(
        label=_("Website"),
        help_text=_("Such as example.com, without https:// and path. Its subdomains are blocked with it."),
        widget=forms.TextInput(attrs=_PLAIN | {"maxlength": DOMAIN_MAX_LENGTH, "inputmode": "url"}),
    )


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
            (ShownState.DROP, _("Dropped")),
            (ShownState.MIXED, _("Mixed")),
        ],
        widget=forms.Select(attrs={"class": "form-select"}),
    )

    @property
    def chosen(self) -> dict[str, Any]:
        """What was chosen, without what no form could have sent."""
        self.full_clean()
        return {field: value for field, value in self.cleaned_data.items() if value}

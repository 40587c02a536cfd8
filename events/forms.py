"""Forms about events; the rules are the services'."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.web import sentence
from common.errors import InvalidInput
from events.delivery.ends import Ends
from events.delivery.entries import EVENT_ID_MAX_LENGTH
from events.gateway.arrivals import read_website
from events.gateway.trials import MADE_UP
from events.models import LABEL_MAX_LENGTH, Delivery, Road
from filters.models import EVENT_NAME_MAX_LENGTH

OUTCOMES = [
    (Delivery.Outcome.PUBLISHED, _("Published")),
    (Delivery.Outcome.WAITING, _("Waiting")),
    (Delivery.Outcome.DROPPED, _("Dropped")),
    (Delivery.Outcome.FAILED, _("Failed")),
    (Delivery.Outcome.EXPIRED, _("Expired")),
]


class DeliveryFilterForm(forms.Form):
    """What the delivery log is narrowed to."""

    outcome = forms.TypedChoiceField(
        label=_("Outcome"),
        choices=[("", _("Every outcome")), *OUTCOMES],
        coerce=Delivery.Outcome,
        empty_value=None,
        required=False,
        widget=forms.Select(attrs={"class": "form-select"}),
    )
    road = forms.TypedChoiceField(
        label=_("Came from"),
        choices=[("", _("Browser and server")), ("browser", Road.BROWSER.label), ("server", Road.SERVER.label)],
        coerce=lambda name: Road[name.upper()],
        empty_value=None,
        required=False,
        widget=forms.Select(attrs={"class": "form-select"}),
    )
    event = forms.CharField(
        label=_("Event name"),
        max_length=EVENT_NAME_MAX_LENGTH,
        strip=False,
        required=False,
        widget=forms.TextInput(attrs={"type": "search", "class": "form-control", "placeholder": _("Event name")}),
    )


class DeliverySearchForm(DeliveryFilterForm):
    """What the list of all of an account's events is narrowed to."""

    id = forms.CharField(
        label=_("Event id"),
        max_length=EVENT_ID_MAX_LENGTH,
        required=False,
        widget=forms.TextInput(
            attrs={"type": "search", "class": "form-control", "placeholder": _("Event id"), "autocapitalize": "none"}
        ),
    )
    website = forms.CharField(
        label=_("Website"),
        max_length=LABEL_MAX_LENGTH,
        required=False,
        widget=forms.TextInput(
            attrs={"type": "search", "class": "form-control", "placeholder": _("Website"), "autocapitalize": "none"}
        ),
    )
    pixel = forms.ChoiceField(
        label=_("Pixel or data source"), required=False, widget=forms.Select(attrs={"class": "form-select"})
    )
    destination = forms.ChoiceField(
        label=_("Destination"), required=False, widget=forms.Select(attrs={"class": "form-select"})
    )
    since = forms.DateTimeField(
        label=_("From (UTC)"),
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local", "class": "form-control"}, format="%Y-%m-%dT%H:%M"),
    )
    until = forms.DateTimeField(
        label=_("Until (UTC)"),
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local", "class": "form-control"}, format="%Y-%m-%dT%H:%M"),
    )

    def __init__(
        self,
        *args: Any,
        ends: Ends,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        of_pixels = [(pixel.pixel_id, str(pixel)) for pixel in ends.pixels]
        of_sources = [(source.source_id, str(source)) for source in ends.sources.values()]
        there = [(end.id, end.name) for end in ends.destinations.values()]
        self.fields["pixel"].choices = [  # type: ignore[attr-defined]
            ("", _("Every pixel and data source")),
            *of_pixels,
            *of_sources,
        ]
        self.fields["destination"].choices = [("", _("Every destination")), *there]  # type: ignore[attr-defined]


class TestEventForm(forms.Form):
    """A test event to send."""

    __test__ = False  # no test, for pytest

    event_name = forms.CharField(label=_("Event name"), max_length=EVENT_NAME_MAX_LENGTH, initial="PageView")
    event_source_url = forms.CharField(
        label=_("Page's address"),
        required=False,
        help_text=_("Of one of your websites, to see what its filter does. Without one, the event is of no website."),
        widget=forms.TextInput(attrs={"type": "url", "placeholder": "https://shop.example.com/thanks"}),
    )
    test_event_code = forms.CharField(
        label=_("Test event code"),
        required=False,
        help_text=_(
            "From the Test events tab in Meta's Events Manager, such as TEST12345: Meta then shows the event there and "
            "does not count it. Without one, it counts as a real event."
        ),
        widget=forms.TextInput(attrs={"autocapitalize": "none", "autocomplete": "off", "spellcheck": "false"}),
    )


class DestinationTestForm(forms.Form):
    """The event that a destination is tried with."""

    event = forms.ChoiceField(
        label=_("Event"), help_text=_("Made up, or one of yours that was refused or waits: others are not kept.")
    )
    test_event_code = forms.CharField(
        label=_("Test event code"),
        help_text=_(
            "From the Test events tab in Meta's Events Manager, such as TEST12345: Meta then shows the event there and "
            "does not count it."
        ),
        widget=forms.TextInput(attrs={"autocapitalize": "none", "autocomplete": "off", "spellcheck": "false"}),
    )

    def __init__(self, data: Any = None, *, recent: list[tuple[str, str]], asks_for_code: bool) -> None:
        super().__init__(data)
        self.fields["event"].choices = [(MADE_UP, _("A made-up purchase")), *recent]  # type: ignore[attr-defined]
        if not asks_for_code:
            del self.fields["test_event_code"]


class BrowserTestForm(forms.Form):
    """An event that the reader's own browser sends."""

    event_name = forms.CharField(label=_("Event name"), max_length=EVENT_NAME_MAX_LENGTH, initial="PageView")
    page = forms.CharField(
        label=_("Page's address"),
        help_text=_("The event says that it happened there: the website's filter and the list of websites apply."),
        widget=forms.TextInput(attrs={"type": "url", "placeholder": "https://shop.example.com/"}),
    )


class WebsiteForm(forms.Form):
    """The website whose events are watched."""

    website = forms.CharField(
        label=_("Website"),
        help_text=_("An address of yours; events of its subdomains are shown, too."),
        widget=forms.TextInput(
            attrs={"type": "url", "inputmode": "url", "placeholder": "https://shop.example.com/", "spellcheck": "false"}
        ),
    )

    def clean_website(self) -> str:
        """Its host."""
        try:
            return read_website("website", self.cleaned_data["website"])
        except InvalidInput as error:
            raise forms.ValidationError(sentence(error)) from None

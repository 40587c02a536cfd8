"""Forms about events; the rules are the services'."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from events.models import Delivery
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
    event = forms.CharField(
        label=_("Event name"),
        max_length=EVENT_NAME_MAX_LENGTH,
        strip=False,
        required=False,
        widget=forms.TextInput(attrs={"type": "search", "class": "form-control", "placeholder": _("Event name")}),
    )


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

"""Forms about alerts; the rules are the services', and fields are called as their refusals call them."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from alerts.models import ChannelName
from alerts.models.receivers import NAME_MAX_LENGTH
from alerts.services.receivers import DEFAULT_OVERLAP_HOURS, MAX_OVERLAP_HOURS
from pipelines.custom_http.checking import URL_MAX_LENGTH

_PLAIN = {"autocapitalize": "none", "autocomplete": "off", "spellcheck": "false"}


class ReceiverForm(forms.Form):
    """Where alerts are posted to."""

    name = forms.CharField(label=_("Name"), strip=False, widget=forms.TextInput(attrs={"maxlength": NAME_MAX_LENGTH}))
    channel = forms.ChoiceField(
        label=_("Channel"),
        choices=[
            (ChannelName.WEBHOOK, _("Webhook: signed JSON, for software of yours")),
            (ChannelName.SLACK, _("Slack, or what takes the same messages")),
        ],
    )
    url = forms.CharField(
        label=_("Address"),
        strip=False,
        help_text=_("An address on the internet. It is kept encrypted; pages show its host alone."),
        widget=forms.TextInput(attrs=_PLAIN | {"maxlength": URL_MAX_LENGTH, "inputmode": "url"}),
    )


class SecretForm(forms.Form):
    """A new secret for a webhook."""

    overlap_hours = forms.IntegerField(
        label=_("Hours for which the former secret signs, too"),
        min_value=0,
        max_value=MAX_OVERLAP_HOURS,
        initial=DEFAULT_OVERLAP_HOURS,
        help_text=_("0 where others know it: it ends at once."),
    )

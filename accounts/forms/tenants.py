"""Forms about an account; the rules are the services'."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.models.tenant import NAME_MAX_LENGTH, Tenant
from common.domains import DOMAIN_MAX_LENGTH
from common.time_zones import NAME_MAX_LENGTH as TIME_ZONE_MAX_LENGTH
from common.time_zones import offered
from common.validation import EMAIL_MAX_LENGTH


class NewAccountForm(forms.Form):
    """An account to open."""

    name = forms.CharField(label=_("Name"), max_length=NAME_MAX_LENGTH)
    can_partner_manage = forms.TypedChoiceField(
        label=_("Who manages it?"),
        choices=[
            ("yes", _("We do: our people manage its pixels, filters and users, together with its own people.")),
            ("no", _("It manages itself: we see its name, status and usage, and nothing else.")),
        ],
        coerce=lambda choice: choice == "yes",
        initial="yes",
        widget=forms.RadioSelect,
    )
    admin_email = forms.EmailField(
        label=_("Email address of its admin"),
        required=False,
        max_length=EMAIL_MAX_LENGTH,
        help_text=_("The admin is invited. Needed where the account manages itself."),
    )
    event_enrichment = forms.BooleanField(
        label=_("Enhance events"),
        required=False,
        help_text=Tenant.ENHANCE_EVENTS,
    )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        # The service's rule, in this page's words.
        if data.get("can_partner_manage") is False and data.get("admin_email") == "":
            self.add_error("admin_email", _("Name the admin of an account that manages itself."))
        return data


class AccountNameForm(forms.Form):
    """An account's name."""

    name = forms.CharField(label=_("Name"), max_length=NAME_MAX_LENGTH)


class TimeZoneForm(forms.Form):
    """The time zone in which an account lives."""

    time_zone = forms.CharField(
        label=_("Time zone"),
        max_length=TIME_ZONE_MAX_LENGTH,
        help_text=_("Quiet hours and the daily digest of alerts are meant in it. Figures are shown in UTC."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        chosen = self.initial.get("time_zone") or ""
        names = offered() if not chosen or chosen in offered() else (chosen, *offered())
        self.fields["time_zone"].widget = forms.Select(choices=[(name, name.replace("_", " ")) for name in names])


class RoutingForm(forms.Form):
    """The account's own domain that leads to the gateway."""

    ingress = forms.CharField(
        label=_("Your own domain"),
        max_length=DOMAIN_MAX_LENGTH,
        help_text=_("A name below your website's domain that is not in use yet, such as events.example.com."),
        widget=forms.TextInput(attrs={"autocapitalize": "none", "autocomplete": "off", "spellcheck": "false"}),
    )


class SetupForm(forms.Form):
    """Whom to send the first admin's invitation again."""

    email = forms.EmailField(
        label=_("Email address of its admin"),
        max_length=EMAIL_MAX_LENGTH,
        help_text=_("The address that the account was added with."),
    )

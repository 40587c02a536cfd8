"""Forms about people and their roles; the rules are the services'."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.models import RoleLevel
from common.validation import EMAIL_MAX_LENGTH

ROLES = [
    (RoleLevel.ADMIN, _("Admin: everything, users included")),
    (RoleLevel.MANAGE, _("Standard: pixels, events, websites and settings")),
    (RoleLevel.VIEW, _("View only: changes nothing")),
]


class InviteForm(forms.Form):
    """A person to invite."""

    email = forms.EmailField(label=_("Email address"), max_length=EMAIL_MAX_LENGTH)
    level = forms.ChoiceField(label=_("Role"), choices=ROLES, initial=RoleLevel.VIEW, widget=forms.RadioSelect)


class RoleForm(forms.Form):
    """A person's role."""

    level = forms.ChoiceField(label=_("Role"), choices=ROLES, widget=forms.RadioSelect)

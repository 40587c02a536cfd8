"""Django admin's first page and sidebar, and the pages of other packages that staff may not have."""

from __future__ import annotations

from typing import Any

# For what they register, which is taken back below.
import allauth.account.admin
import allauth.mfa.admin
import allauth.usersessions.admin  # noqa: F401
import django.contrib.auth.admin  # noqa: F401
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib import admin
from django.contrib.auth.models import Group
from django.http import HttpRequest
from django.urls import reverse
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from accounts.web import principal_of_request
from events.dashboard import read_dashboard

# allauth registers pages for these, through which staff could read second factors and add addresses to people.
# Django's groups give no rights here.
for _model in (EmailAddress, Authenticator, UserSession, Group):
    admin.site.unregister(_model)


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """What the first page shows."""
    return context | {"dashboard": read_dashboard(principal_of_request(request))}


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """The theme's sidebar: the first page, then every list."""
    first = {"title": _("Dashboard"), "icon": "dashboard", "link": reverse("admin:index")}
    return [{"items": [first]}] + [
        {
            "title": app["name"],
            "separator": True,
            "items": [{"title": capfirst(model["name"]), "link": model["admin_url"]} for model in app["models"]],
        }
        for app in admin.site.get_app_list(request)
    ]

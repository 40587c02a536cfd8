"""The host's pages about registration with Meta; the roof puts them beside its settings."""

from __future__ import annotations

from django.urls import URLPattern, path

from events.views import registrations

urlpatterns: list[URLPattern] = [
    path("registration/", registrations.host_registration, name="registration"),
    path("registration/allow/", registrations.allow, name="allow_registration"),
    path("registration/register/", registrations.register_everywhere, name="register_everywhere"),
]

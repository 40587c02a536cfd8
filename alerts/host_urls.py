"""The host's page of alerts; the roof puts it beside its settings."""

from __future__ import annotations

from django.urls import URLPattern, path

from alerts.views import incidents

urlpatterns: list[URLPattern] = [
    path("alerts/", incidents.of_host, name="incidents"),
]

"""The pages of an account's alerts."""

from __future__ import annotations

from django.urls import URLPattern, path

from alerts.views import incidents, rules

app_name = "alerts"
urlpatterns: list[URLPattern] = [
    path("", incidents.of_account, name="incidents"),
    path("rules/", rules.rules, name="rules"),
]

"""The overview of an account, and what its pages show of single events."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

from events.views import deliveries, overview, refused

_event_pages: list[URLPattern] = [
    path("deliveries/", deliveries.deliveries, name="deliveries"),
    path("deliveries/event/", deliveries.delivery, name="delivery"),
    path("refused/", refused.refused, name="refused"),
    path("enhance/", overview.enhance_events, name="enhance"),
]

urlpatterns: list[URLPattern | URLResolver] = [
    path("", overview.account_overview, name="account_overview"),
    path("", include((_event_pages, "events"))),
]

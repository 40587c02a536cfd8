"""The pages of filters."""

from __future__ import annotations

from django.urls import URLPattern, path

from events.views import filters as views
from events.views.filters import EVENTS, WEBSITES

app_name = "filters"
urlpatterns: list[URLPattern] = [
    path("events/", views.events, name="events"),
    path("events/one/", views.one_name, {"subject": EVENTS}, name="event"),
    path("events/set/", views.set_filter, {"subject": EVENTS}, name="set_event"),
    path("events/add/", views.add_filter, {"subject": EVENTS}, name="add_event"),
    path("websites/", views.websites, name="websites"),
    path("websites/one/", views.one_name, {"subject": WEBSITES}, name="website"),
    path("websites/set/", views.set_filter, {"subject": WEBSITES}, name="set_website"),
    path("websites/add/", views.add_filter, {"subject": WEBSITES}, name="add_website"),
]

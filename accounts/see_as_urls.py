"""Seeing as somebody else, under the names that django-hijack gives."""

from __future__ import annotations

from django.urls import path

from accounts.see_as import EndSeeingAs, SeeAs

app_name = "hijack"
urlpatterns = [
    path("", SeeAs.as_view(), name="acquire"),
    path("end/", EndSeeingAs.as_view(), name="release"),
]

"""The pages of pixels that show events; the others are the pixels app's. The roof puts both in one place."""

from __future__ import annotations

from django.urls import URLPattern, path

from events.views import connections, pixel_list, pixels, sending

urlpatterns: list[URLPattern] = [
    path("", pixel_list.pixel_list, name="list"),
    path("connect/", connections.connect, name="connect"),
    path("<str:pixel_id>/", pixels.detail, name="detail"),
    path("<str:pixel_id>/deliveries/", pixels.deliveries, name="deliveries"),
    path("<str:pixel_id>/refused/", pixels.dead_letters, name="dead_letters"),
    path("<str:pixel_id>/refused/replay/", pixels.replay, name="replay"),
    path("<str:pixel_id>/refused/discard/", pixels.discard, name="discard"),
    path("<str:pixel_id>/retry/", pixels.retry, name="retry"),
    path("<str:pixel_id>/sending/", sending.sending, name="sending"),
    path("<str:pixel_id>/test/", sending.test_event, name="test_event"),
    path("<str:pixel_id>/token/", connections.replace_token, name="token"),
]

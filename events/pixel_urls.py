"""The pages of pixels that show events; the others are the pixels app's. The roof puts both in one place."""

from __future__ import annotations

from django.urls import URLPattern, path

from events.views import browser_test, connections, deduplication, mirror, pixel_list, pixels, registrations, sending

urlpatterns: list[URLPattern] = [
    path("", pixel_list.pixel_list, name="list"),
    path("connect/", connections.connect, name="connect"),
    path("register/", registrations.register_all, name="register_all"),
    path("<str:pixel_id>/", pixels.detail, name="detail"),
    path("<str:pixel_id>/deduplication/", deduplication.deduplication, name="deduplication"),
    path("<str:pixel_id>/deliveries/", pixels.deliveries, name="deliveries"),
    path("<str:pixel_id>/refused/", pixels.dead_letters, name="dead_letters"),
    path("<str:pixel_id>/refused/replay/", pixels.replay, name="replay"),
    path("<str:pixel_id>/refused/discard/", pixels.discard, name="discard"),
    path("<str:pixel_id>/retry/", pixels.retry, name="retry"),
    path("<str:pixel_id>/sending/", sending.sending, name="sending"),
    path("<str:pixel_id>/test/", sending.test_event, name="test_event"),
    path("<str:pixel_id>/browser-test/", browser_test.browser_test, name="browser_test"),
    path("<str:pixel_id>/browser-test/result/", browser_test.result, name="browser_test_result"),
    path("<str:pixel_id>/mirror/", mirror.mirror, name="mirror"),
    path("<str:pixel_id>/registration/", registrations.registration, name="registration"),
    path("<str:pixel_id>/register/", registrations.register, name="register"),
    path("<str:pixel_id>/unregister/", registrations.unregister, name="unregister"),
    path("<str:pixel_id>/token/", connections.replace_token, name="token"),
]

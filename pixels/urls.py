"""The pages of pixels; those that show events are the events app's."""

from __future__ import annotations

from django.urls import URLPattern, path

from events.views import pixels as events_of_pixel
from events.views import sending
from pixels.views import acts, connections, imports

app_name = "pixels"
urlpatterns: list[URLPattern] = [
    path("", connections.pixel_list, name="list"),
    path("connect/", connections.connect, name="connect"),
    path("import/", imports.upload, name="import"),
    path("import/<int:import_id>/", imports.show, name="import_show"),
    path("import/<int:import_id>/apply/", imports.apply, name="import_apply"),
    path("import/<int:import_id>/discard/", imports.discard, name="import_discard"),
    path("<str:pixel_id>/", events_of_pixel.detail, name="detail"),
    path("<str:pixel_id>/name/", connections.rename, name="rename"),
    path("<str:pixel_id>/token/", connections.replace_token, name="token"),
    path("<str:pixel_id>/deliveries/", events_of_pixel.deliveries, name="deliveries"),
    path("<str:pixel_id>/refused/", events_of_pixel.dead_letters, name="dead_letters"),
    path("<str:pixel_id>/refused/replay/", events_of_pixel.replay, name="replay"),
    path("<str:pixel_id>/refused/discard/", events_of_pixel.discard, name="discard"),
    path("<str:pixel_id>/retry/", events_of_pixel.retry, name="retry"),
    path("<str:pixel_id>/sending/", sending.sending, name="sending"),
    path("<str:pixel_id>/test/", sending.test_event, name="test_event"),
    *(path(f"<str:pixel_id>/{act.replace('_', '-')}/", acts.change_pixel, {"act": act}, name=act) for act in acts.ACTS),
]

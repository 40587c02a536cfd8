"""The pages of pipelines that show events; the others are the pipelines app's. The roof puts both in one place."""

from __future__ import annotations

from django.urls import URLPattern, path

from events.views import (
    data_filter,
    deduplication,
    destination_letters,
    destination_queue,
    destination_test,
    pipeline_filters,
    pipelines,
    script_trial,
    source_events,
    website_events,
)

urlpatterns: list[URLPattern] = [
    path("pipeline/", pipelines.pipeline_list, name="list"),
    path("pipeline/sources/<str:source_id>/filter/", data_filter.data_filter, name="data_filter"),
    path("pipeline/sources/<str:source_id>/events/", source_events.source_events, name="source_events"),
    path("pipeline/sources/<str:source_id>/test/", website_events.website_events, name="website_events"),
    path("pipeline/sources/<str:source_id>/test/page/", script_trial.script_trial, name="script_trial"),
    path("pipeline/sources/<str:source_id>/test/frame/", script_trial.frame, name="script_frame"),
    path("pipeline/sources/<str:source_id>/deduplication/", deduplication.of_source, name="source_deduplication"),
    path("pipeline/filter-trial/", data_filter.frame, name="filter_trial"),
    path("pipeline/<str:pipeline_id>/", pipelines.detail, name="detail"),
    path("pipeline/<str:pipeline_id>/filter/", pipeline_filters.of_pipeline, name="filter"),
    path(
        "pipeline/<str:pipeline_id>/filter/<str:destination_id>/",
        pipeline_filters.of_destination,
        name="destination_filter",
    ),
    path(
        "pipeline/destinations/<str:destination_id>/test/",
        destination_test.destination_test,
        name="test_destination",
    ),
    path(
        "pipeline/destinations/<str:destination_id>/resume/",
        destination_queue.resume,
        name="resume_destination",
    ),
    path(
        "pipeline/destinations/<str:destination_id>/refused/",
        destination_letters.letters,
        name="destination_letters",
    ),
    path(
        "pipeline/destinations/<str:destination_id>/refused/replay/",
        destination_letters.replay,
        name="replay_letters",
    ),
    path(
        "pipeline/destinations/<str:destination_id>/refused/discard/",
        destination_letters.discard,
        name="discard_letters",
    ),
]

"""The pages of pipelines; those that show events are in ``events/pipeline_urls.py``."""

from __future__ import annotations

from django.urls import URLPattern, path

from pipelines.views import acts, destinations, making, places, sources

urlpatterns: list[URLPattern] = [
    path("pipeline/create/", making.create, name="create"),
    path("pipeline/<str:pipeline_id>/name/", acts.rename, {"kind": acts.PIPELINE}, name="rename"),
    path("pipeline/<str:pipeline_id>/active/", acts.switch, {"kind": acts.PIPELINE}, name="switch"),
    path("pipeline/<str:pipeline_id>/delete/", acts.delete, {"kind": acts.PIPELINE}, name="delete"),
    path("pipeline/<str:pipeline_id>/sources/add/", making.add_source, name="add_source"),
    path("pipeline/<str:pipeline_id>/destinations/add/", making.add_destination, name="add_destination"),
    path(
        "pipeline/<str:pipeline_id>/sources/<str:source_id>/disconnect/",
        places.disconnect,
        {"kind": acts.SOURCE},
        name="disconnect_source",
    ),
    path(
        "pipeline/<str:pipeline_id>/destinations/<str:destination_id>/disconnect/",
        places.disconnect,
        {"kind": acts.DESTINATION},
        name="disconnect_destination",
    ),
    path("pipeline/sources/<str:source_id>/", sources.source, name="source"),
    path("pipeline/sources/<str:source_id>/script/", sources.configure, name="configure_source"),
    path("pipeline/sources/<str:source_id>/meta-pixel/", sources.answer_meta_pixel, name="answer_meta_pixel"),
    path("pipeline/sources/<str:source_id>/name/", acts.rename, {"kind": acts.SOURCE}, name="rename_source"),
    path("pipeline/sources/<str:source_id>/active/", acts.switch, {"kind": acts.SOURCE}, name="switch_source"),
    path("pipeline/sources/<str:source_id>/delete/", acts.delete, {"kind": acts.SOURCE}, name="delete_source"),
    path("pipeline/destinations/<str:destination_id>/", destinations.destination, name="destination"),
    path("pipeline/destinations/<str:destination_id>/meta/", destinations.configure_at_meta, name="configure_meta"),
    path("pipeline/destinations/<str:destination_id>/http/", destinations.configure_over_http, name="configure_http"),
    path(
        "pipeline/destinations/<str:destination_id>/name/",
        acts.rename,
        {"kind": acts.DESTINATION},
        name="rename_destination",
    ),
    path(
        "pipeline/destinations/<str:destination_id>/active/",
        acts.switch,
        {"kind": acts.DESTINATION},
        name="switch_destination",
    ),
    path(
        "pipeline/destinations/<str:destination_id>/delete/",
        acts.delete,
        {"kind": acts.DESTINATION},
        name="delete_destination",
    ),
]

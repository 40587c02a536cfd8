"""The pages of pixels; those that show events are in ``events/pixel_urls.py``."""

from __future__ import annotations

from django.urls import URLPattern, path

from pixels.views import acts, imports, naming, websites

urlpatterns: list[URLPattern] = [
    path("import/", imports.upload, name="import"),
    path("import/<int:import_id>/", imports.show, name="import_show"),
    path("import/<int:import_id>/apply/", imports.apply, name="import_apply"),
    path("import/<int:import_id>/discard/", imports.discard, name="import_discard"),
    path("<str:pixel_id>/name/", naming.rename, name="rename"),
    path("<str:pixel_id>/websites/", websites.limit_websites, name="websites"),
    *(path(f"<str:pixel_id>/{act.replace('_', '-')}/", acts.change_pixel, {"act": act}, name=act) for act in acts.ACTS),
]

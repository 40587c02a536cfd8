"""Deleting what processes of the previous release leave behind, which delete accounts and pixels and know no pipelines
(docs/decisions/0024-the-store.md)."""

from __future__ import annotations

from django.db.models import Exists, OuterRef

from accounts.models import Tenant
from common.pruning import delete_in_parts
from pipelines.models import Destination, Pipeline, PixelPipeline, Source
from pixels.models import Pixel


def delete_orphans() -> None:
    """Delete the rows of accounts and pixels that are gone."""
    for model in (Pipeline, Source, Destination):
        delete_in_parts(model.objects.filter(~Exists(Tenant.objects.filter(pk=OuterRef("tenant")))))
    delete_in_parts(PixelPipeline.objects.filter(~Exists(Pixel.objects.filter(pk=OuterRef("pk")))))

"""What processes of the release before leave behind, which delete accounts and pixels and know no pipelines."""

from __future__ import annotations

import pytest
from django.db import connection

from accounts.models import Tenant
from events.pruning import prune
from pipelines.models import Destination, Pipeline, PipelineDestination, PipelineSource, PixelPipeline, Source
from pixels.models import Pixel
from tests.factories import (
    PipelineDestinationFactory,
    PipelineSourceFactory,
    PixelPipelineFactory,
)

pytestmark = pytest.mark.django_db

TABLES = (Pipeline, Source, Destination, PipelineSource, PipelineDestination, PixelPipeline)


def fill() -> tuple[Tenant, Pixel]:
    placed = PipelineSourceFactory.create()
    PipelineDestinationFactory.create(pipeline=placed.pipeline)
    return placed.pipeline.tenant, PixelPipelineFactory.create().pixel


def left() -> list[int]:
    return [model.objects.count() for model in TABLES]


def delete_as_before(table: str, key: str | int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {table} WHERE id = %s", [key])  # noqa: S608


def test_what_belongs_to_accounts_and_pixels_that_are_gone_goes() -> None:
    tenant, pixel = fill()
    fill()
    delete_as_before("accounts_tenant", tenant.pk)
    delete_as_before("pixels_pixel", pixel.pk)
    assert left() == [2, 2, 2, 2, 2, 2]

    prune()

    assert left() == [1, 1, 1, 1, 1, 1]
    assert not Pipeline.objects.filter(tenant=tenant.pk).exists()


def test_deleting_an_account_or_a_pixel_leaves_nothing() -> None:
    tenant, pixel = fill()

    tenant.delete()
    pixel.delete()

    assert left() == [0, 0, 0, 0, 0, 0]

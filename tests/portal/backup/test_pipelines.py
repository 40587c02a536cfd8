"""Pipelines in a backup: they come back, into an instance where others have been made since."""

from __future__ import annotations

from pathlib import Path

import pytest

from accounts.principals import OPERATOR
from pipelines.ids import PIPELINE, id_of_pixel
from pipelines.models import Destination, Pipeline, PipelineDestination, PipelineSource, Source
from pipelines.reads import read_pipeline
from pipelines.services.configuration import secrets_of
from pixels.models import Pixel
from tests.base import Cast
from tests.factories import DestinationFactory, PipelineDestinationFactory, PixelFactory, SourceFactory
from tests.portal.backup.conftest import Run, empty

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def backup(full: Cast, run: Run, file: Path) -> Cast:
    """The full instance, of which there is a backup."""
    run("backup", file)
    return full


def test_pipelines_come_back_whole(backup: Cast, run: Run, file: Path) -> None:
    empty()

    run("restore", file)

    pipeline = Pipeline.objects.get()
    assert pipeline.blocked == {"Lead", "Größe"}
    assert [place.source.source_id for place in pipeline.source_links.all()] == ["0019"]
    assert [secrets_of(place.destination) for place in pipeline.destination_links.all()] == [{"a": "b"}]


def test_pixels_of_older_backups_have_their_pipelines(backup: Cast, run: Run, file: Path) -> None:
    """One of them had no row, as none of an older backup has."""
    empty()

    run("restore", file)

    shown = read_pipeline(OPERATOR, backup.books.pk, id_of_pixel(PIPELINE, "00456"))
    assert shown.name == "Conversions API Gateway(00456)"


def test_what_was_made_since_stays_and_what_cannot_stand_beside_it_stays_behind(
    backup: Cast, run: Run, file: Path
) -> None:
    Source.objects.all().delete()
    Pixel.objects.filter(pixel_id="00456").delete()
    PixelFactory.create(tenant=backup.shoes, pixel_id="0019")
    SourceFactory.create(tenant=backup.books, source_id="00456")
    PipelineDestination.objects.all().delete()
    other = DestinationFactory.create(tenant=backup.shoes, type="META_CONVERSIONS_API")
    PipelineDestinationFactory.create(pipeline=Pipeline.objects.get(), destination=other)
    Destination.objects.exclude(pk=other.pk).delete()

    run("restore", file)

    assert list(Source.objects.values_list("source_id", flat=True)) == ["00456"]
    assert sorted(Pixel.objects.values_list("pixel_id", flat=True)) == ["0019", "123"]
    assert PipelineSource.objects.count() == 0
    assert PipelineDestination.objects.get().destination == other
    assert Destination.objects.count() == 2


def test_restoring_again_adds_nothing(backup: Cast, run: Run, file: Path) -> None:
    assert " 0 added " in run("restore", file)

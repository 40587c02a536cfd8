"""A source or destination is taken out of a pipeline, and put back, by the pages and by staff."""

from __future__ import annotations

import pytest
from django.urls import reverse

from accounts.models import AuditEntry
from events.models import DestinationCursor
from pipelines.ids import PIPELINE, id_of, id_of_pixel
from pipelines.models import PipelineDestination, PipelineSource
from tests.base import Cast, login, snapshot
from tests.factories import PipelineDestinationFactory, PipelineFactory, PipelineSourceFactory
from tests.pages import address, get, post, see, text_of
from tests.stage import Stage, make_stage


@pytest.fixture
def stage(cast: Cast) -> Stage:
    return make_stage(cast.shoes)


def last_act() -> str:
    return AuditEntry.objects.latest("pk").act


def test_a_source_is_taken_out_after_a_page_that_says_what_becomes_of_what_waits(cast: Cast, stage: Stage) -> None:
    at = (stage.pipeline_id, stage.source.source_id)
    page = see(cast.max, "pipelines:disconnect_source", cast.shoes, *at)
    assert "What of its events waits for a destination is not sent any more" in page
    assert "It is in no other pipeline" in page

    post(cast.max, "pipelines:disconnect_source", cast.shoes, *at)

    assert not PipelineSource.objects.exists()
    assert not DestinationCursor.objects.exists()
    assert last_act() == "disconnect data source"
    assert "In no pipeline: no event passes here." in see(cast.vic, "pipelines:source", cast.shoes, at[1])


def test_a_destination_is_taken_out_with_the_filter_before_it(cast: Cast, stage: Stage) -> None:
    other = PipelineDestinationFactory.create(
        pipeline__tenant=cast.shoes, pipeline__name="Second", destination=stage.destination
    )
    at = (stage.pipeline_id, stage.destination_id)
    assert "It stays in the pipelines Second ." in see(cast.max, "pipelines:disconnect_destination", cast.shoes, *at)

    post(cast.max, "pipelines:disconnect_destination", cast.shoes, *at)

    assert list(PipelineDestination.objects.filter(destination=stage.destination)) == [other]
    assert not DestinationCursor.objects.filter(destination=stage.destination).exists()
    assert DestinationCursor.objects.filter(destination=stage.data_set).exists()
    assert last_act() == "disconnect destination"


def test_what_the_account_has_comes_into_another_pipeline(cast: Cast, stage: Stage) -> None:
    second = PipelineFactory.create(tenant=cast.shoes, name="Second")
    at = id_of(PIPELINE, second.uuid)
    offered = get(cast.max, "pipelines:add_source", cast.shoes, at).content.decode()
    assert f'value="{stage.source.source_id}"' in offered
    assert f'value="{stage.pixel.pixel_id}"' not in offered

    post(cast.max, "pipelines:add_source", cast.shoes, at, id=stage.source.source_id)
    post(cast.max, "pipelines:add_destination", cast.shoes, at, id=stage.destination_id)

    assert [link.source for link in second.source_links.all()] == [stage.source]
    assert [link.destination for link in second.destination_links.all()] == [stage.destination]
    assert DestinationCursor.objects.filter(source=stage.source).count() == 2
    again = get(cast.max, "pipelines:add_source", cast.shoes, at).content.decode()
    assert "One that the account has" not in again


def test_what_is_not_there_cannot_be_taken_out_or_put_in(cast: Cast, stage: Stage) -> None:
    theirs = PipelineSourceFactory.create(pipeline__tenant=cast.books)
    second = id_of(PIPELINE, PipelineFactory.create(tenant=cast.shoes).uuid)
    of_pixel = id_of_pixel(PIPELINE, stage.pixel.pixel_id)
    client = login(cast.max)
    before = snapshot()

    for pipeline, source in (
        (second, stage.source.source_id),
        (stage.pipeline_id, theirs.source.source_id),
        (id_of(PIPELINE, theirs.pipeline.uuid), theirs.source.source_id),
        (of_pixel, stage.pixel.pixel_id),
    ):
        at = address("pipelines:disconnect_source", cast.shoes, pipeline, source)
        assert client.get(at).status_code == 404
        client.post(at)
    refused = post(client, "pipelines:add_source", cast.shoes, second, id=theirs.source.source_id)
    assert refused.status_code == 400
    assert "is not one of the available choices" in text_of(refused)

    assert snapshot() == before


@pytest.mark.parametrize("what", ["source", "destination"])
def test_staff_take_it_out_of_all_its_pipelines(cast: Cast, stage: Stage, what: str) -> None:
    row = getattr(stage, what)
    chosen = {"action": "disconnect", "_selected_action": [row.pk]}

    login(cast.hanna).post(reverse(f"admin:pipelines_{what}_changelist"), chosen)

    assert not row.pipeline_links.exists()
    assert AuditEntry.objects.latest("pk").actor == "hanna@example.com"

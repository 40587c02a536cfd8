"""Two callers at the same moment."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from accounts.principals import OPERATOR
from common.errors import InvalidInput, NotFound
from pipelines.ids import PIPELINE, id_of
from pipelines.models import DestinationType, Pipeline, PipelineDestination, PipelineSource, Source, SourceType
from pipelines.services.destinations import create_destination
from pipelines.services.filters import update_pipeline_filter
from pipelines.services.pipelines import delete_pipeline
from pipelines.services.sources import create_source
from pixels.models import Pixel
from tests.factories import PipelineFactory
from tests.pixels.test_races import at_once, connect

pytestmark = pytest.mark.django_db(transaction=True)


def where(pipeline: Pipeline) -> dict[str, Any]:
    return {
        "principal": OPERATOR,
        "tenant_id": pipeline.tenant_id,
        "pipeline_id": id_of(PIPELINE, pipeline.uuid),
    }


def make(pipeline: Pipeline, source_id: str = "42") -> str:
    return create_source(
        **where(pipeline), name="Website", kind=SourceType.ADVERTISER_HOSTED_PIXEL, source_id=source_id
    )


@pytest.mark.parametrize("round", range(3))
def test_of_a_pixel_and_a_source_of_one_id_one_wins(round: int) -> None:
    first, second = PipelineFactory.create_batch(2)

    results = at_once(partial(make, first), partial(connect, second.tenant_id))

    (refusal,) = (result for result in results if isinstance(result, InvalidInput))
    assert "connected in another account already" in refusal.message
    assert Source.objects.count() + Pixel.objects.count() == 1


def test_of_two_accounts_that_make_a_source_of_one_id_one_wins() -> None:
    pipelines = PipelineFactory.create_batch(2)

    results = at_once(*(partial(make, pipeline) for pipeline in pipelines))

    assert sum(isinstance(result, InvalidInput) for result in results) == 1
    assert Source.objects.count() == 1


def test_a_source_that_an_account_makes_twice_at_once_is_one_in_both_pipelines() -> None:
    first = PipelineFactory.create()
    second = PipelineFactory.create(tenant=first.tenant)

    assert at_once(partial(make, first), partial(make, second)) == ["42", "42"]

    assert (Source.objects.count(), PipelineSource.objects.count()) == (1, 2)


def test_of_two_destinations_of_one_type_one_wins() -> None:
    pipeline = PipelineFactory.create()
    call = partial(create_destination, **where(pipeline), name="Meta", kind=DestinationType.META_CONVERSIONS_API)

    results = at_once(call, call)

    assert sum(isinstance(result, InvalidInput) for result in results) == 1
    assert PipelineDestination.objects.count() == 1


def test_who_changes_a_pipeline_that_is_being_deleted_changes_it_or_does_not_find_it() -> None:
    pipeline = PipelineFactory.create()
    given = where(pipeline)
    delete = partial(delete_pipeline, principal=OPERATOR, tenant_id=pipeline.tenant_id, id=given["pipeline_id"])

    _, changed = at_once(delete, partial(update_pipeline_filter, **given, blocked_event_types=["Lead"]))

    assert Pipeline.objects.count() == 0
    assert isinstance(changed, NotFound) or changed.blocked_event_types == ["Lead"]

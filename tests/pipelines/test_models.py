"""What the database holds, whoever writes."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import IntegrityError, transaction

from pipelines.models import Filtered, PipelineDestination
from tests.factories import (
    DestinationFactory,
    PipelineDestinationFactory,
    PipelineFactory,
    PipelineSourceFactory,
    SourceFactory,
)

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("factory", "wrong"),
    [
        (PipelineFactory, {"name": ""}),
        (SourceFactory, {"name": ""}),
        (SourceFactory, {"source_id": "12a"}),
        (SourceFactory, {"source_id": ""}),
        (SourceFactory, {"type": "META_PIXEL"}),
        (DestinationFactory, {"name": ""}),
        (DestinationFactory, {"type": "UNKNOWN"}),
    ],
)
def test_what_is_wrong_is_refused(factory: Any, wrong: dict[str, str]) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        factory.create(**wrong)


def test_a_source_s_id_is_no_other_s() -> None:
    SourceFactory.create(source_id="1234")

    with pytest.raises(IntegrityError), transaction.atomic():
        SourceFactory.create(source_id="1234")


def test_a_source_stands_in_a_pipeline_once() -> None:
    placed = PipelineSourceFactory.create()

    with pytest.raises(IntegrityError), transaction.atomic():
        PipelineSourceFactory.create(pipeline=placed.pipeline, source=placed.source)


def test_a_pipeline_has_one_destination_of_each_type() -> None:
    placed = PipelineDestinationFactory.create()

    with pytest.raises(IntegrityError), transaction.atomic():
        PipelineDestinationFactory.create(pipeline=placed.pipeline)


@pytest.mark.parametrize(
    ("status", "blocked"), [(None, {"Lead"}), (True, {"Lead"}), (False, set())], ids=["no word", "on", "off by name"]
)
def test_a_list_blocks_unless_somebody_has_switched_it_off(status: bool | None, blocked: set[str]) -> None:
    one: Filtered = PipelineDestination(filter_status=status, blocked_event_types=["Lead"])

    assert one.blocked == blocked

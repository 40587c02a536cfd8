"""What a pipeline keeps back, as the reference answers it."""

from __future__ import annotations

from typing import Any

import pytest

from common.errors import InvalidInput
from pipelines.models import Pipeline, PipelineDestination
from pipelines.validation import clean_event_names
from tests.base import snapshot
from tests.pipelines.conftest import Api


def test_a_list_alone_answers_false_and_blocks(api: Api) -> None:
    pipeline = api.pipeline()

    answer = api.get("updatePipelineFilter", input={"pipelineId": pipeline, "blockedEventTypes": ["Lead", "Lead"]})

    assert answer == {"filterStatus": False, "blockedEventTypes": ["Lead"]}
    assert api.get("pipeline", id=pipeline)["dataFilter"] == answer
    assert Pipeline.objects.get().blocked == {"Lead"}


@pytest.mark.parametrize(("status", "blocked"), [(True, {"Lead"}), (False, set())])
def test_a_filter_that_is_switched_by_name_is_so(api: Api, status: bool, blocked: set[str]) -> None:
    pipeline = api.pipeline()
    api.get("updatePipelineFilter", input={"pipelineId": pipeline, "blockedEventTypes": ["Lead"]})

    answer = api.get("updatePipelineFilter", input={"pipelineId": pipeline, "filterStatus": status})

    assert answer == {"filterStatus": status, "blockedEventTypes": ["Lead"]}
    assert Pipeline.objects.get().blocked == blocked


@pytest.mark.parametrize("names", [["blockedEventTypes"], ["destinationFilterBlockedEventTypes"],
                                   ["blockedEventTypes", "destinationFilterBlockedEventTypes"]])  # fmt: skip
def test_a_destinations_list_goes_by_either_name_and_answers_true(api: Api, names: list[str]) -> None:
    pipeline = api.pipeline()
    destination = api.destination(pipeline)
    where = {"pipelineId": pipeline, "destinationId": destination}

    answer = api.get("updatePipelineDestinationFilter", input=where | {name: ["Lead"] for name in names})

    assert answer == {
        "id": f"pipelineDestinationFilter:{pipeline}:{destination}",
        "destinationId": destination,
        "destinationFilterStatus": True,
        "destinationFilterBlockedEventTypes": ["Lead"],
    }
    assert api.get("pipeline", id=pipeline)["pipelineDestinationFilters"] == [answer]
    assert PipelineDestination.objects.get().blocked == {"Lead"}


def test_a_destinations_filter_can_be_switched_off(api: Api) -> None:
    pipeline = api.pipeline()
    where = {"pipelineId": pipeline, "destinationId": api.destination(pipeline)}
    api.get("updatePipelineDestinationFilter", input=where | {"blockedEventTypes": ["Lead"]})

    answer = api.get("updatePipelineDestinationFilter", input=where | {"filterStatus": False})

    assert answer["destinationFilterStatus"] is False
    assert PipelineDestination.objects.get().blocked == set()


def test_two_lists_that_differ_are_refused(api: Api) -> None:
    pipeline = api.pipeline()
    where = {"pipelineId": pipeline, "destinationId": api.destination(pipeline)}
    given = {"blockedEventTypes": ["Lead"], "destinationFilterBlockedEventTypes": ["Search"]}

    assert api.refusal("updatePipelineDestinationFilter", input=where | given) == (
        400,
        "blockedEventTypes: must be the same as destinationFilterBlockedEventTypes.",
    )


def test_a_destination_of_another_pipeline_is_not_found(api: Api) -> None:
    first, second = api.pipeline(), api.pipeline()
    given = {"pipelineId": first, "destinationId": api.destination(second), "blockedEventTypes": ["Lead"]}

    assert api.refusal("updatePipelineDestinationFilter", input=given) == (
        404,
        "destinationId: this account has no such data destination.",
    )


@pytest.mark.parametrize(
    ("names", "words"),
    [
        ([None], "must hold names of 1 to 50 characters, without control characters."),
        ([""], "must hold names of 1 to 50 characters, without control characters."),
        (["a" * 51], "must hold names of 1 to 50 characters, without control characters."),
        (["a\x01"], "must hold names of 1 to 50 characters, without control characters."),
    ],
)
def test_names_are_bounded_and_named_in_refusals(api: Api, names: list[Any], words: str) -> None:
    pipeline = api.pipeline()
    before = snapshot()

    answer = api.refusal("updatePipelineFilter", input={"pipelineId": pipeline, "blockedEventTypes": names})

    assert answer == (400, f"blockedEventTypes: {words}")
    assert snapshot() == before


def test_so_many_names_a_list_may_have_and_no_more() -> None:
    with pytest.raises(InvalidInput, match="must name at most 500 events"):
        clean_event_names("blockedEventTypes", [str(number) for number in range(501)])

"""Pipelines of the gateway through POST /capig/graphql/: the reference's ids, defaults and answers."""

from __future__ import annotations

import re

import pytest

from accounts.models import Tenant
from pipelines.models import Destination, Pipeline, Source
from tests.base import Cast, snapshot
from tests.factories import PixelFactory
from tests.operations import run
from tests.pipelines.conftest import Api

UUID = "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"


def test_a_new_pipeline_is_active_and_empty(api: Api) -> None:
    made = api.get("createPipeline", name=" Shop ")

    assert re.fullmatch(f"sg_v1_pl_{UUID}", made["id"])
    assert made == {
        "id": made["id"],
        "name": "Shop",
        "active": True,
        "type": "GATEWAY_PIPELINE",
        "dataSources": [],
        "dataDestinations": [],
        "dataFilter": {"filterStatus": False, "blockedEventTypes": []},
        "pipelineDestinationFilters": [],
    }
    assert api.get("pipeline", id=made["id"]) == made
    assert api.get("pipelines") == [made]


def test_a_new_source_has_19_digits_and_stands_in_its_pipeline(api: Api) -> None:
    pipeline = api.pipeline()

    made = api.get(
        "createDataSourceForPipeline", name="Website", dataSourceType="ADVERTISER_HOSTED_PIXEL", pipelineId=pipeline
    )

    assert re.fullmatch("[1-9][0-9]{18}", made["id"])
    assert made == {
        "id": made["id"],
        "name": "Website",
        "type": "ADVERTISER_HOSTED_PIXEL",
        "active": True,
        "associatedPipelines": [{"id": pipeline, "name": "Shop", "type": "GATEWAY_PIPELINE"}],
    }
    assert api.get("dataSourcesQuery") == [made]
    assert api.get("pipeline", id=pipeline)["dataSources"] == [made]


def test_an_unused_id_becomes_the_new_sources(api: Api) -> None:
    assert api.source(api.pipeline(), dataSourceId="0042") == "0042"


def test_a_source_of_the_account_joins_another_pipeline_and_keeps_its_name(api: Api) -> None:
    first, second = api.pipeline("First"), api.pipeline("Second")
    source = api.source(first)

    for _ in range(2):
        joined = api.get(
            "createDataSourceForPipeline",
            dataSourceId=source, name="Other", dataSourceType="ADVERTISER_HOSTED_PIXEL", pipelineId=second,
        )  # fmt: skip
        assert joined["name"] == "Website"
        assert [each["name"] for each in joined["associatedPipelines"]] == ["First", "Second"]
    assert Source.objects.count() == 1


def test_a_new_destination_is_its_pipelines(api: Api) -> None:
    pipeline = api.pipeline()

    made = api.get(
        "createDataDestination", input={"name": "Warehouse", "type": "CUSTOM_HTTP_API", "pipelineId": pipeline}
    )

    assert re.fullmatch(f"sg_v1_dd_{UUID}", made["id"])
    shown = {"id": made["id"], "name": "Warehouse", "type": "CUSTOM_HTTP_API", "active": True}
    associated = {"associatedPipelines": [{"id": pipeline, "name": "Shop", "type": "GATEWAY_PIPELINE"}]}
    assert made == shown | associated
    assert api.get("dataDestinationsQuery") == [made]
    whole = api.get("pipeline", id=pipeline)
    assert whole["dataDestinations"] == [shown | associated | {"metaCAPIConfig": None}]
    assert whole["pipelineDestinationFilters"] == [
        {
            "id": f"pipelineDestinationFilter:{pipeline}:{made['id']}",
            "destinationId": made["id"],
            "destinationFilterStatus": True,
            "destinationFilterBlockedEventTypes": [],
        }
    ]


def test_a_pipeline_has_one_destination_of_each_type(api: Api) -> None:
    pipeline = api.pipeline()
    api.destination(pipeline)
    before = snapshot()

    given = {"name": "Second", "type": "CUSTOM_HTTP_API", "pipelineId": pipeline}

    assert api.refusal("createDataDestination", input=given) == (
        400,
        "type: the pipeline has a destination of this type already.",
    )
    assert snapshot() == before
    api.destination(pipeline, "AUDIENCE_STORAGE")


def test_a_destination_joins_another_pipeline_by_an_update(api: Api) -> None:
    first, second = api.pipeline("First"), api.pipeline("Second")
    destination = api.destination(first)
    given = {"id": destination, "pipelineId": second, "destinationType": "CUSTOM_HTTP_API", "type": "CUSTOM_HTTP_API"}

    for _ in range(2):
        updated = api.get("updateDataDestination", input=given)
        assert [each["name"] for each in updated["associatedPipelines"]] == ["First", "Second"]

    third = api.pipeline("Third")
    api.destination(third)
    assert api.refusal("updateDataDestination", input={**given, "pipelineId": third})[0] == 400


@pytest.mark.parametrize(
    ("operation", "make"),
    [("updatePipeline", "pipeline"), ("updateDataSource", "source"), ("updateDataDestination", "destination")],
)
def test_what_is_left_out_of_an_update_stays(api: Api, operation: str, make: str) -> None:
    pipeline = api.pipeline()
    made = pipeline if make == "pipeline" else getattr(api, make)(pipeline)

    switched = api.get(operation, input={"id": made, "active": False})
    renamed = api.get(operation, input={"id": made, "name": "New"})
    nothing = api.get(operation, input={"id": made, "name": None, "active": None})

    assert (switched["active"], renamed["active"], renamed["name"]) == (False, False, "New")
    assert nothing == renamed


def test_deleting_a_pipeline_leaves_its_sources_and_destinations_without_it(api: Api) -> None:
    pipeline = api.pipeline()
    source, destination = api.source(pipeline), api.destination(pipeline)

    assert api.get("deletePipeline", id=pipeline) == pipeline

    assert api.get("pipelines") == []
    assert [(each["id"], each["associatedPipelines"]) for each in api.get("dataSourcesQuery")] == [(source, [])]
    found = [(each["id"], each["associatedPipelines"]) for each in api.get("dataDestinationsQuery")]
    assert found == [(destination, [])]
    assert api.refusal("pipeline", id=pipeline) == (404, "id: this account has no such pipeline.")


def test_deleting_a_source_and_a_destination_leaves_the_pipeline_without_them(api: Api) -> None:
    pipeline = api.pipeline()
    source, destination = api.source(pipeline), api.destination(pipeline)

    assert api.get("dataSourceMutations-deleteDataSource", id=source) == source
    assert api.get("deleteDataDestination", id=destination) == destination

    whole = api.get("pipeline", id=pipeline)
    assert (whole["dataSources"], whole["dataDestinations"], whole["pipelineDestinationFilters"]) == ([], [], [])
    assert (Source.objects.count(), Destination.objects.count()) == (0, 0)


def test_both_kinds_of_pipelines_are_counted(cast: Cast, api: Api) -> None:
    PixelFactory.create(tenant=cast.shoes)
    PixelFactory.create(tenant=cast.shoes, publishing_enabled=False)
    api.pipeline()
    off = api.pipeline()
    api.get("updatePipeline", input={"id": off, "active": False})

    usage = run(cast.max, "tenantUsage", tenantId=cast.shoes.pk).data["tenantUsage"]

    assert (usage["totalPipelines"], usage["totalActivePipeline"]) == (4, 2)
    assert (usage["totalPixels"], usage["totalActivePixels"]) == (2, 1)


def test_an_account_has_so_many_of_a_kind_and_no_more(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipelines.lookups.MAX_OF_A_KIND", 1)
    pipeline = api.pipeline()
    api.source(pipeline)
    api.destination(pipeline)
    before = snapshot()

    for refusal in (
        api.refusal("createPipeline", name="Second"),
        api.refusal("createDataSourceForPipeline", name="Second", dataSourceType="FILE_UPLOAD", pipelineId=pipeline),
        api.refusal(
            "createDataDestination", input={"name": "Second", "type": "AUDIENCE_STORAGE", "pipelineId": pipeline}
        ),
    ):
        assert refusal[0] == 400
        assert "would be one too many: an account may have 1." in refusal[1]
    assert snapshot() == before


def test_names_are_nobodys_alone(cast: Cast, api: Api) -> None:
    api.pipeline("Shop")
    api.pipeline("Shop")

    assert Pipeline.objects.filter(tenant=Tenant.objects.get(pk=cast.shoes.pk), name="Shop").count() == 2

"""A connected Meta Pixel is a pipeline: one truth behind two doors."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import AuditEntry
from filters.models import EventFilter
from filters.reads import load_filter_set
from pipelines.models import PixelPipeline
from pixels.models import Pixel
from tests.base import Cast, snapshot
from tests.factories import EventFilterFactory, PixelFactory
from tests.operations import run
from tests.pipelines.conftest import Api

PIPELINE = "sg_v1_pl_ffffffff-ffff-8fff-8fff-fff000004711"
DESTINATION = "sg_v1_dd_ffffffff-ffff-8fff-8fff-fff000004711"
CONNECTION = {"pixelId": "000004711", "businessId": "1", "accessToken": "secret", "externalId": ""}


@pytest.fixture
def pixel(cast: Cast) -> Pixel:
    """One that was connected before anybody spoke of pipelines."""
    return PixelFactory.create(tenant=cast.shoes, pixel_id="000004711")


@pytest.mark.usefixtures("pixel")
def test_every_pixel_has_its_pipeline_under_the_default_names(api: Api) -> None:
    named = {"id": PIPELINE, "name": "Conversions API Gateway(000004711)", "type": "META_CAPI_PIPELINE"}

    whole = api.get("pipeline", id=PIPELINE)

    assert whole == {
        **named,
        "active": True,
        "dataSources": [
            {
                "id": "000004711",
                "name": "Meta Pixel (000004711)",
                "type": "META_PIXEL",
                "active": True,
                "associatedPipelines": [named],
            }
        ],
        "dataDestinations": [
            {
                "id": DESTINATION,
                "name": "Meta Dataset (000004711)",
                "type": "META_CONVERSIONS_API",
                "active": True,
                "associatedPipelines": [named],
                "metaCAPIConfig": {"dataSetId": "000004711"},
            }
        ],
        "dataFilter": {"filterStatus": False, "blockedEventTypes": []},
        "pipelineDestinationFilters": [
            {
                "id": f"pipelineDestinationFilter:{PIPELINE}:{DESTINATION}",
                "destinationId": DESTINATION,
                "destinationFilterStatus": True,
                "destinationFilterBlockedEventTypes": [],
            }
        ],
    }
    assert api.get("pipelines") == [whole]
    assert PixelPipeline.objects.count() == 0


def test_either_door_connects_a_pixel_as_a_pipeline(cast: Cast, api: Api) -> None:
    by_pipeline = api.get("createConversionApiGatewayPipeline", **CONNECTION)
    api.get("setupPixelSignalConfig", input={**CONNECTION, "pixelId": "4712"})

    assert by_pipeline["id"] == PIPELINE
    assert [each["name"] for each in api.get("pipelines")] == [
        "Conversions API Gateway(000004711)",
        "Conversions API Gateway(4712)",
    ]
    signals = run(cast.max, "account", tenantId=cast.shoes.pk).data["tenantQueries"]["account"]["signalConfigs"]
    assert [each["connectionId"] for each in signals] == ["000004711", "4712"]


@pytest.mark.parametrize("version", ["20.0.1", "20.0", "v20.0", "v20.0.1"])
def test_a_version_is_read_as_clients_write_it(api: Api, version: str) -> None:
    api.get("createConversionApiGatewayPipeline", **CONNECTION, apiVersion=version)

    assert Pixel.objects.get().api_version == "v20.0"


def test_connecting_again_replaces_the_token_and_keeps_what_is_left_out(api: Api) -> None:
    name = "Conversions API Gateway (000004711)"
    assert api.get("createConversionApiGatewayPipeline", **CONNECTION, pipelineName=name)["name"] == name

    again = api.get("createConversionApiGatewayPipeline", **{**CONNECTION, "accessToken": "new"})

    assert again["name"] == name
    assert Pixel.objects.get().access_token.reveal() == "new"


def test_a_name_that_is_refused_connects_nothing(api: Api) -> None:
    before = snapshot()

    refusal = api.refusal("createConversionApiGatewayPipeline", **CONNECTION, pipelineName="x" * 101)

    assert refusal == (400, "pipelineName: must have at most 100 characters.")
    assert snapshot() == before


def test_its_names_and_switches_are_kept_with_the_pixel(api: Api, pixel: Pixel) -> None:
    api.get("updatePipeline", input={"id": PIPELINE, "name": "Checkout", "active": False})
    api.get("updateDataSource", input={"id": "000004711", "name": "Web shop", "active": False, "type": "META_PIXEL"})
    api.get("updateDataDestination", input={"id": DESTINATION, "name": "Data set", "pipelineId": PIPELINE})

    whole = api.get("pipeline", id=PIPELINE)
    (source,), (destination,) = whole["dataSources"], whole["dataDestinations"]
    assert (whole["name"], whole["active"]) == ("Checkout", False)
    assert (source["name"], source["active"]) == ("Web shop", False)
    assert (destination["name"], destination["active"]) == ("Data set", False)
    pixel.refresh_from_db()
    assert (pixel.name, pixel.event_bridge_active, pixel.publishing_enabled) == ("Web shop", False, False)


def test_its_filter_is_the_pixels_event_filters(cast: Cast, api: Api, pixel: Pixel) -> None:
    EventFilterFactory.create(pixel=pixel, event_name="Lead")
    EventFilterFactory.create(pixel=pixel, event_name="Search", state="PUBLISH")

    answer = api.get("updatePipelineFilter", input={"pipelineId": PIPELINE, "blockedEventTypes": ["Search", "Contact"]})

    assert answer == {"filterStatus": False, "blockedEventTypes": ["Contact", "Search"]}
    assert set(EventFilter.objects.values_list("event_name", "state")) == {("Contact", "DROP"), ("Search", "DROP")}
    told = AuditEntry.objects.filter(act="update event filter").values_list("subject", "changes")
    assert dict(told) == {
        "Contact": {"000004711": [None, "DROP"]},
        "Search": {"000004711": ["PUBLISH", "DROP"]},
        "Lead": {"000004711": ["DROP", None]},
    }
    update = {"eventName": "Contact", "filterState": "PUBLISH", "pixelIds": ["000004711"]}
    run(cast.max, "updateEventFilter", tenantId=cast.shoes.pk, input=update)
    assert api.get("pipeline", id=PIPELINE)["dataFilter"]["blockedEventTypes"] == ["Search"]


def test_its_destinations_filter_is_the_same_one(api: Api, pixel: Pixel) -> None:
    given = {"pipelineId": PIPELINE, "destinationId": DESTINATION, "blockedEventTypes": ["Lead"]}

    answer = api.get("updatePipelineDestinationFilter", input=given)

    assert (answer["destinationFilterStatus"], answer["destinationFilterBlockedEventTypes"]) == (True, ["Lead"])
    assert api.get("pipeline", id=PIPELINE)["dataFilter"]["blockedEventTypes"] == ["Lead"]
    assert load_filter_set(pixel).events["Lead"].drops


def test_a_filter_that_is_off_keeps_its_list(api: Api, pixel: Pixel) -> None:
    where: dict[str, Any] = {"pipelineId": PIPELINE}
    api.get("updatePipelineFilter", input=where | {"blockedEventTypes": ["Lead", "Search"]})

    off = api.get("updatePipelineFilter", input=where | {"filterStatus": False})
    assert off == {"filterStatus": False, "blockedEventTypes": ["Lead", "Search"]}
    assert load_filter_set(pixel).events == {}
    assert api.get("pipeline", id=PIPELINE)["dataFilter"] == off

    changed = api.get("updatePipelineFilter", input=where | {"blockedEventTypes": ["Search"]})
    assert changed["blockedEventTypes"] == ["Search"]
    on = api.get("updatePipelineFilter", input=where | {"filterStatus": True})
    assert on == {"filterStatus": True, "blockedEventTypes": ["Search"]}
    assert list(load_filter_set(pixel).events) == ["Search"]
    assert PixelPipeline.objects.get().set_aside == []


def test_a_name_that_is_blocked_while_the_filter_is_off_stays_blocked(api: Api, pixel: Pixel) -> None:
    where: dict[str, Any] = {"pipelineId": PIPELINE}
    api.get("updatePipelineFilter", input=where | {"blockedEventTypes": ["Search"], "filterStatus": False})
    EventFilterFactory.create(pixel=pixel, event_name="Lead")

    assert api.get("pipeline", id=PIPELINE)["dataFilter"]["blockedEventTypes"] == ["Lead", "Search"]
    on = api.get("updatePipelineFilter", input=where | {"filterStatus": True})

    assert on == {"filterStatus": True, "blockedEventTypes": ["Lead", "Search"]}
    assert sorted(load_filter_set(pixel).events) == ["Lead", "Search"]


def test_account_wide_filters_hold_in_it(api: Api, pixel: Pixel) -> None:
    EventFilterFactory.create(tenant=pixel.tenant, event_name="Lead")

    api.get("updatePipelineFilter", input={"pipelineId": PIPELINE, "filterStatus": False})

    assert load_filter_set(pixel).events["Lead"].drops


@pytest.mark.parametrize(
    ("operation", "id"),
    [("deletePipeline", PIPELINE), ("dataSourceMutations-deleteDataSource", "000004711")],
)
@pytest.mark.usefixtures("pixel")
def test_deleting_it_disconnects_the_pixel(api: Api, operation: str, id: str) -> None:
    assert api.get(operation, id=id) == id

    assert Pixel.objects.count() == 0
    assert AuditEntry.objects.filter(act="disconnect pixel").count() == 1
    assert api.refusal("pipeline", id=PIPELINE)[0] == 404


@pytest.mark.usefixtures("pixel")
def test_its_destination_cannot_go_alone(api: Api) -> None:
    assert api.refusal("deleteDataDestination", id=DESTINATION) == (
        400,
        "id: a Meta Pixel's destination goes with the pixel: delete its pipeline or data source.",
    )


@pytest.mark.usefixtures("pixel")
def test_it_has_no_other_sources_and_destinations(api: Api) -> None:
    given: dict[str, Any] = {"name": "Website", "pipelineId": PIPELINE}
    own = {"name": "Website", "pipelineId": api.pipeline(), "dataSourceId": "000004711"}
    before = snapshot()

    for refusal in (
        api.refusal("createDataSourceForPipeline", **given, dataSourceType="FILE_UPLOAD"),
        api.refusal("createDataSourceForPipeline", **own, dataSourceType="ADVERTISER_HOSTED_PIXEL"),
        api.refusal("createDataDestination", input={**given, "type": "CUSTOM_HTTP_API"}),
        api.refusal("updateDataDestination", input={"id": DESTINATION, "pipelineId": own["pipelineId"]}),
        api.refusal("updateDataDestination", input={"id": DESTINATION, "type": "CUSTOM_HTTP_API"}),
        api.refusal("updateDataSource", input={"id": "000004711", "type": "FILE_UPLOAD"}),
        api.refusal("createGatewayPixelHeaderCode", dataSourceId="000004711"),
        api.refusal("updateGatewayPixelConfig", pixelId="000004711", config={"enableAam": True}),
    ):
        assert refusal[0] == 400
    assert snapshot() == before


def test_its_destinations_token_is_the_pixels(api: Api, pixel: Pixel) -> None:
    given = {"id": DESTINATION, "metaDatasetId": "000004711", "accessToken": "new", "businessId": "7"}

    assert api.get("updateDataDestinationCapiConfig", input={**given, "apiVersion": "21.0"}) is True

    pixel.refresh_from_db()
    assert (pixel.access_token.reveal(), pixel.business_id, pixel.api_version) == ("new", "7", "v21.0")
    assert api.refusal("updateDataDestinationCapiConfig", input={**given, "metaDatasetId": "8"})[0] == 400

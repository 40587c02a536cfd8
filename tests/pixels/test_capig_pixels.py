"""Pixels and their figures through POST /capig/graphql/."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any, ClassVar

import pytest
from django.db import connection
from django.db.models import Case, Value, When
from django.test.utils import CaptureQueriesContext

from accounts.models import Tenant, TenantStatus
from common.statements import Row
from pixels.models import Pixel
from pixels.traffic import Column, Totals
from tests.base import CAPIG, Cast, graphql, login, snapshot
from tests.factories import PixelFactory
from tests.operations import run

NEW_PIXEL = {"pixelId": "18904456377094531", "businessId": "1", "accessToken": "EAAsecret", "externalId": ""}


def connection_of(answer: Any) -> dict[str, Any]:
    (signal,) = answer.data["tenantQueries"]["account"]["signalConfigs"]
    return dict(signal["connectionStatus"])


def test_an_account_shows_its_pixels_by_id(cast: Cast) -> None:
    for pixel_id in ("30", "10", "20"):
        PixelFactory.create(tenant=cast.shoes, pixel_id=pixel_id)
    PixelFactory.create(tenant=cast.other)

    account = run(cast.vic, "account", tenantId=cast.shoes.pk).data["tenantQueries"]["account"]

    assert (account["name"], account["status"]) == ("Shoes", 0)
    assert [signal["id"] for signal in account["signalConfigs"]] == [f"SignalConfig:{n}" for n in (10, 20, 30)]


def test_a_pixel_is_shown_with_all_that_is_known_of_it(cast: Cast) -> None:
    moment = datetime(2026, 11, 21, 12, 0, 0, 123_987, tzinfo=UTC)
    pixel = PixelFactory.create(
        tenant=cast.shoes,
        name="Web shop",
        publishing_enabled=False,
        bad_token=True,
        api_error_code="190.460",
        last_received=moment,
    )

    (signal,) = run(cast.max, "account", tenantId=cast.shoes.pk).data["tenantQueries"]["account"]["signalConfigs"]

    assert signal == {
        "id": f"SignalConfig:{pixel.pixel_id}",
        "domains": [],
        "connectionId": pixel.pixel_id,
        "dataSetType": "PIXEL",
        "connectionStatus": {
            "id": f"ConnectionStatus:{pixel.pixel_id}",
            "pixelID": pixel.pixel_id,
            "pixelName": "Web shop",
            "targetId": "",
            "accessTokenAvailable": True,
            "connected": True,
            "active": False,
            "eventBridgeActive": True,
            "publishingEnabled": False,
            "accessKey": pixel.access_key,
            "apiErrorCode": "190.460",
            "badToken": True,
            "lastReceived": 1795262400123.0,
            "totalEventsReceived": 0.0,
            "lastPublished": 0.0,
            "totalEventsPublished": 0.0,
        },
    }


@pytest.mark.parametrize(
    ("who", "sees"), [("vic", False), ("vera", False), ("max", True), ("ada", True), ("milo", True), ("robot", True)]
)
def test_the_access_key_is_for_those_who_may_change_the_pixel(cast: Cast, who: str, sees: bool) -> None:
    pixel = PixelFactory.create(tenant=cast.shoes)

    shown = connection_of(run(getattr(cast, who), "account", tenantId=cast.shoes.pk))["accessKey"]

    assert shown == (pixel.access_key if sees else None)


def test_no_name_is_empty_in_lists_and_null_in_the_answer_to_a_connection(cast: Cast) -> None:
    document = """mutation($tenantId: ID!, $input: PixelConnectionCreationInput!) {
        tenantMutations(tenantId: $tenantId) { signalMutations { setupPixelSignalConfig(input: $input) {
            connectionStatus { pixelName targetId } } } } }"""
    pixel = {"pixelId": "10", "businessId": "1", "accessToken": "x", "externalId": ""}
    connected = graphql(cast.max, CAPIG, document, {"tenantId": cast.shoes.pk, "input": pixel}).data
    listed = connection_of(run(cast.max, "account", tenantId=cast.shoes.pk))

    answer = connected["tenantMutations"]["signalMutations"]["setupPixelSignalConfig"]
    assert answer["connectionStatus"] == {"pixelName": None, "targetId": ""}
    assert (listed["pixelName"], listed["targetId"]) == ("", "")


def test_the_people_of_a_deactivated_account_look_on_without_its_keys(cast: Cast) -> None:
    PixelFactory.create(tenant=cast.shoes)
    Tenant.objects.filter(pk=cast.shoes.pk).update(status=TenantStatus.DEACTIVATED)

    assert connection_of(run(cast.ada, "account", tenantId=cast.shoes.pk))["accessKey"] is None


def test_reading_pixels_takes_as_many_queries_for_many_as_for_one(cast: Cast) -> None:
    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as captured:
            assert run(cast.robot, "account", tenantId=cast.shoes.pk).status == 200
        assert not any('access_token"' in query["sql"] and "pixels_pixel" in query["sql"] for query in captured)
        return len(captured)

    PixelFactory.create(tenant=cast.shoes)
    one = queries()
    PixelFactory.create_batch(20, tenant=cast.shoes)
    assert queries() == one


def test_a_name_alone_reads_no_pixel(cast: Cast) -> None:
    document = "query($id: ID!) { tenantQueries(tenantId: $id) { account(timeWindowMin: null) { name } } }"

    with CaptureQueriesContext(connection) as captured:
        assert graphql(cast.robot, CAPIG, document, {"id": cast.shoes.pk}).status == 200

    assert not any("pixels_pixel" in query["sql"] for query in captured)


def test_connecting_answers_with_the_pixel_and_never_with_the_token(cast: Cast) -> None:
    answer = run(cast.robot, "setupPixelSignalConfig", tenantId=cast.shoes.pk, input=NEW_PIXEL)

    signal = answer.data["tenantMutations"]["signalMutations"]["setupPixelSignalConfig"]
    assert signal["id"] == "SignalConfig:18904456377094531"
    assert signal["connectionStatus"]["active"] is True
    assert signal["connectionStatus"]["accessKey"] == Pixel.objects.get().access_key
    assert "EAAsecret" not in str(answer.body)


def test_null_for_an_optional_argument_is_as_good_as_leaving_it_out(cast: Cast) -> None:
    given = NEW_PIXEL | {"name": None, "apiVersion": None}

    assert run(cast.robot, "setupPixelSignalConfig", tenantId=cast.shoes.pk, input=given).status == 200
    assert Pixel.objects.get().name is None


def test_a_refused_connection_tells_code_and_field(cast: Cast) -> None:
    max_in_a_browser = login(cast.max)
    before = snapshot()

    answer = run(max_in_a_browser, "setupPixelSignalConfig", tenantId=cast.shoes.pk, input=NEW_PIXEL | {"pixelId": "x"})

    assert answer.refused(400)
    assert answer.errors[0]["extensions"] == {"code": 400, "field": "pixelId"}
    assert snapshot() == before


@pytest.mark.parametrize(
    ("operation", "field"),
    [
        ("updateSignalConfigEventsStatus", "eventBridgeActive"),
        ("updateSignalConfigCapiPublish", "publishingEnabled"),
    ],
)
def test_a_switch_answers_with_the_connection_as_it_is_now(cast: Cast, operation: str, field: str) -> None:
    pixel = PixelFactory.create(tenant=cast.shoes)

    answer = run(cast.max, operation, tenantId=cast.shoes.pk, id=pixel.pixel_id, input={"status": 0})

    payload = answer.data["tenantMutations"]["signalMutations"][operation]
    assert payload["success"] is True
    assert (payload["connectionStatus"][field], payload["connectionStatus"]["active"]) == (False, False)


def test_a_pixel_is_deleted_once(cast: Cast) -> None:
    pixel = PixelFactory.create(tenant=cast.shoes)

    first, second = (run(cast.max, "deleteDataSource", tenantId=cast.shoes.pk, id=pixel.pixel_id) for _ in range(2))

    assert first.data == {"tenantMutations": {"signalMutations": {"deleteDataSource": True}}}
    assert second.refused(404)


def test_nothing_has_happened_before_events_come(cast: Cast) -> None:
    pixel = PixelFactory.create(tenant=cast.shoes)

    answer = run(cast.vic, "eventMetrics", tenantId=cast.shoes.pk, pixelIds=[pixel.pixel_id], timeWindowMin=1)

    metrics = answer.data["tenantQueries"]["eventMetrics"]
    assert metrics.pop("id").startswith(f"EventMetricsSnapshot:{cast.shoes.pk}:1:")
    assert metrics == {
        "incoming": {"id": "EventTrafficSummary:incoming", "eventNamesCount": 0, "eventsCount": 0},
        "outgoing": {
            "id": "ConversionsApiPublishSummary:global",
            "eventNamesCount": 0,
            "eventsCount": 0,
            "publishSuccessRate": 0.0,
        },
        "activity": [],
        "domainActivity": [],
        "byRoad": [
            {"road": road, "receivedCount": 0, "publishedCount": 0, "publishSuccessRate": 0.0}
            for road in ("SERVER", "BROWSER")
        ],
    }


def test_metrics_of_another_accounts_pixel_are_refused(cast: Cast) -> None:
    foreign = PixelFactory.create(tenant=cast.other)

    assert run(cast.vic, "eventMetrics", tenantId=cast.shoes.pk, pixelIds=[foreign.pixel_id]).refused(400)


class _Reader:
    """Counts the same for any window: as many events as it has minutes."""

    asked: ClassVar[list[str]] = []

    def totals(self, pixels: Collection[int], minutes: int) -> dict[int, Totals]:
        self.asked.append("totals")
        return {min(pixels): Totals(minutes, 3)}

    def totals_column(self, minutes: int) -> Column:
        self.asked.append("totals")
        return Column(Case(When(pixel_id="7", then=Row(Value(minutes), Value(3)))), {})

    def websites(self, pixels: Collection[int]) -> dict[int, list[str]]:
        self.asked.append("websites")
        return {min(pixels): ["shop.example.com"]}


@pytest.fixture
def reader(monkeypatch: pytest.MonkeyPatch) -> _Reader:
    monkeypatch.setattr(_Reader, "asked", [])
    monkeypatch.setattr("pixels.traffic._reader", _Reader())
    return _Reader()


@pytest.mark.usefixtures("reader")
def test_totals_and_websites_come_from_whoever_counts_for_the_window_that_is_asked_for(cast: Cast) -> None:
    PixelFactory.create(tenant=cast.shoes, pixel_id="7")
    PixelFactory.create(tenant=cast.shoes, pixel_id="8")

    busy, idle = run(cast.vic, "account", tenantId=cast.shoes.pk, timeWindowMin=5).data["tenantQueries"]["account"][
        "signalConfigs"
    ]

    assert busy["domains"] == ["shop.example.com"]
    assert busy["connectionStatus"]["totalEventsReceived"] == 5.0
    assert busy["connectionStatus"]["totalEventsPublished"] == 3.0
    assert (idle["domains"], idle["connectionStatus"]["totalEventsReceived"]) == ([], 0.0)


@pytest.mark.parametrize(
    ("fields", "asked"),
    [
        ("id connectionStatus { pixelID }", []),
        ("domains", ["websites"]),
        ("connectionStatus { totalEventsPublished }", ["totals"]),
    ],
)
def test_what_is_not_asked_for_is_not_counted(cast: Cast, reader: _Reader, fields: str, asked: list[str]) -> None:
    PixelFactory.create(tenant=cast.shoes)
    document = f"query($id: ID!) {{ tenantQueries(tenantId: $id) {{ account {{ signalConfigs {{ {fields} }} }} }} }}"

    assert graphql(cast.vic, CAPIG, document, {"id": cast.shoes.pk}).errors == []
    assert reader.asked == asked


def test_a_switch_answers_with_the_totals_of_the_last_hour(cast: Cast, reader: _Reader) -> None:
    pixel = PixelFactory.create(tenant=cast.shoes)

    answer = run(
        cast.max, "updateSignalConfigCapiPublish", tenantId=cast.shoes.pk, id=pixel.pixel_id, input={"status": 0}
    )

    payload = answer.data["tenantMutations"]["signalMutations"]["updateSignalConfigCapiPublish"]
    assert payload["connectionStatus"]["totalEventsReceived"] == 60.0
    assert reader.asked == ["totals"]

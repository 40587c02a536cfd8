"""The figures through GraphQL."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import time_machine

from events.figures import counting
from tests.base import Cast
from tests.events.metered import NOW, ago, count
from tests.factories import PixelFactory
from tests.operations import run

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _clock() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


def metrics_of(answer: Any) -> dict[str, Any]:
    assert answer.errors == []
    return dict(answer.data["tenantQueries"]["eventMetrics"])


def test_metrics_answer_as_the_reference_has_them(cast: Cast) -> None:
    pixel = PixelFactory.create(tenant=cast.shoes)
    count(pixel, ago(minutes=1), n=4, website="shop.example.com")
    count(pixel, ago(minutes=1), "published", 3, website="shop.example.com")
    count(pixel, ago(minutes=1), "failed", website="shop.example.com")
    by_servers = [
        {"road": "SERVER", "receivedCount": 4, "publishedCount": 3, "publishSuccessRate": 0.75},
        {"road": "BROWSER", "receivedCount": 0, "publishedCount": 0, "publishSuccessRate": 0.0},
    ]

    assert metrics_of(run(cast.vic, "eventMetrics", tenantId=cast.shoes.pk)) == {
        "id": f"EventMetricsSnapshot:{cast.shoes.pk}:60",
        "incoming": {"id": "EventTrafficSummary:incoming", "eventNamesCount": 1, "eventsCount": 4},
        "outgoing": {
            "id": "ConversionsApiPublishSummary:global",
            "eventNamesCount": 1,
            "eventsCount": 3,
            "publishSuccessRate": 0.75,
        },
        "activity": [
            {
                "id": "EventActivity:Purchase",
                "name": "Purchase",
                "receivedCount": 4,
                "publishedCount": 3,
                "lastUpdated": "1795264140000",
                "byRoad": by_servers,
            }
        ],
        "domainActivity": [
            {
                "id": "DomainActivity:shop.example.com",
                "domainName": "shop.example.com",
                "receivedCount": 4,
                "publishedCount": 3,
                "byRoad": by_servers,
            }
        ],
        "byRoad": by_servers,
    }


def test_metrics_are_those_of_the_pixels_that_are_named(cast: Cast) -> None:
    one, two = PixelFactory.create_batch(2, tenant=cast.shoes)
    foreign = PixelFactory.create(tenant=cast.other)
    for n, pixel in enumerate((one, two, foreign), start=1):
        count(pixel, ago(minutes=1), n=n)

    def received(**variables: Any) -> int:
        found = metrics_of(run(cast.vic, "eventMetrics", tenantId=cast.shoes.pk, **variables))
        return int(found["incoming"]["eventsCount"])

    assert received() == 3
    assert received(pixelIds=[two.pixel_id]) == 2
    assert received(pixelIds=[]) == 3
    assert received(timeWindowMin=43_200) == 3


def test_names_counted_together_have_an_id_that_no_name_has(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "LABELS_A_DAY", 1)
    pixel = PixelFactory.create(tenant=cast.shoes)
    count(pixel, ago(minutes=1), name="Other")
    count(pixel, ago(minutes=1), name="Lead", n=2)

    activity = metrics_of(run(cast.vic, "eventMetrics", tenantId=cast.shoes.pk))["activity"]

    assert [(row["id"], row["name"]) for row in activity] == [
        ("EventActivity:Other", "Other"),
        ("EventActivity:", "Other"),
    ]


def test_more_events_than_a_graphql_number_holds_are_told_as_the_largest(cast: Cast) -> None:
    pixel = PixelFactory.create(tenant=cast.shoes)
    count(pixel, ago(minutes=1), n=5_000_000_000)

    found = metrics_of(run(cast.vic, "eventMetrics", tenantId=cast.shoes.pk))
    (signal,) = run(cast.vic, "account", tenantId=cast.shoes.pk).data["tenantQueries"]["account"]["signalConfigs"]

    assert found["incoming"]["eventsCount"] == 2**31 - 1
    assert signal["connectionStatus"]["totalEventsReceived"] == 5_000_000_000.0


def test_an_account_shows_totals_and_websites(cast: Cast) -> None:
    pixel = PixelFactory.create(tenant=cast.shoes)
    count(pixel, ago(minutes=1), n=4, website="shop.example.com")
    count(pixel, ago(minutes=1), "published", 3)
    count(pixel, ago(minutes=90), n=100)

    (signal,) = run(cast.vic, "account", tenantId=cast.shoes.pk).data["tenantQueries"]["account"]["signalConfigs"]

    assert signal["domains"] == ["shop.example.com"]
    assert signal["connectionStatus"]["totalEventsReceived"] == 4.0
    assert signal["connectionStatus"]["totalEventsPublished"] == 3.0

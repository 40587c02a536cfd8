"""Figures of browsers and of servers, each alone and both together."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import time_machine

from events.figures.accounts import of_pixels
from events.figures.metrics import activities, event_metrics, totals
from events.figures.roads import Counts
from events.figures.series import Chart, series
from events.figures.waiting import read_waiting
from events.models import Counter, Road
from pixels.models import Pixel
from pixels.traffic import Totals
from tests.base import Cast
from tests.events.counted import NOW, ago, count
from tests.factories import OutboxRowFactory, PixelFactory
from tests.operations import run

pytestmark = pytest.mark.django_db

SERVER, BROWSER = Road
SHOP = "shop.example.com"


@pytest.fixture(autouse=True)
def _clock() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def pixel(cast: Cast) -> Pixel:
    return PixelFactory.create(tenant=cast.shoes)


@pytest.fixture
def traffic(pixel: Pixel) -> None:
    """Ten events: four of a server, of which Meta has three, and six of browsers, of which it has two."""
    for road, fates in {
        SERVER: {"received": 4, "published": 3, "failed": 1},
        BROWSER: {
            "received": 6,
            "published": 2,
            "expired": 1,
            "dropped_by_event_filter": 1,
            "dropped_receiving_off": 2,
        },
    }.items():
        for column, n in fates.items():
            count(pixel, ago(minutes=1), column, n, website=SHOP, road=road)


@pytest.mark.usefixtures("traffic")
def test_a_chart_tells_each_road_and_both(pixel: Pixel) -> None:
    point = series(of_pixels([pixel.pk]), Chart.HOUR).points[-2]

    assert point.server == point.on(SERVER) == Counts(received=4, published=3, failed=1)
    assert point.browser == point.on(BROWSER) == Counts(received=6, published=2, expired=1, dropped=3)
    assert point.together == Counts(received=10, published=5, failed=1, expired=1, dropped=3)


@pytest.mark.parametrize(("road", "other"), [(SERVER, BROWSER), (BROWSER, SERVER)])
def test_one_road_alone_leaves_nothing_for_the_other(pixel: Pixel, road: Road, other: Road) -> None:
    count(pixel, ago(minutes=1), n=7, road=road)

    for counted in (series(of_pixels([pixel.pk]), Chart.DAY).points[-1], event_metrics([pixel.pk], 60).counts):
        assert counted.on(road) == counted.together == Counts(received=7)
        assert counted.on(other) == Counts()


@pytest.mark.usefixtures("traffic")
@pytest.mark.parametrize("dimension", [Counter.Dimension.EVENT_NAME, Counter.Dimension.WEBSITE])
def test_names_and_websites_tell_their_roads(pixel: Pixel, dimension: Counter.Dimension) -> None:
    (activity,) = activities(of_pixels([pixel.pk]), 60, dimension)

    assert activity.server == Counts(received=4, published=3, failed=1)
    assert activity.browser == Counts(received=6, published=2)


@pytest.mark.usefixtures("traffic")
def test_totals_of_pixels_tell_what_came_from_browsers(pixel: Pixel) -> None:
    found = totals([pixel.pk], 60)

    assert found == {pixel.pk: Totals(received=10, published=5, failed=1, browser_received=6, browser_published=2)}


def test_what_waits_is_told_by_road(pixel: Pixel) -> None:
    OutboxRowFactory.create(pixel=pixel, event_count=5)
    OutboxRowFactory.create_batch(2, pixel=pixel, event_count=1, road=BROWSER)

    waiting = read_waiting([pixel.pk])

    assert (waiting.events, waiting.browser, waiting.server) == (7, 2, 5)


# --- Through GraphQL --------------------------------------------------------------------------------------------------


def metrics_of(cast: Cast, **variables: Any) -> dict[str, Any]:
    answer = run(cast.vic, "eventMetrics", tenantId=cast.shoes.pk, **variables)
    assert answer.errors == []
    return dict(answer.data["tenantQueries"]["eventMetrics"])


def by_road(road: str, received: int, published: int, rate: float) -> dict[str, Any]:
    return {"road": road, "receivedCount": received, "publishedCount": published, "publishSuccessRate": rate}


BY_SERVERS, BY_BROWSERS = by_road("SERVER", 4, 3, 0.75), by_road("BROWSER", 6, 2, 1.0)


@pytest.mark.usefixtures("traffic")
def test_the_api_tells_each_road_beside_what_the_reference_adds_up(cast: Cast) -> None:
    found = metrics_of(cast)

    assert (found["incoming"]["eventsCount"], found["outgoing"]["eventsCount"]) == (10, 5)
    for told in (found, found["activity"][0], found["domainActivity"][0]):
        assert told["byRoad"] == [BY_SERVERS, BY_BROWSERS]


@pytest.mark.usefixtures("traffic")
@pytest.mark.parametrize(("road", "told"), [("SERVER", BY_SERVERS), ("BROWSER", BY_BROWSERS)])
def test_the_api_tells_the_road_that_is_asked_for(cast: Cast, road: str, told: dict[str, Any]) -> None:
    assert metrics_of(cast, road=road)["byRoad"] == [told]


@pytest.mark.usefixtures("traffic")
def test_a_connections_totals_are_those_of_both_roads(cast: Cast) -> None:
    (signal,) = run(cast.vic, "account", tenantId=cast.shoes.pk).data["tenantQueries"]["account"]["signalConfigs"]

    assert signal["connectionStatus"]["totalEventsReceived"] == 10.0
    assert signal["connectionStatus"]["totalEventsPublished"] == 5.0


@pytest.mark.usefixtures("traffic")
def test_a_road_that_is_none_is_refused(cast: Cast) -> None:
    answer = run(cast.vic, "eventMetrics", tenantId=cast.shoes.pk, road="POST")

    assert answer.status == 400
    assert "Value 'POST' does not exist in 'Road' enum" in answer.errors[0]["message"]

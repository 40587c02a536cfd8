"""A pipeline's page lists what keeps events from passing, each with what to do about it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from events.figures.books import SOURCES
from events.figures.counting import Tally
from events.models import DestinationLane, DestinationLetter
from pipelines.ids import PIPELINE, id_of, id_of_pixel
from pipelines.models import Destination, DestinationType, Pipeline, Source
from pixels.models import Pixel
from tests.base import Cast
from tests.factories import PipelineDestinationFactory, PipelineFactory, PipelineSourceFactory, PixelFactory
from tests.pages import get, see


@pytest.fixture
def shop(cast: Cast) -> Pipeline:
    """A pipeline that events pass through."""
    shop = PipelineFactory.create(tenant=cast.shoes, name="Shop")
    PipelineSourceFactory.create(pipeline=shop, source__name="Website")
    PipelineDestinationFactory.create(
        pipeline=shop, destination__name="Books", destination__settings={"endpoint": "https://example.com/"}
    )
    tally = Tally(SOURCES)
    tally.add(timezone.now(), "Purchase", "", "received", 1)
    tally.write(Source.objects.get().pk)
    return shop


def causes(cast: Cast, pipeline_id: str) -> list[str]:
    page = get(cast.vic, "pipelines:detail", cast.shoes, pipeline_id).content.decode()
    return re.findall('data-cause="([a-z-]+)"', page)


def refuse() -> None:
    now = timezone.now()
    DestinationLetter.objects.create(
        destination=Destination.objects.get(), event_name="Purchase", event_id="1", event=b"{}", code="422",
        message="no", received_at=now, failed_at=now,
    )  # fmt: skip


def lane(**values: Any) -> Callable[[], object]:
    return lambda: DestinationLane.objects.create(destination=Destination.objects.get(), **values)


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (lambda: None, []),
        (lambda: Pipeline.objects.update(active=False), ["pipeline-off"]),
        (lambda: Source.objects.all().delete(), ["no-source"]),
        (lambda: Destination.objects.all().delete(), ["no-destination"]),
        (lambda: Source.objects.update(active=False), ["source-off"]),
        (lambda: Source.objects.update(enabled=False), ["script-off"]),
        (lambda: Destination.objects.update(active=False), ["destination-off"]),
        (lambda: Destination.objects.update(settings={}), ["not-configured"]),
        (lambda: Destination.objects.update(type=DestinationType.AUDIENCE_STORAGE), ["keeps-nothing"]),
        (lane(held=True, message="Who are you?"), ["held"]),
        (lane(failures=3, silence="ReadTimeout"), ["waits"]),
        (refuse, ["refused"]),
    ],
)
def test_each_cause_is_found(cast: Cast, shop: Pipeline, change: Callable[[], object], found: list[str]) -> None:
    change()
    assert causes(cast, id_of(PIPELINE, shop.uuid)) == found


def test_what_the_destination_said_stands_beside_the_remedy(cast: Cast, shop: Pipeline) -> None:
    lane(held=True, message="Who are you?")()
    refuse()

    page = see(cast.max, "pipelines:detail", cast.shoes, id_of(PIPELINE, shop.uuid))

    assert (
        "Books does not let the gateway in Its events wait until its configuration is changed; "
        "after 7 days they expire. It said: Who are you? Test"
    ) in page
    assert "Books has refused 1 event What was refused is set aside" in page
    assert "It can be sent again. See the refused events" in page


def test_where_nothing_stands_in_the_way_the_page_says_so(cast: Cast, shop: Pipeline) -> None:
    page = see(cast.vic, "pipelines:detail", cast.shoes, id_of(PIPELINE, shop.uuid))
    assert "Nothing is known to keep events from passing." in page


def test_a_source_that_has_sent_nothing_for_a_day_is_named(cast: Cast) -> None:
    place = PipelineSourceFactory.create(pipeline__tenant=cast.shoes)
    PipelineDestinationFactory.create(
        pipeline=place.pipeline, destination__settings={"endpoint": "https://example.com/"}
    )
    assert causes(cast, id_of(PIPELINE, place.pipeline.uuid)) == ["silent"]


@pytest.mark.parametrize(
    ("pixel", "found"),
    [
        ({"bad_token": True}, ["pixel-fails", "silent"]),
        ({"publishing_enabled": False}, ["pipeline-off", "silent"]),
        ({"event_bridge_active": False}, ["source-off"]),
    ],
)
def test_a_pixels_pipeline_leads_to_the_pixel(cast: Cast, pixel: dict[str, bool], found: list[str]) -> None:
    made: Pixel = PixelFactory.create(tenant=cast.shoes, **pixel)
    assert causes(cast, id_of_pixel(PIPELINE, made.pixel_id)) == (found)

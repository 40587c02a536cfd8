"""The pages of pipelines: the list, one of them, its filters, and what is made and done there."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from events.figures.books import DESTINATIONS, SOURCES, Book
from events.figures.counting import Tally
from events.models import SeenLabel, SourceLabel
from events.views.pipelines import PAGE_SIZE
from filters.models import EventFilter, FilterState
from pipelines.ids import DESTINATION, PIPELINE, id_of, id_of_pixel
from pipelines.models import Destination, DestinationType, Pipeline, PipelineDestination, Source
from pixels.models import Pixel
from tests.base import Cast, login, snapshot
from tests.events.counted import count
from tests.factories import (
    EventFilterFactory,
    PipelineDestinationFactory,
    PipelineFactory,
    PipelineSourceFactory,
    PixelFactory,
    PixelPipelineFactory,
)
from tests.pages import address, get, post, see, text_of


@pytest.fixture
def pixel(cast: Cast) -> Pixel:
    return PixelFactory.create(tenant=cast.shoes, name="Web shop", pixel_id="555001")


@pytest.fixture
def shop(cast: Cast) -> Pipeline:
    """A pipeline from a website to an address of the account's."""
    shop = PipelineFactory.create(tenant=cast.shoes, name="Shop")
    PipelineSourceFactory.create(pipeline=shop, source__name="Website", source__source_id="4711")
    configured = {
        "endpoint": "https://example.com/events",
        "httpMethod": "POST",
        "authType": "NONE",
        "payloadSchema": "{{ event_name }}",
    }
    PipelineDestinationFactory.create(pipeline=shop, destination__name="Books", destination__settings=configured)
    return shop


def named(row: Pipeline) -> str:
    return id_of(PIPELINE, row.uuid)


def goal_of(row: Pipeline) -> str:
    return id_of(DESTINATION, Destination.objects.get(pipeline_links__pipeline=row).uuid)


def note(book: Book, owner: int, fate: str, n: int) -> None:
    tally = Tally(book)
    tally.add(timezone.now(), "Purchase", "", fate, n)
    tally.write(owner)


# --- The list ---------------------------------------------------------------------------------------------------------


def test_the_list_pictures_pipelines_of_both_kinds_from_source_to_destination(
    cast: Cast, pixel: Pixel, shop: Pipeline
) -> None:
    Pipeline.objects.update(blocked_event_types=["Lead"])
    count(pixel, timezone.now(), "received", 1_234)
    count(pixel, timezone.now() - timedelta(hours=30), "received", 7)
    count(pixel, timezone.now(), "published", 1)
    note(SOURCES, Source.objects.get().pk, "received", 5)
    note(DESTINATIONS, Destination.objects.get().pk, "published", 3)

    page = see(cast.vic, "pipelines:list", cast.shoes)

    assert (
        "Conversions API Gateway(555001) Conversions API Gateway pipeline Active "
        "Data sources Web shop Meta Pixel 1,234 events received Filter All events pass "
        "Destinations Meta Dataset (555001) Meta Conversions API 1 event sent"
    ) in page
    assert (
        "Shop Signals Gateway pipeline Active Data sources Website Signals Gateway Pixel "
        "5 events received Filter 1 event is blocked: Lead Destinations Books Customized connector 3 events sent"
    ) in page


def test_many_pipelines_are_shown_page_by_page(cast: Cast, shop: Pipeline) -> None:
    PixelFactory.create_batch(PAGE_SIZE, tenant=cast.shoes)

    first = get(cast.vic, "pipelines:list", cast.shoes).content.decode()
    second = get(cast.vic, "pipelines:list", cast.shoes, page=2).content.decode()

    assert (first.count('class="pipeline"'), second.count('class="pipeline"')) == (PAGE_SIZE, 1)
    assert "Shop" in second


def test_an_account_without_a_pipeline_is_told_what_one_is(cast: Cast) -> None:
    assert "There is no pipeline yet" in see(cast.vic, "pipelines:list", cast.shoes)


@pytest.mark.parametrize(
    ("change", "state"),
    [
        (lambda: Pipeline.objects.update(active=False), "disabled"),
        (lambda: Source.objects.all().delete(), "no-source"),
        (lambda: Destination.objects.all().delete(), "no-destination"),
        (lambda: Source.objects.update(active=False), "nothing-passes"),
        (lambda: Destination.objects.update(active=False), "nothing-passes"),
        (lambda: Destination.objects.update(settings={}), "nothing-passes"),
        (lambda: Destination.objects.update(type=DestinationType.AUDIENCE_STORAGE), "nothing-passes"),
        (lambda: None, "active"),
    ],
)
def test_a_pipelines_state_is_what_keeps_events_from_passing(
    cast: Cast, shop: Pipeline, change: Any, state: str
) -> None:
    change()
    page = get(cast.vic, "pipelines:detail", cast.shoes, named(shop)).content.decode()
    assert f'data-state="{state}"' in page


def test_the_pipeline_of_a_pixel_that_does_not_publish_is_disabled(cast: Cast, pixel: Pixel) -> None:
    Pixel.objects.update(publishing_enabled=False)
    assert "Disabled" in see(cast.vic, "pipelines:list", cast.shoes)


# --- Making -----------------------------------------------------------------------------------------------------------


def test_a_pipeline_is_made_with_a_source_and_a_destination(cast: Cast) -> None:
    made = post(cast.max, "pipelines:create", cast.shoes, name="Shop")
    pipeline = Pipeline.objects.get(name="Shop", tenant=cast.shoes)
    assert made.headers["Location"] == address("pipelines:detail", cast.shoes, named(pipeline))

    given = {"name": "Website", "data_source_type": "ADVERTISER_HOSTED_PIXEL", "data_source_id": "4711"}
    post(cast.max, "pipelines:add_source", cast.shoes, named(pipeline), **given)
    post(cast.max, "pipelines:add_destination", cast.shoes, named(pipeline), name="Books", type="CUSTOM_HTTP_API")

    assert Source.objects.get(pipeline_links__pipeline=pipeline).source_id == "4711"
    assert Destination.objects.get(pipeline_links__pipeline=pipeline).name == "Books"
    assert "Not configured" in see(cast.vic, "pipelines:detail", cast.shoes, named(pipeline))


def test_the_wizards_other_kind_leads_to_the_page_that_connects_a_pixel(cast: Cast) -> None:
    page = get(cast.max, "pipelines:create", cast.shoes, kind="pixel").content.decode()
    assert address("pixels:connect", cast.shoes) in page


@pytest.mark.parametrize(
    ("page", "given", "words"),
    [
        ("pipelines:create", {"name": "x" * 101}, "Must have at most 100 characters."),
        ("pipelines:create", {"name": ""}, "This field is required."),
        ("pipelines:add_source", {"data_source_id": "x1"}, "Must be 1 to 20 digits."),
        ("pipelines:add_source", {"data_source_type": "META_PIXEL"}, "not one of the available choices"),
        ("pipelines:add_source", {"data_source_id": "555001"}, "Is a Meta Pixel's"),
        ("pipelines:add_destination", {"type": "CUSTOM_HTTP_API"}, "has a destination of this type already"),
        ("pipelines:add_destination", {"name": "a\x1bb"}, "ontrol characters"),
    ],
)
def test_what_a_service_refuses_is_told_in_the_form(
    cast: Cast, pixel: Pixel, shop: Pipeline, page: str, given: dict[str, str], words: str
) -> None:
    usual = {"name": "Books", "data_source_type": "ADVERTISER_HOSTED_PIXEL", "type": "META_CONVERSIONS_API"}
    at = [] if page == "pipelines:create" else [named(shop)]
    manager = login(cast.max)
    before = snapshot()

    answer = post(manager, page, cast.shoes, *at, **usual | given)

    assert answer.status_code == 400
    assert words in text_of(answer)
    assert snapshot() == before


def test_a_pixels_pipeline_takes_no_further_source(cast: Cast, pixel: Pixel) -> None:
    pipeline = id_of_pixel(PIPELINE, pixel.pixel_id)
    given = {"name": "Website", "data_source_type": "ADVERTISER_HOSTED_PIXEL"}
    answer = post(cast.max, "pipelines:add_source", cast.shoes, pipeline, **given)
    assert "A Meta Pixel's pipeline has that pixel" in text_of(answer)


# --- Renaming, switching, deleting ------------------------------------------------------------------------------------


def test_a_pipeline_is_renamed_disabled_and_enabled(cast: Cast, shop: Pipeline) -> None:
    post(cast.max, "pipelines:rename", cast.shoes, named(shop), name="Store")
    post(cast.max, "pipelines:switch", cast.shoes, named(shop), active="no")
    assert list(Pipeline.objects.values_list("name", "active")) == [("Store", False)]

    post(cast.max, "pipelines:switch", cast.shoes, named(shop), active="yes")
    assert Pipeline.objects.get().active


def test_a_pixels_pipeline_is_switched_by_the_pixels_publishing(cast: Cast, pixel: Pixel) -> None:
    post(cast.max, "pipelines:switch", cast.shoes, id_of_pixel(PIPELINE, pixel.pixel_id), active="no")
    assert not Pixel.objects.get().publishing_enabled


@pytest.mark.parametrize(("typed", "is_there"), [("Shop", False), (" Shop ", False), ("shop", True), ("", True)])
def test_a_pipeline_is_deleted_once_its_name_is_typed(cast: Cast, shop: Pipeline, typed: str, is_there: bool) -> None:
    post(cast.max, "pipelines:delete", cast.shoes, named(shop), typed=typed)
    assert Pipeline.objects.exists() is is_there
    assert Source.objects.exists()


@pytest.mark.parametrize(("what", "model"), [("source", Source), ("destination", Destination)])
def test_a_source_and_a_destination_are_renamed_switched_and_deleted(
    cast: Cast, shop: Pipeline, what: str, model: Any
) -> None:
    which = {"source": "4711", "destination": goal_of(shop)}[what]

    post(cast.max, f"pipelines:rename_{what}", cast.shoes, which, name="Outlet")
    post(cast.max, f"pipelines:switch_{what}", cast.shoes, which, active="no")
    assert "Outlet" in see(cast.vic, f"pipelines:{what}", cast.shoes, which)
    assert list(model.objects.values_list("name", "active")) == [("Outlet", False)]

    post(cast.max, f"pipelines:delete_{what}", cast.shoes, which, typed="Website")
    assert model.objects.exists()
    post(cast.max, f"pipelines:delete_{what}", cast.shoes, which, typed="Outlet")
    assert not model.objects.exists()


def test_a_switch_that_says_neither_yes_nor_no_changes_nothing(cast: Cast, shop: Pipeline) -> None:
    manager = login(cast.max)
    before = snapshot()
    post(manager, "pipelines:switch", cast.shoes, named(shop), active="perhaps")
    assert snapshot() == before


# --- Filters ----------------------------------------------------------------------------------------------------------


def test_names_that_the_pipelines_sources_have_seen_are_there_to_tick_beside_the_usual_ones(
    cast: Cast, pixel: Pixel, shop: Pipeline
) -> None:
    today = timezone.now().date()
    SeenLabel.objects.create(pixel=pixel, dimension=1, label="Quiz", last_seen=today)
    SourceLabel.objects.create(source=Source.objects.get(), dimension=1, label="Survey", last_seen=today)

    of_shop = get(cast.max, "pipelines:filter", cast.shoes, named(shop)).content.decode()
    of_pixel = get(cast.max, "pipelines:filter", cast.shoes, id_of_pixel(PIPELINE, "555001")).content.decode()

    for page, seen, other in ((of_shop, "Survey", "Quiz"), (of_pixel, "Quiz", "Survey")):
        assert f'value="{seen}"' in page
        assert f'value="{other}"' not in page
        assert 'value="StartTrial"' in page


def test_a_filter_blocks_what_is_ticked_and_what_is_written(cast: Cast, shop: Pipeline) -> None:
    given = {"is_on": "on", "names": ["Lead", "Search"], "blocked_event_types": "Quiz, part 1\n\n  Survey \nLead"}

    post(cast.max, "pipelines:filter", cast.shoes, named(shop), **given)

    pipeline = Pipeline.objects.get()
    assert (pipeline.filter_status, pipeline.blocked_event_types) == (
        True,
        ["Lead", "Search", "Quiz, part 1", "Survey"],
    )
    assert "4 events are blocked: Lead, Search, Quiz, part 1, Survey" in see(
        cast.vic, "pipelines:detail", cast.shoes, named(shop)
    )


def test_a_filter_that_is_switched_off_keeps_its_list_and_says_so(cast: Cast, shop: Pipeline) -> None:
    post(cast.max, "pipelines:filter", cast.shoes, named(shop), names=["Lead"])

    assert Pipeline.objects.get().blocked_event_types == ["Lead"]
    assert "Switched off; its list of 1 event is kept" in see(cast.vic, "pipelines:detail", cast.shoes, named(shop))


def test_a_destination_has_a_filter_of_its_own(cast: Cast, shop: Pipeline) -> None:
    at = (named(shop), goal_of(shop))
    post(cast.max, "pipelines:destination_filter", cast.shoes, *at, is_on="on", names=["Lead"])

    assert PipelineDestination.objects.get().blocked_event_types == ["Lead"]
    assert Pipeline.objects.get().blocked_event_types == []
    assert "Before Books 1 event is blocked: Lead" in see(cast.vic, "pipelines:detail", cast.shoes, named(shop))
    ticked = get(cast.max, "pipelines:destination_filter", cast.shoes, *at).content.decode()
    assert ticked.count("checked") == 2  # the switch, and the name


def test_a_pixels_filter_is_that_of_the_page_events(cast: Cast, pixel: Pixel) -> None:
    EventFilterFactory.create(pixel=pixel, event_name="Purchase", state=FilterState.DROP)
    pipeline = id_of_pixel(PIPELINE, pixel.pixel_id)
    page = get(cast.max, "pipelines:filter", cast.shoes, pipeline).content.decode()
    assert page.count("checked") == 2

    post(cast.max, "pipelines:filter", cast.shoes, pipeline, is_on="on", names=["Lead"])

    assert list(EventFilter.objects.filter(pixel=pixel).values_list("event_name", "state")) == [("Lead", "DROP")]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"blocked_event_types": "x" * 51}, "Must hold names of 1 to 50 characters"),
        ({"blocked_event_types": "\n".join(map(str, range(501)))}, "Must name at most 500 events."),
        ({"names": ["Nobody's"]}, "Nobody's is not one of the available choices."),
    ],
)
def test_bad_names_change_nothing(cast: Cast, shop: Pipeline, given: dict[str, Any], words: str) -> None:
    manager = login(cast.max)
    before = snapshot()
    answer = post(manager, "pipelines:filter", cast.shoes, named(shop), is_on="on", **given)
    assert answer.status_code == 400
    assert words in text_of(answer)
    assert snapshot() == before


# --- Borders ----------------------------------------------------------------------------------------------------------


def test_what_is_anothers_or_of_another_pipeline_is_not_there(cast: Cast, shop: Pipeline, pixel: Pixel) -> None:
    theirs = PipelineDestinationFactory.create(pipeline__tenant=cast.books)
    PixelPipelineFactory.create(pixel__tenant=cast.books, pixel__pixel_id="999001")
    client = login(cast.max)
    for page, at in [
        ("pipelines:detail", [named(theirs.pipeline)]),
        ("pipelines:detail", [id_of_pixel(PIPELINE, "999001")]),
        ("pipelines:detail", ["nobody's"]),
        ("pipelines:destination_filter", [named(shop), id_of(DESTINATION, theirs.destination.uuid)]),
        ("pipelines:destination_filter", [named(shop), id_of_pixel(DESTINATION, pixel.pixel_id)]),
        ("pipelines:destination", [id_of(DESTINATION, theirs.destination.uuid)]),
        ("pipelines:source", ["999001"]),
    ]:
        assert client.get(address(page, cast.shoes, *at)).status_code == 404, (page, at)


def test_a_pixels_source_and_destination_lead_to_the_pixels_page(cast: Cast, pixel: Pixel) -> None:
    for page, which in (("source", "555001"), ("destination", id_of_pixel(DESTINATION, "555001"))):
        answer = login(cast.vic).get(address(f"pipelines:{page}", cast.shoes, which))
        assert answer.headers["Location"] == address("pixels:detail", cast.shoes, "555001")

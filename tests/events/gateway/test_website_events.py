"""The page "Test event" shows a website's events as they come, and what became of each at every destination."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from events.delivery.destinations.answers import Accepted, Refused, Wait
from events.delivery.log import reading
from events.gateway.arrivals import MAX_EVENTS
from events.gateway.delivering import deliver
from events.gateway.taking_in import take_in
from events.models import Intake, Road
from filters.models import FilterState
from pipelines.models import Source, SourceType
from tests.base import Cast, login
from tests.events.gateway.conftest import Receivers, answering
from tests.events.gateway.stage import pipeline, purchase, put, run, source_of
from tests.factories import DomainFilterFactory
from tests.pages import address, get, see
from tests.test_page_queries import BUDGET

pytestmark = pytest.mark.django_db

NAME = "pipelines:website_events"
SHOP = "https://shop.example.com/"


@pytest.fixture
def source(cast: Cast) -> Source:
    return source_of(cast.shoes)


def at(website: str, **values: Any) -> dict[str, Any]:
    return purchase(event_source_url=website, **values)


def told(cast: Cast, source: Source, website: str = SHOP) -> list[tuple[str, str, list[tuple[str, str]]]]:
    """Of each event its name, its road, and what became of it where."""
    arrivals = get(cast.vic, NAME, cast.shoes, source.source_id, website=website).context["arrivals"]
    return [
        (
            event.first.event_name,
            event.first.road.name,
            [(fate.destination, fate.entry.outcome) for fate in event.fates],
        )
        for event in arrivals.events
    ]


def test_an_event_is_one_line_with_its_fate_at_each_destination(
    cast: Cast, source: Source, receivers: Receivers
) -> None:
    _, (first, second) = pipeline(source, destinations=2)
    put(source, at(SHOP, event_name="Lead"), road=Road.BROWSER)
    take_in(source.pk)
    deliver(first.pk)

    fates = sorted([(first.name, "PUBLISHED"), (second.name, "WAITING")])
    assert told(cast, source) == [("Lead", "BROWSER", fates)]


def test_what_nobody_has_taken_in_yet_is_there_at_once(cast: Cast, source: Source) -> None:
    pipeline(source)
    put(source, at(SHOP))

    assert "Waiting" in see(cast.vic, NAME, cast.shoes, source.source_id, website=SHOP)


def test_other_websites_events_are_left_out_and_subdomains_are_shown(cast: Cast, source: Source) -> None:
    pipeline(source)
    put(source, at("https://www.shop.example.com/", event_name="Lead"))
    put(source, at("https://other-shop.example.com/", event_name="Search"))
    put(source_of(cast.shoes), at(SHOP, event_name="Contact"))

    assert [name for name, *_ in told(cast, source, "shop.example.com")] == ["Lead"]


def test_a_refusal_is_told_in_the_destinations_words(cast: Cast, source: Source, receivers: Receivers) -> None:
    _, (destination,) = pipeline(source)
    receivers[destination.settings["name"]] = answering(lambda events: Refused("422", "The field value is missing"))
    put(source, at(SHOP))
    run(source)

    shown = see(cast.vic, NAME, cast.shoes, source.source_id, website=SHOP)
    assert "Failed" in shown
    assert "The field value is missing" in shown


def test_an_id_that_comes_by_both_roads_is_two_events(cast: Cast, source: Source, receivers: Receivers) -> None:
    pipeline(source)
    put(source, at(SHOP, event_id="order-1"), road=Road.BROWSER)
    put(source, at(SHOP, event_id="order-1"))
    run(source)

    assert sorted(road for _, road, _ in told(cast, source)) == ["BROWSER", "SERVER"]


@pytest.mark.parametrize("website", ["no website", "ftp://shop.example.com/", "shop", "a" * 3_000, "x\0.example.com"])
def test_what_is_no_website_is_refused_in_words(cast: Cast, source: Source, website: str) -> None:
    answer = login(cast.vic).get(address(NAME, cast.shoes, source.source_id, website=website))

    assert answer.status_code == 400
    assert answer.context["form"].errors["website"]
    assert "arrivals" not in answer.context


def test_nothing_comes_since_the_source_leads_nowhere(cast: Cast, source: Source) -> None:
    put(source, at(SHOP))
    take_in(source.pk)

    shown = see(cast.vic, NAME, cast.shoes, source.source_id, website=SHOP)
    assert "No pipeline leads from this source to a destination" in shown
    assert "1 event was counted" in shown


def test_nothing_comes_since_source_and_script_are_switched_off(cast: Cast) -> None:
    source = source_of(cast.shoes, active=False, enabled=False)
    pipeline(source)
    put(source, at(SHOP), intake=Intake.RECEIVING_OFF)
    take_in(source.pk)

    shown = see(cast.vic, NAME, cast.shoes, source.source_id, website=SHOP)
    assert "The data source is disabled" in shown
    assert "The script is switched off" in shown


def test_nothing_comes_since_a_filter_drops_it(cast: Cast, source: Source) -> None:
    DomainFilterFactory.create(tenant=cast.shoes, domain="example.com", pixel=None, state=FilterState.DROP)

    shown = see(cast.vic, NAME, cast.shoes, source.source_id, website=SHOP)
    assert "website filter for example.com is set to drop" in shown


def test_nothing_comes_since_it_comes_from_elsewhere(cast: Cast, source: Source, receivers: Receivers) -> None:
    pipeline(source)
    put(source, at("https://store.example.net/"))
    run(source)

    assert "store.example.net" in see(cast.vic, NAME, cast.shoes, source.source_id, website=SHOP)


def test_the_newest_events_are_shown_and_more_are_told_of(cast: Cast, source: Source) -> None:
    pipeline(source)
    put(source, *[at(SHOP, event_id=f"order-{n}") for n in range(MAX_EVENTS + 5)])

    answer = get(cast.vic, NAME, cast.shoes, source.source_id, website=SHOP)
    assert len(answer.context["arrivals"].events) == MAX_EVENTS
    assert "There are more" in answer.content.decode()


def test_a_source_of_files_has_no_such_page(cast: Cast) -> None:
    source = source_of(cast.shoes, type=SourceType.FILE_UPLOAD)

    assert login(cast.vic).get(address(NAME, cast.shoes, source.source_id)).status_code == 302


def queries(cast: Cast, source: Source, website: str = SHOP, **headers: str) -> list[str]:
    client = login(cast.vic)
    with CaptureQueriesContext(connection) as captured:
        answer = client.get(address(NAME, cast.shoes, source.source_id, website=website), headers=headers)
    assert answer.status_code == 200
    return [query["sql"][:300] for query in captured.captured_queries]


def test_the_page_keeps_to_its_budget(cast: Cast, source: Source, receivers: Receivers) -> None:
    """Something is sent, something is behind the cursors, and something is new."""
    pipeline(source, destinations=3)
    put(source, at(SHOP))
    run(source)
    put(source, at(SHOP))
    take_in(source.pk)
    put(source, at(SHOP))

    assert len(told(cast, source)) == 3
    assert len(queries(cast, source)) <= BUDGET


@pytest.mark.parametrize("headers", [{}, {"HX-Request": "true"}])
@pytest.mark.parametrize(("website", "shown"), [(SHOP, 4), ("https://other.example.net/", 0)])
def test_it_does_so_whatever_waits(
    cast: Cast, source: Source, receivers: Receivers, headers: dict[str, str], website: str, shown: int
) -> None:
    """The rest of a batch waits apart, too; and where nothing is shown, something else is looked for."""
    _, (destination,) = pipeline(source)
    receivers[destination.settings["name"]] = answering(
        lambda batch: Accepted() if batch[0]["event_id"] == "first" else Wait("down", "503", "Come back")
    )
    put(source, *[at(SHOP, event_id=name) for name in ("first", "also", "late")])
    run(source)
    put(source, at(SHOP))

    assert len(told(cast, source, website)) == shown
    assert len(queries(cast, source, website, **headers)) <= BUDGET


def test_it_does_so_however_much_was_sent(
    cast: Cast, source: Source, receivers: Receivers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of many batches a part is read, and the page says that there are more."""
    monkeypatch.setattr(reading, "READ_TOGETHER", 3)
    pipeline(source, destinations=3)
    for n in range(4):
        put(source, *[at(SHOP, event_id=f"order-{n}-{m}") for m in range(2)])
        run(source)

    answer = get(cast.vic, NAME, cast.shoes, source.source_id, website=SHOP)
    assert [event.first.event_id for event in answer.context["arrivals"].events] == ["order-3-1", "order-3-0"]
    assert "There are more" in answer.content.decode()
    assert len(queries(cast, source, SHOP)) <= BUDGET


def test_silence_keeps_to_its_budget_too(cast: Cast, source: Source) -> None:
    assert len(queries(cast, source)) <= BUDGET

"""Pages tell events of browsers from those of servers."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from events.figures.counting import Tally
from events.models import Delivery, Road
from pixels.models import Pixel
from tests.base import Cast, login
from tests.events.outbox import purchase, put
from tests.factories import DeadLetterFactory, DeliveryFactory, OutboxRowFactory, PixelFactory
from tests.pages import address, get, see, text_of

OVERVIEW, PIXEL, LOG = "account_overview", "pixels:detail", "pixels:deliveries"
SERVER, BROWSER = Road


@pytest.fixture
def pixel(cast: Cast) -> Pixel:
    return PixelFactory.create(tenant=cast.shoes, name="Web shop", pixel_id="555001")


def count(pixel: Pixel, road: Road, **fates: int) -> None:
    tally = Tally()
    for column, n in fates.items():
        tally.add(timezone.now(), "Purchase", "shop.example.com", column, n, road=road)
    tally.write(pixel.pk)


@pytest.fixture
def traffic(in_one_minute: None, pixel: Pixel) -> None:
    count(pixel, SERVER, received=1_000, published=900, failed=100)
    count(pixel, BROWSER, received=2_000, published=1_500, dropped_by_event_filter=500)


def by_road(answer: Any) -> dict[str, tuple[str, str]]:
    """The figures of browsers and of servers, as the page shows them."""
    page = answer.content.decode()
    browser, server = (
        dict(re.findall(rf'data-figure="(\w+)-{road}">([^<]*)<', page)) for road in ("browser", "server")
    )
    return {name: (browser[name], server[name]) for name in browser}


def drawn(answer: Any) -> dict[str, dict[str, Any]]:
    """The charts, by id."""
    scripts = re.findall(r'<script id="([\w-]+)" type="application/json">(.*?)</script>', answer.content.decode())
    return {name: json.loads(text) for name, text in scripts}


# --- Figures ----------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("traffic")
def test_a_pixels_page_shows_each_road_and_both(cast: Cast, pixel: Pixel) -> None:
    OutboxRowFactory.create_batch(2, pixel=pixel, event_count=1, road=BROWSER)
    OutboxRowFactory.create(pixel=pixel, event_count=5)

    answer = get(cast.vic, PIXEL, cast.shoes, pixel.pixel_id)

    assert by_road(answer) == {
        "received": ("2,000", "1,000"),
        "sent": ("1,500", "900"),
        "rate": ("100 %", "90 %"),
        "dropped": ("500", "0"),
        "failed": ("0", "100"),
        "waiting": ("2", "5"),
    }
    assert "Total received 3,000 Browser 2,000 Server 1,000" in text_of(answer)


@pytest.mark.parametrize(("road", "told"), [(BROWSER, ("7", "0")), (SERVER, ("0", "7"))])
def test_a_pixel_with_one_road_says_so(cast: Cast, pixel: Pixel, road: Road, told: tuple[str, str]) -> None:
    count(pixel, road, received=7)

    assert by_road(get(cast.vic, PIXEL, cast.shoes, pixel.pixel_id))["received"] == told


@pytest.mark.usefixtures("traffic")
def test_the_overview_shows_roads_when_they_are_asked_for(cast: Cast) -> None:
    assert by_road(get(cast.vic, OVERVIEW, cast.shoes)) == {}

    answer = get(cast.vic, OVERVIEW, cast.shoes, by="road")

    assert by_road(answer)["received"] == ("2,000", "1,000")
    assert "Web shop 555001 Some events fail 100 of 2,500 failed 3,000 Browser 2,000 2,400 Browser 1,500" in text_of(
        answer
    )
    assert "Purchase 3,000 Browser 2,000 2,400 Browser 1,500" in text_of(answer)


@pytest.mark.usefixtures("traffic")
@pytest.mark.parametrize("page", ["pixels:list", "filters:events", "filters:websites"])
def test_lists_tell_what_came_from_browsers(cast: Cast, page: str) -> None:
    assert "3,000 Browser 2,000 2,400 Browser 1,500" in see(cast.vic, page, cast.shoes)


def test_lists_are_silent_about_browsers_where_none_came(cast: Cast, pixel: Pixel) -> None:
    count(pixel, SERVER, received=3)

    assert "Browser" not in see(cast.vic, "pixels:list", cast.shoes)


# --- The chart --------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("traffic")
@pytest.mark.parametrize(("page", "arguments"), [(OVERVIEW, []), (PIXEL, ["555001"])])
def test_the_chart_shows_both_roads_together_or_each(cast: Cast, page: str, arguments: list[str]) -> None:
    def sums(**query: str) -> dict[str, dict[str, int]]:
        charts = drawn(get(cast.vic, page, cast.shoes, *arguments, **query))
        return {
            name: {line["label"]: sum(line["values"]) for line in chart["series"]} for name, chart in charts.items()
        }

    assert sums() == sums(by="anything") == {"traffic": {"Received": 3_000, "Sent": 2_400}}
    assert sums(by="road") == {
        "traffic-received": {"Browser": 2_000, "Server": 1_000},
        "traffic-sent": {"Browser": 1_500, "Server": 900},
    }


@pytest.mark.usefixtures("traffic")
def test_roads_differ_by_colour_and_line_on_one_scale(cast: Cast) -> None:
    for chart in drawn(get(cast.vic, OVERVIEW, cast.shoes, by="road")).values():
        browser, server = chart["series"]
        assert (browser["color"], server["color"]) == ("orange", "blue")
        assert browser["dash"] != server.get("dash", [])
        assert chart["most"] == 2_000


@pytest.mark.usefixtures("traffic")
def test_the_table_beside_the_chart_is_split_as_the_chart_is(cast: Cast) -> None:
    assert "Time (UTC) Received Sent" in see(cast.vic, OVERVIEW, cast.shoes)
    assert "(so far) 3,000 2,400" in see(cast.vic, OVERVIEW, cast.shoes)

    received, sent = see(cast.vic, OVERVIEW, cast.shoes, by="road").split("Show as a table")[1:]

    for title, table, counted in (("Received", received, "2,000 1,000"), ("Sent", sent, "1,500 900")):
        assert f": {title} {title} Time (UTC) Browser Server" in table
        assert f"(so far) {counted}" in table


def test_what_is_chosen_stays_chosen(cast: Cast, pixel: Pixel) -> None:
    def links(**query: str) -> dict[str, str]:
        page = get(cast.vic, OVERVIEW, cast.shoes, **query).content.decode()
        return {text: href for href, text in re.findall(r'<a class="btn btn-sm[^>]*href="([^"]*)">([^<]*)</a>', page)}

    tenant = f"?tenant={cast.shoes.pk}"
    assert links(period="7d")["Browser and server"] == f"{tenant}&amp;period=7d&amp;by=road"
    assert links(by="road")["7 days"] == f"{tenant}&amp;by=road&amp;period=7d"
    assert links(by="road")["Together"] == tenant


@pytest.mark.parametrize(("period", "left"), [("1h", False), ("24h", True), ("7d", False), ("30d", True)])
def test_circles_of_a_chart_are_explained(cast: Cast, pixel: Pixel, period: str, left: bool) -> None:
    # On the hour, and in the first one of a day, the time shown begins where a circle does.
    with time_machine.travel(timezone.now().replace(hour=10, minute=17)):
        page = see(cast.vic, OVERVIEW, cast.shoes, period=period)

    assert "Circles on the right are still being counted." in page
    assert ("Circles on the left leave out what came before the time shown." in page) is left


# --- Single events ----------------------------------------------------------------------------------------------------


@pytest.fixture
def events(pixel: Pixel) -> None:
    DeliveryFactory.create(pixel=pixel, event_name="Purchase")
    DeliveryFactory.create(pixel=pixel, event_name="PageView", road=BROWSER, outcome=Delivery.Outcome.DROPPED)
    put(pixel, purchase(event_name="Lead"))
    put(pixel, purchase(event_name="Search"), road=BROWSER)


def names(answer: Any) -> list[str]:
    return [entry.event_name for entry in answer.context["page"].rows]


@pytest.mark.usefixtures("events")
def test_the_log_says_where_each_event_came_from(cast: Cast, pixel: Pixel) -> None:
    page = see(cast.vic, LOG, cast.shoes, pixel.pixel_id)

    for words in ("Published Server Purchase", "Dropped Browser PageView", "Waiting Server Lead", "Browser Search"):
        assert words in page


@pytest.mark.usefixtures("events")
@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"road": "browser"}, ["Search", "PageView"]),
        ({"road": "server"}, ["Lead", "Purchase"]),
        ({"road": "browser", "outcome": "WAITING"}, ["Search"]),
        ({"road": "server", "event": "purch"}, ["Purchase"]),
        ({"road": "browser", "event": "purch"}, []),
        ({"road": ""}, ["Search", "Lead", "PageView", "Purchase"]),
        ({"road": "1"}, ["Search", "Lead", "PageView", "Purchase"]),
        ({"road": "nul\0"}, ["Search", "Lead", "PageView", "Purchase"]),
    ],
)
def test_the_log_is_narrowed_to_a_road(cast: Cast, pixel: Pixel, query: dict[str, str], found: list[str]) -> None:
    assert names(get(cast.vic, LOG, cast.shoes, pixel.pixel_id, **query)) == found


def test_a_road_without_events_leads_back_to_all(cast: Cast, pixel: Pixel) -> None:
    DeliveryFactory.create(pixel=pixel)

    page = see(cast.vic, LOG, cast.shoes, pixel.pixel_id, road="browser")

    assert "No event in the log is like that. Show all" in page


def test_older_events_stay_on_their_road(cast: Cast, pixel: Pixel) -> None:
    for _ in range(30):
        DeliveryFactory.create(pixel=pixel, event_name="Purchase")
        DeliveryFactory.create(pixel=pixel, event_name="PageView", road=BROWSER)
    client = login(cast.vic)
    first: Any = client.get(address(LOG, cast.shoes, pixel.pixel_id, road="browser"))

    older = re.search(r'rel="next" href="([^"]*)"', first.content.decode())
    assert older
    second: Any = client.get(
        address(LOG, cast.shoes, pixel.pixel_id).partition("?")[0] + older[1].replace("&amp;", "&")
    )

    assert names(first) + names(second) == ["PageView"] * 30


def test_refused_events_say_where_they_came_from(cast: Cast, pixel: Pixel) -> None:
    DeadLetterFactory.create(pixel=pixel, event_name="Purchase")
    DeadLetterFactory.create(pixel=pixel, event_name="Lead", road=BROWSER)

    page = see(cast.vic, "pixels:dead_letters", cast.shoes, pixel.pixel_id)

    assert "Server Purchase" in page
    assert "Browser Lead" in page


def test_staff_narrow_dead_letters_to_a_road(cast: Cast, pixel: Pixel) -> None:
    DeadLetterFactory.create(pixel=pixel, event_id="of a server")
    DeadLetterFactory.create(pixel=pixel, event_id="of a browser", road=BROWSER)

    page = login(cast.hanna).get("/admin/events/deadletter/", {"road__exact": BROWSER.value}).content.decode()

    assert "of a browser" in page
    assert "of a server" not in page

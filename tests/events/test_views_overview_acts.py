"""The overview: what can be switched there, and by whom."""

from __future__ import annotations

import re

import pytest

from accounts.models import Tenant, TenantStatus
from filters.models import EventFilter, FilterState
from pixels.models import Pixel
from tests.base import Cast, login, snapshot
from tests.events.overview import PAGE, count, figures
from tests.factories import EventFilterFactory, OutboxRowFactory, PixelFactory
from tests.pages import address, get, post, see, text_of


@pytest.fixture
def pixel(cast: Cast) -> Pixel:
    return PixelFactory.create(tenant=cast.shoes, name="Web shop", pixel_id="555001")


# --- Event activity ---------------------------------------------------------------------------------------------------


def test_each_event_name_has_its_figures_and_its_switch(cast: Cast, pixel: Pixel) -> None:
    second = PixelFactory.create(tenant=cast.shoes)
    count(pixel, name="Purchase", received=9, published=8)
    count(pixel, name="Lead", received=5)
    count(pixel, name="Search", received=3, published=3)
    EventFilterFactory.create(tenant=cast.shoes, event_name="Lead")
    EventFilterFactory.create(pixel=second, event_name="Search")

    answer = get(cast.max, PAGE, cast.shoes)

    rows = {row.activity.label: row.filter.state for row in answer.context["activities"]}
    assert rows == {"Purchase": "PUBLISH", "Lead": "DROP", "Search": "MIXED"}
    assert re.search(r"Purchase 9 8 .*? On Save Lead 5 0 .*? Off Save Search 3 3 .*? Mixed", text_of(answer))
    page = answer.content.decode()
    assert re.search(r'value="Purchase".*?name="publish"[^>]* checked>.*?value="Lead"', page, re.DOTALL)
    assert 'value="Search"' not in page


def test_names_that_are_counted_together_have_no_switch(cast: Cast, pixel: Pixel) -> None:
    count(pixel, name="", received=4)
    answer = get(cast.max, PAGE, cast.shoes)
    assert answer.context["activities"][0].filter is None
    assert "Other events 4" in text_of(answer)


def test_the_busiest_ten_are_shown_and_the_others_are_counted(cast: Cast, pixel: Pixel) -> None:
    for n in range(1, 13):
        count(pixel, name=f"Event{n}", received=n)
    answer = get(cast.vic, PAGE, cast.shoes)
    assert [row.activity.label for row in answer.context["activities"]] == [f"Event{n}" for n in range(12, 2, -1)]
    assert "2 more events" in text_of(answer)


@pytest.mark.parametrize(("publish", "state"), [("no", FilterState.DROP), ("yes", FilterState.PUBLISH)])
def test_a_switch_sets_the_filter_of_all_pixels_and_leads_back(
    cast: Cast, pixel: Pixel, publish: str, state: FilterState
) -> None:
    client = login(cast.max)
    overview = address(PAGE, cast.shoes, period="7d")
    answer = client.post(
        address("filters:set_event", cast.shoes),
        {"name": "Purchase", "publish": publish},
        headers={"Referer": f"http://testserver{overview}"},
    )
    assert answer.headers["Location"] == overview
    row = EventFilter.objects.get()
    assert (row.event_name, row.pixel_id, row.state) == ("Purchase", None, state)


# --- Enhance events ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("said", "on"), [("yes", True), ("no", False)])
def test_enhancing_is_switched_on_its_card(cast: Cast, pixel: Pixel, said: str, on: bool) -> None:
    Tenant.objects.filter(pk=cast.shoes.pk).update(event_enrichment=not on)
    answer = post(cast.max, "events:enhance", cast.shoes, on=said)
    assert answer.headers["Location"] == address(PAGE, cast.shoes)
    assert Tenant.objects.get(pk=cast.shoes.pk).event_enrichment is on


def test_to_forget_what_visitors_have_given_is_asked_about(cast: Cast, pixel: Pixel) -> None:
    assert "forgotten at once" not in card(cast)
    assert '<button class="btn btn-primary" name="on" value="yes">Turn on</button>' in card(cast)

    Tenant.objects.filter(pk=cast.shoes.pk).update(event_enrichment=True)

    asked = card(cast).partition("popover")[2]
    assert "What visitors have given in the last 90 days is forgotten at once" in asked
    assert '<input type="hidden" name="on" value="no">' in asked
    assert "data-autosubmit" not in card(cast)


def card(cast: Cast) -> str:
    """The last card of the page, in HTML, without what it says of enhancing."""
    page: str = get(cast.max, PAGE, cast.shoes).content.decode()
    return page.partition('id="enhance-heading"')[2].partition("</p>")[2].partition("</section>")[0]


# --- Borders ----------------------------------------------------------------------------------------------------------


def test_outsiders_find_no_such_account(cast: Cast, pixel: Pixel) -> None:
    assert login(cast.olaf).get(address(PAGE, cast.shoes)).status_code == 404


def test_an_account_of_its_own_is_closed_to_the_host(cast: Cast) -> None:
    assert login(cast.hanna).get(address(PAGE, cast.books)).status_code == 403


def test_whoever_may_only_look_sees_the_figures_without_a_button(cast: Cast, pixel: Pixel) -> None:
    count(pixel, received=3)
    answer = get(cast.vic, PAGE, cast.shoes)
    main = answer.content.decode().partition("<main")[2].partition("</main>")[0]
    assert figures(answer)["received"] == "3"
    assert 'method="post"' not in main
    assert "Add data source" not in text_of(answer)
    assert "Menu of" not in main


@pytest.mark.parametrize(("who", "status"), [("olaf", 404), ("vic", 403), ("vera", 403)])
def test_those_who_may_not_switch_change_nothing(cast: Cast, pixel: Pixel, who: str, status: int) -> None:
    client = login(getattr(cast, who))
    before = snapshot()
    assert post(client, "events:enhance", cast.shoes, on="yes").status_code == status
    assert post(client, "filters:set_event", cast.shoes, name="Lead", publish="no").status_code == status
    assert snapshot() == before


def test_the_people_of_a_deactivated_account_look_and_are_told(cast: Cast, pixel: Pixel) -> None:
    Tenant.objects.filter(pk=cast.shoes.pk).update(status=TenantStatus.DEACTIVATED)
    client = login(cast.ada)
    page = see(client, PAGE, cast.shoes)
    assert "This account is deactivated" in page
    assert "Add data source" not in page
    assert post(client, "events:enhance", cast.shoes, on="yes").status_code == 403


def test_a_rejected_token_is_told_above_all_with_the_way_out(cast: Cast, pixel: Pixel) -> None:
    assert "Meta rejects" not in see(cast.max, PAGE, cast.shoes)
    Pixel.objects.update(bad_token=True)
    OutboxRowFactory.create(pixel=pixel, event_count=25)
    answer = get(cast.max, PAGE, cast.shoes)
    assert "Meta rejects the access token of 1 pixel 25 events wait for a new token." in text_of(answer)
    assert address("pixels:token", cast.shoes, pixel.pixel_id) in answer.content.decode()
    assert address("pixels:token", cast.shoes, pixel.pixel_id) not in get(cast.vic, PAGE, cast.shoes).content.decode()

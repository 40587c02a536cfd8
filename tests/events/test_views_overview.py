"""The overview: do events arrive, do they reach Meta, and what can be switched."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from accounts.models import Tenant, TenantStatus, UsageSnapshot
from events.figures.books import DESTINATIONS, PIXELS, SOURCES, Book
from events.figures.counting import Tally
from events.figures.usage import refresh_usage
from events.models import DestinationRow, Intake
from filters.models import EventFilter, FilterState
from pixels.models import Pixel
from tests.base import Cast, login, snapshot
from tests.events.gateway.stage import pipeline, purchase, put, source_of
from tests.factories import EventFilterFactory, OutboxRowFactory, PixelFactory
from tests.pages import address, get, post, see, text_of

PAGE = "account_overview"


def count(pixel: Pixel, at: datetime | None = None, name: str = "Purchase", **fates: int) -> None:
    note(PIXELS, pixel.pk, at, name, **fates)


def note(book: Book, owner_pk: int, at: datetime | None = None, name: str = "Purchase", **fates: int) -> None:
    tally = Tally(book)
    for column, n in fates.items():
        tally.add(at or timezone.now(), name, "shop.example.com", column, n)
    tally.write(owner_pk)


@pytest.fixture
def pixel(cast: Cast) -> Pixel:
    return PixelFactory.create(tenant=cast.shoes, name="Web shop", pixel_id="555001")


def figures(answer: Any) -> dict[str, str]:
    page = answer.content.decode()
    return dict(re.findall(r'data-figure="(\w+)">([^<]*)<', page))


def chart(answer: Any) -> dict[str, Any]:
    found = re.search(r'<script id="traffic" type="application/json">(.*?)</script>', answer.content.decode())
    assert found
    shown: dict[str, Any] = json.loads(found[1])
    return shown


# --- What is shown ----------------------------------------------------------------------------------------------------


def test_what_was_received_and_sent_is_added_up_over_all_pixels(cast: Cast, pixel: Pixel) -> None:
    count(pixel, received=1_000, published=900, failed=100, dropped_by_event_filter=5)
    count(PixelFactory.create(tenant=cast.shoes), received=500, published=500)
    count(PixelFactory.create(tenant=cast.other), received=7, published=7)

    answer = get(cast.vic, PAGE, cast.shoes)

    assert figures(answer) == {
        "received": "1,500",
        "sent": "1,400",
        "rate": "93.3 %",
        "dropped": "5",
        "failed": "100",
        "waiting": "0",
    }


def test_an_event_of_a_gateway_source_is_received_once_and_sent_to_each_destination(cast: Cast, pixel: Pixel) -> None:
    count(pixel, received=10, published=10)
    source = source_of(cast.shoes)
    _, (meta, crm) = pipeline(source, destinations=2)
    note(SOURCES, source.pk, received=5, dropped_receiving_off=1)
    note(DESTINATIONS, meta.pk, received=4, published=4)
    note(DESTINATIONS, crm.pk, received=4, published=2, failed=1, dropped_by_event_filter=1)
    note(SOURCES, source_of(cast.other).pk, received=100)
    now = timezone.now()
    put(source, purchase(), purchase(), received_at=now - timedelta(hours=5))
    put(source, purchase(), intake=Intake.RECEIVING_OFF)
    DestinationRow.objects.create(destination=crm, source=source, received_at=now, event_count=1, body=b"[]")

    answer = get(cast.vic, PAGE, cast.shoes)

    assert figures(answer) == {
        "received": "15",
        "sent": "16",
        "rate": "94.1 %",
        "dropped": "2",
        "failed": "1",
        "waiting": "3",
    }
    assert [sum(line["values"]) for line in chart(answer)["series"]] == [15, 16]
    (purchases,) = answer.context["activities"]
    assert (purchases.activity.together.received, purchases.activity.together.published) == (15, 16)
    assert "once to each destination" in text_of(answer)
    assert "oldest: 5 hours ago" in text_of(answer).replace("\xa0", " ")


def test_an_account_with_gateway_sources_alone_has_figures(cast: Cast) -> None:
    source = source_of(cast.shoes)
    at = timezone.now() - timedelta(hours=3)
    note(SOURCES, source.pk, at=at, received=5)

    answer = get(cast.vic, PAGE, cast.shoes)

    assert figures(answer)["received"] == "5"
    assert "Connected Meta Pixels" not in text_of(answer)
    (purchases,) = answer.context["activities"]
    assert purchases.activity.updated_at == at.replace(second=0, microsecond=0)


def test_an_account_without_gateway_sources_says_nothing_of_destinations(cast: Cast, pixel: Pixel) -> None:
    assert "once to each destination" not in see(cast.vic, PAGE, cast.shoes)


def test_without_attempts_there_is_no_rate(cast: Cast, pixel: Pixel) -> None:
    assert figures(get(cast.vic, PAGE, cast.shoes))["rate"] == "–"


@pytest.mark.parametrize(
    ("period", "points", "unit", "received"),
    [
        ("1h", 61, "minute", "1"),
        ("24h", 25, "hour", "11"),
        ("7d", 169, "hour", "111"),
        ("30d", 31, "day", "1,111"),
        ("no such period", 25, "hour", "11"),
    ],
)
def test_the_figures_are_those_of_the_chosen_time(
    cast: Cast, pixel: Pixel, period: str, points: int, unit: str, received: str
) -> None:
    now = timezone.now()
    for n, ago in enumerate((timedelta(), timedelta(hours=20), timedelta(days=5), timedelta(days=20))):
        count(pixel, now - ago, received=10**n)

    answer = get(cast.vic, PAGE, cast.shoes, period=period)

    shown = chart(answer)
    assert (len(shown["labels"]), shown["unit"]) == (points, unit)
    assert f"{sum(shown['series'][0]['values']):,}" == received
    assert figures(answer)["received"] == received
    # The tables count what the chart shows.
    assert f"{answer.context['page'].object_list[0].totals.received:,}" == received
    assert f"{answer.context['activities'][0].activity.together.received:,}" == received


@pytest.mark.parametrize(
    ("sent", "failed", "shown"),
    [
        (7, 0, "100 %"),
        (0, 7, "0 %"),
        (99_999, 1, "99.9 %"),
        (1, 99_999, "0.1 %"),
        (2, 1, "66.6 %"),
        (19, 1, "95 %"),
    ],
)
def test_a_rate_is_100_or_0_percent_only_where_that_is_exactly_so(
    cast: Cast, pixel: Pixel, sent: int, failed: int, shown: str
) -> None:
    count(pixel, published=sent, failed=failed)
    assert figures(get(cast.vic, PAGE, cast.shoes))["rate"] == shown


@time_machine.travel(datetime(2026, 11, 21, 12, 30, 40, tzinfo=UTC), tick=False)
def test_the_figures_are_those_of_the_usage_of_24_hours(cast: Cast, pixel: Pixel) -> None:
    now = timezone.now()
    for minutes in (0, 59, 1_440, 1_441):
        count(pixel, now - timedelta(minutes=minutes), received=1)
    refresh_usage()

    answer = get(cast.vic, PAGE, cast.shoes)

    assert figures(answer)["received"] == "3"
    assert UsageSnapshot.objects.get(tenant=cast.shoes).total_events_received == 3
    assert "as of 12:30 UTC" in text_of(answer)


@time_machine.travel(datetime(2026, 11, 21, 12, 30, 40, tzinfo=UTC), tick=False)
def test_what_is_not_a_whole_hour_is_marked_in_the_chart_and_its_table(cast: Cast, pixel: Pixel) -> None:
    answer = get(cast.vic, PAGE, cast.shoes)
    remarks = chart(answer)["remarks"]
    assert (remarks[0], set(remarks[1:-1]), remarks[-1]) == ("in part", {""}, "so far")
    text = text_of(answer)
    assert "Sat 21 Nov, 12:00 (so far)" in text
    assert "Fri 20 Nov, 12:30 (in part)" in text


def test_what_waits_is_told_with_its_age(cast: Cast, pixel: Pixel) -> None:
    now = timezone.now()
    other = PixelFactory.create(tenant=cast.shoes)
    for ago, events, where in ((timedelta(minutes=1), 1_000, pixel), (timedelta(hours=3), 500, other)):
        OutboxRowFactory.create(pixel=where, event_count=events, received_at=now - ago)
    OutboxRowFactory.create(pixel__tenant=cast.other, received_at=now - timedelta(days=3))

    answer = get(cast.vic, PAGE, cast.shoes)

    assert figures(answer)["waiting"] == "1,500"
    assert "Waiting now 1,500 oldest: 3 hours ago" in text_of(answer).replace("\xa0", " ")


def test_of_very_much_that_waits_enough_is_counted(cast: Cast, pixel: Pixel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("events.figures.waiting.COUNTED", 2)
    OutboxRowFactory.create_batch(4, pixel=pixel, event_count=10)
    assert figures(get(cast.vic, PAGE, cast.shoes))["waiting"] == "30+"


@pytest.mark.parametrize(
    ("url", "is_sandbox"),
    [
        ("https://graph.facebook.com", False),
        ("http://127.0.0.1:8010", True),
        ("https://graph.facebook.com.example.org", True),
    ],
)
def test_an_instance_that_does_not_publish_to_meta_says_so(
    cast: Cast, pixel: Pixel, settings: Any, url: str, is_sandbox: bool
) -> None:
    settings.GRAPH_API_URL = url
    for page in (see(cast.vic, PAGE, cast.shoes), see(cast.vic, "pixels:sending", cast.shoes, pixel.pixel_id)):
        assert ("This instance publishes to a sandbox, not to Meta" in page) is is_sandbox


@pytest.mark.usefixtures("in_one_minute")
def test_the_chart_has_a_table_beside_it(cast: Cast, pixel: Pixel) -> None:
    count(pixel, received=12, published=11)
    page = see(cast.vic, PAGE, cast.shoes, period="1h")
    assert "Show as a table" in page
    html = get(cast.vic, PAGE, cast.shoes, period="1h").content.decode()
    assert 'aria-describedby="traffic-note traffic-as-table" aria-details="traffic-table"' in html
    assert all(f'id="{name}"' in html for name in ("traffic-note", "traffic-as-table", "traffic-table"))
    assert "(so far) 12 11" in page


def test_each_pixels_state_is_told_in_words(cast: Cast, pixel: Pixel) -> None:
    PixelFactory.create(tenant=cast.shoes, name="Outlet", bad_token=True, api_error_code="190.460")
    PixelFactory.create(tenant=cast.shoes, name="Stores", publishing_enabled=False)
    PixelFactory.create(tenant=cast.shoes, name="Old shop", event_bridge_active=False)
    PixelFactory.create(tenant=cast.shoes, name="New shop", last_received=timezone.now())
    PixelFactory.create(tenant=cast.shoes, name="Till", last_received=timezone.now(), last_published=timezone.now())
    PixelFactory.create(tenant=cast.shoes, name="Kiosk", last_received=timezone.now(), api_error_code="10")
    page = get(cast.vic, PAGE, cast.shoes)
    assert {listed.name: listed.state for listed in page.context["page"].object_list} == {
        "Outlet": "token-rejected",
        "Web shop": "idle",
        "Stores": "publishing-off",
        "Old shop": "deactivated",
        "New shop": "receiving",
        "Till": "publishing",
        "Kiosk": "publishing-fails",
    }
    text = text_of(page)
    for words in (
        "Outlet", "Token rejected Meta's error 190.460", "Kiosk", "Publishing fails Meta's error 10", "Publishing off",
        "Deactivated", "Receiving and publishing", "Idle",
    ):  # fmt: skip
        assert words in text


def test_pixels_are_paged_and_rejected_tokens_come_first(cast: Cast) -> None:
    PixelFactory.create_batch(11, tenant=cast.shoes)
    last = PixelFactory.create(tenant=cast.shoes, pixel_id="9" * 20, bad_token=True)
    answer = get(cast.vic, PAGE, cast.shoes)
    assert len(answer.context["page"].object_list) == 10
    assert answer.context["page"].object_list[0].pixel_id == last.pixel_id
    assert "Page 1 of 2" in text_of(answer)
    assert len(get(cast.vic, PAGE, cast.shoes, page=2).context["page"].object_list) == 2


def test_a_new_account_is_told_what_to_do_first(cast: Cast) -> None:
    page = see(cast.max, PAGE, cast.shoes)
    assert "Connect your first pixel" in page
    assert "Add data source" in page


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


# --- Fresh figures ----------------------------------------------------------------------------------------------------


def test_htmx_gets_what_changes_and_nothing_around_it(cast: Cast, pixel: Pixel) -> None:
    client = login(cast.vic)
    path = address(PAGE, cast.shoes, period="1h", page=1)
    whole = client.get(path).content.decode()
    assert f'hx-get="{path.replace("&", "&amp;")}"' in whole
    assert 'data-poll="15"' in whole

    count(pixel, received=3)
    part = client.get(path, headers={"HX-Request": "true"})

    assert part.content.decode().lstrip().startswith('<div id="live"')
    assert figures(part)["received"] == "3"
    assert "no-store" in part.headers["Cache-Control"]


def test_a_session_that_has_ended_is_sent_to_sign_in_as_a_whole(cast: Cast, client: Any) -> None:
    answer = client.get(address(PAGE, cast.shoes), headers={"HX-Request": "true"})
    assert "/auth/" in answer.headers["HX-Redirect"]


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

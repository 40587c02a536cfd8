"""The overview: do events arrive, and do they reach Meta."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import UsageSnapshot
from events.figures.books import DESTINATIONS, SOURCES
from events.figures.usage import refresh_usage
from events.models import DestinationRow, Intake
from pixels.models import Pixel
from tests.base import Cast, login
from tests.events.gateway.stage import pipeline, purchase, put, source_of
from tests.events.overview import PAGE, count, figures, note
from tests.factories import OutboxRowFactory, PixelFactory
from tests.pages import address, get, see, text_of


@pytest.fixture
def pixel(cast: Cast) -> Pixel:
    return PixelFactory.create(tenant=cast.shoes, name="Web shop", pixel_id="555001")


def chart(answer: Any) -> dict[str, Any]:
    found = re.search(r'<script id="traffic" type="application/json">(.*?)</script>', answer.content.decode())
    assert found
    shown: dict[str, Any] = json.loads(found[1])
    return shown


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


@pytest.mark.parametrize(
    ("language", "says"),
    [
        ("en", "The figures above count events of all data sources. This table lists Meta Pixels only."),
        (
            "es",
            "Las cifras de arriba cuentan los eventos de todos los orígenes de datos. Esta tabla solo muestra píxeles",
        ),
    ],
)
def test_where_figures_count_more_than_the_table_lists_the_page_says_so(
    cast: Cast, pixel: Pixel, language: str, says: str
) -> None:
    cast.vic.language = language
    cast.vic.save()
    count(pixel, received=10)
    source = source_of(cast.shoes)
    assert says not in see(cast.vic, PAGE, cast.shoes)

    note(SOURCES, source.pk, received=5)

    answer = get(cast.vic, PAGE, cast.shoes)
    assert says in text_of(answer)
    assert f'href="{address("pipelines:list", cast.shoes)}">' in answer.content.decode().split('id="pixels-heading"')[1]


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


def test_what_waits_is_asked_for_by_its_sources_themselves(cast: Cast) -> None:
    """By their account, PostgreSQL would go through what waits for other accounts, however much."""
    put(source_of(cast.shoes), purchase())
    with CaptureQueriesContext(connection) as queries:
        assert figures(get(cast.vic, PAGE, cast.shoes))["waiting"] == "1"
    (waiting,) = (query["sql"] for query in queries if "events_sourcerow" in query["sql"])
    assert "pipelines_" not in waiting

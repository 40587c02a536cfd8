"""What people see of event ids: how many came on both roads, what is wrong with them, and what is to be done."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.http import HttpResponse
from django.utils import timezone

from events.deduplication import Deduplicated, Kind, read_deduplication
from events.delivery.publishing import drain
from events.figures.counting import Tally
from events.figures.id_findings import masked
from events.figures.id_sample import class_of
from events.models import IdFinding, Lane, Road
from events.sandbox import Sandbox
from pixels.models import Pixel
from tests.base import Cast, client_of, login
from tests.events.outbox import purchases, put
from tests.factories import PixelFactory
from tests.operations import run
from tests.pages import address, get, text_of

pytestmark = pytest.mark.django_db

SERVER, BROWSER = Road


@pytest.fixture
def pixel(cast: Cast) -> Pixel:
    return PixelFactory.create(tenant=cast.shoes, name="Web shop", pixel_id="555001")


def count(pixel: Pixel, name: str = "Purchase", ago: timedelta = timedelta(0), **columns: int) -> None:
    """Count events: ``browser`` and ``server`` are events with an id each; others are columns of Counter."""
    tally = Tally()
    at = timezone.now() - ago
    for road in Road:
        n = columns.pop(road.name.lower(), 0)
        for column in ("received", "ids_seen") if n else ():
            tally.add(at, name, None, column, n, road=road)
    for column, n in columns.items():
        tally.add(at, name, None, column, n)
    tally.write(pixel.pk)


def only(pixel: Pixel) -> Deduplicated:
    (one,) = read_deduplication(pixel).names
    return one


# --- Figures ----------------------------------------------------------------------------------------------------------


def test_it_tells_each_name_by_road_and_how_many_ids_came_on_both(pixel: Pixel) -> None:
    count(pixel, "Purchase", browser=40, server=50, ids_on_both=30)
    count(pixel, "PageView", browser=900)
    count(pixel, "", browser=3, server=2)

    told = [(one.name, one.browser, one.server, one.on_both, one.share) for one in read_deduplication(pixel).names]
    assert told == [("PageView", 900, 0, 0, None), ("Purchase", 40, 50, 30, 0.75), ("Other", 3, 2, 0, 0.0)]


def test_it_tells_the_last_48_hours(pixel: Pixel) -> None:
    count(pixel, browser=1, server=1, ids_on_both=1, ago=timedelta(hours=49))
    assert read_deduplication(pixel).names == []

    count(pixel, browser=2, server=3, ids_on_both=2, ago=timedelta(hours=47))
    assert (only(pixel).browser, only(pixel).server, only(pixel).on_both) == (2, 3, 2)


def test_retries_make_no_share_smaller(pixel: Pixel) -> None:
    count(pixel, browser=10, server=10, ids_on_both=10)
    count(pixel, received=5)

    assert only(pixel).share == 1.0


def test_of_a_sample_it_tells_the_margin(pixel: Pixel) -> None:
    count(pixel, browser=80_000, server=90_000, ids_on_both=40_000)
    assert only(pixel).margin == 0.0

    Lane.objects.create(pixel=pixel, ids_levels={str(class_of("Purchase")): 5})
    assert only(pixel).share == 0.5
    assert only(pixel).margin == pytest.approx(0.02)


def test_no_more_ids_are_on_both_than_events_on_either(pixel: Pixel) -> None:
    """A sample may by chance hold more of those that are on both."""
    count(pixel, browser=100, server=90, ids_on_both=96)

    assert (only(pixel).on_both, only(pixel).share) == (90, 1.0)


# --- Hardly an id on both ---------------------------------------------------------------------------------------------


def kinds(pixel: Pixel) -> list[IdFinding.Kind]:
    return [finding.kind for _, finding in read_deduplication(pixel).findings]


@pytest.mark.parametrize(
    ("server", "browser", "on_both", "told"),
    [(100, 300, 0, True), (300, 100, 4, True), (99, 300, 0, False), (100, 300, 5, False), (0, 300, 0, False)],
)
def test_hardly_an_id_on_both_is_told_once_it_is_sure(
    pixel: Pixel, server: int, browser: int, on_both: int, told: bool
) -> None:
    count(pixel, server=server, browser=browser, ids_on_both=on_both)

    assert kinds(pixel) == [Kind.NEVER_ON_BOTH] * told


def test_of_a_sample_as_many_must_have_been_compared(pixel: Pixel) -> None:
    Lane.objects.create(pixel=pixel, ids_levels={str(class_of("Purchase")): 4})
    count(pixel, server=1_500, browser=1_000_000)
    assert kinds(pixel) == []

    count(pixel, server=500)
    assert kinds(pixel) == [Kind.NEVER_ON_BOTH]


def test_once_it_is_mended_it_is_told_no_more(pixel: Pixel) -> None:
    count(pixel, server=200, browser=200)
    assert kinds(pixel) == [Kind.NEVER_ON_BOTH]

    count(pixel, server=50, browser=50, ids_on_both=50)
    assert kinds(pixel) == []


def test_it_shows_what_either_road_sends(pixel: Pixel, sandbox: Sandbox) -> None:
    put(pixel, *purchases(3, event_id="order-1"), road=SERVER)
    put(pixel, *purchases(3, event_id="ob3_plugin-set_1"), *purchases(9, event_name="Lead"), road=BROWSER)
    drain(pixel.pk)
    count(pixel, server=200, browser=200)

    ((_, finding),) = read_deduplication(pixel).findings
    assert finding.examples == [("ob3_plugin-set_1", BROWSER), ("ob3_plugin-set_1", BROWSER), ("order-1", SERVER)]


def test_it_says_where_no_id_was_sent(pixel: Pixel, sandbox: Sandbox) -> None:
    put(pixel, *purchases(1, event_id="gateway-0123456789abcdef0123456789abcdef"))
    drain(pixel.pk)
    count(pixel, server=200, browser=200)

    assert read_deduplication(pixel).findings[0][1].examples == [("", SERVER)]


# --- What else is wrong -----------------------------------------------------------------------------------------------


def test_what_is_wrong_is_told_for_48_hours_with_examples(pixel: Pixel) -> None:
    count(pixel, server=5, ids_repeated=3, ids_of_other_orders=2)
    IdFinding.objects.create(
        pixel=pixel, kind=0, event_name="Purchase", count=9, last_at=timezone.now(), examples=["order-1"]
    )

    repeated, orders = (finding for _, finding in read_deduplication(pixel).findings)
    assert (repeated.kind, repeated.count, repeated.examples) == (Kind.REPEATED, 3, [("order-1", None)])
    assert (orders.kind, orders.count, orders.examples, orders.last_at) == (Kind.MANY_ORDERS, 2, [], None)

    with time_machine.travel(timezone.now() + timedelta(hours=49)):
        assert read_deduplication(pixel).findings == []


@pytest.mark.parametrize(
    ("event_id", "shown"),
    [
        ("ada@example.com", "•••"),
        ("signup-ada%40example.com", "•••"),
        ("+49 171 1234567", "+49 ••• •••••67"),
        ("(555) 123-4567", "(55•) •••-••67"),
        ("491711234567", "49••••••••67"),
        ("order-491711234567", "order-491711234567"),
        ("100000042", "100000042"),
        ("2026-11-29", "2026-11-29"),
        ("ob3_plugin-set_0123", "ob3_plugin-set_0123"),
    ],
)
def test_examples_show_no_address_and_no_telephone_number(event_id: str, shown: str) -> None:
    assert masked(event_id) == shown


# --- On the pixel's page, and through GraphQL -------------------------------------------------------------------------


def section(answer: Any) -> str:
    page = answer.content.decode()
    return text_of(HttpResponse(page.partition('id="deduplication">')[2].partition("</section>")[0]))


def test_the_page_tells_figures_findings_and_remedies(cast: Cast, pixel: Pixel) -> None:
    count(pixel, "Purchase", server=1_200, browser=1_500, ids_of_other_orders=1)
    count(pixel, "Lead", server=90, browser=80, ids_on_both=60)
    two_hours_ago = timezone.now() - timedelta(hours=2, minutes=1)
    IdFinding.objects.create(
        pixel=pixel, kind=2, event_name="Purchase", count=1, last_at=two_hours_ago, examples=["<b>visit"]
    )

    page = section(get(cast.vic, "pixels:deduplication", cast.shoes, pixel.pixel_id))

    assert "Purchase 1,500 1,200 0 0 %" in page
    assert "Lead 80 90 60 75 %" in page
    assert "Purchase: Browser and server share hardly an id Meta may count 1,200 events twice." in page
    assert (
        "Purchase: One id for several orders 1 event came with the id of another order. The last one: 2 hours ago."
        in page
    )
    assert "2 hours ago. <b>visit" in page
    assert "as eventID in the page's fbq call, and as event_id from your server." in page


def test_where_one_road_brings_all_there_is_nothing_to_compare(cast: Cast, pixel: Pixel) -> None:
    count(pixel, server=1_200)

    page = section(get(cast.vic, "pixels:deduplication", cast.shoes, pixel.pixel_id))

    assert "No event came from both: there is nothing to compare." in page
    assert "Share" not in page


def test_the_page_tells_the_margin_of_a_sample(cast: Cast, pixel: Pixel) -> None:
    Lane.objects.create(pixel=pixel, ids_levels={str(class_of("Purchase")): 5})
    count(pixel, browser=80_000, server=90_000, ids_on_both=40_000)

    assert "50 % ± 2 %" in section(get(cast.vic, "pixels:deduplication", cast.shoes, pixel.pixel_id))


def test_the_pixels_page_shows_it_and_has_a_way_to_it_without_a_script(cast: Cast, pixel: Pixel) -> None:
    path = address("pixels:deduplication", cast.shoes, pixel.pixel_id)
    page = get(cast.vic, "pixels:detail", cast.shoes, pixel.pixel_id).content.decode()
    assert f'hx-get="{path}" hx-trigger="load"' in page
    assert f'<a href="{path}">' in page

    part = login(cast.vic).get(path, headers={"HX-Request": "true"})
    assert part.content.decode().lstrip().startswith("<section")


def test_software_reads_it_too(cast: Cast, pixel: Pixel) -> None:
    count(pixel, server=200, browser=100, ids_repeated=4)
    IdFinding.objects.create(
        pixel=pixel, kind=0, event_name="Purchase", count=4, last_at=timezone.now(), examples=["order-1"]
    )

    answer = run(client_of(cast.robot), "eventDeduplication", tenantId=cast.shoes.pk, pixelId=pixel.pixel_id)

    assert answer.errors == []
    (told,) = answer.body["data"]["tenantQueries"]["eventDeduplication"]
    findings = told.pop("findings")
    assert told == {
        "id": "EventDeduplication:555001:Purchase",
        "eventName": "Purchase",
        "browserCount": 100,
        "serverCount": 200,
        "idsOnBothCount": 0,
        "share": 0.0,
        "margin": 0.0,
    }
    assert [(one["kind"], one["count"], one["lastAt"] is None) for one in findings] == [
        ("NEVER_ON_BOTH", 100, True),
        ("REPEATED", 4, False),
    ]
    assert findings[1]["examples"] == [{"eventId": "order-1", "road": None}]
    assert findings[1]["explanation"] == "The same id came again"
    assert findings[1]["remedy"].startswith("Meta drops them")

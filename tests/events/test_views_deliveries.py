"""All of an account's events on one page, and all that became of one of them on another."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from events.delivery.entries import Outcome
from events.delivery.publishing import drain
from events.models import Road
from events.sandbox import Sandbox
from pixels.models import Pixel
from tests.base import Cast, login
from tests.events.outbox import bad_purchase, purchase, put
from tests.factories import DeadLetterFactory, DeliveryFactory, EventFilterFactory, FormerDeliveryFactory, PixelFactory
from tests.pages import address, get, post, see

pytestmark = pytest.mark.django_db

LIST, ONE = "events:deliveries", "events:delivery"


@pytest.fixture
def pixel(cast: Cast) -> Pixel:
    return PixelFactory.create(tenant=cast.shoes, name="Web shop")


@pytest.fixture
def other(cast: Cast) -> Pixel:
    return PixelFactory.create(tenant=cast.shoes, name="App")


def ids(cast: Cast, **query: Any) -> list[str]:
    return [entry.event_id for entry in get(cast.vic, LIST, cast.shoes, **query).context["page"].rows]


def test_events_of_all_pixels_are_listed_the_newest_first(cast: Cast, pixel: Pixel, other: Pixel) -> None:
    now = timezone.now()
    FormerDeliveryFactory.create(pixel=pixel, event_id="former", at=now - timedelta(hours=3))
    DeliveryFactory.create(pixel=pixel, event_id="older", at=now - timedelta(hours=2))
    DeliveryFactory.create(pixel=other, event_id="newer", at=now - timedelta(hours=1))
    put(pixel, purchase(event_id="waits"))
    DeliveryFactory.create(pixel=PixelFactory.create(tenant=cast.other), event_id="foreign")

    assert ids(cast) == ["waits", "newer", "older", "former"]
    page = see(cast.vic, LIST, cast.shoes)
    assert "Waiting Server Purchase shop.example.com waits Web shop" in page
    assert "Published Server Purchase shop.example.com newer App" in page


def test_they_are_searched_by_all_that_is_known_of_them(cast: Cast, pixel: Pixel, other: Pixel) -> None:
    now = timezone.now()
    DeliveryFactory.create(pixel=pixel, event_id="order-1042", event_name="Lead", at=now - timedelta(days=2))
    DeliveryFactory.create(pixel=other, event_id="a", website="books.example", road=Road.BROWSER, at=now)
    DeliveryFactory.create(pixel=other, event_id="b", outcome=Outcome.DROPPED, at=now)
    put(pixel, purchase(event_id="c"))

    assert ids(cast, id="order-1042") == ["order-1042"]
    assert ids(cast, id=" order-1042 ") == ["order-1042"]
    assert ids(cast, id="c") == ["c"]
    assert ids(cast, id="order-104") == []
    assert ids(cast, event="lea") == ["order-1042"]
    assert ids(cast, website="books.example") == ["a"]
    assert ids(cast, road="browser") == ["a"]
    assert ids(cast, outcome="DROPPED") == ["b"]
    assert ids(cast, pixel=other.pixel_id) == ["b", "a"]
    assert ids(cast, until=(now - timedelta(days=1)).strftime("%Y-%m-%dT%H:%M")) == ["order-1042"]
    assert ids(cast, since=(now - timedelta(days=1)).strftime("%Y-%m-%dT%H:%M"), outcome="PUBLISHED") == ["a"]


@pytest.mark.parametrize(
    "query", [{"pixel": "404"}, {"since": "soon"}, {"id": "x" * 101}, {"website": "x" * 254}, {"road": "air"}]
)
def test_what_is_no_condition_narrows_nothing(cast: Cast, pixel: Pixel, query: dict[str, str]) -> None:
    DeliveryFactory.create(pixel=pixel, event_id="order-1")
    assert ids(cast, **query) == ["order-1"]


@pytest.mark.parametrize("query", ["after=typed", "id=nul%00"])
def test_a_typed_cursor_leads_to_the_newest(cast: Cast, pixel: Pixel, query: str) -> None:
    answer = login(cast.vic).get(f"/hub/capig/deliveries/?tenant={cast.shoes.pk}&{query}")
    assert answer.status_code in (200, 302)


def test_pages_hold_every_event_once(cast: Cast, pixel: Pixel, other: Pixel) -> None:
    for number in range(30):
        DeliveryFactory.create(pixel=(pixel, other)[number % 2], event_id=str(number))
    first = get(cast.vic, LIST, cast.shoes).context["page"]
    second = get(cast.vic, LIST, cast.shoes, after=first.rows[-1].cursor).context["page"]
    assert [entry.event_id for entry in (*first.rows, *second.rows)] == [str(number) for number in range(29, -1, -1)]


def test_what_became_of_an_order_is_on_one_page(cast: Cast, pixel: Pixel, other: Pixel, sandbox: Sandbox) -> None:
    EventFilterFactory.create(tenant=cast.shoes, event_name="Lead")
    put(pixel, purchase(event_id="order-1042"), purchase(event_id="order-1042", event_name="Lead"))
    drain(pixel.pk)
    put(other, purchase(event_id="order-1042"))
    put(other, purchase(event_id="order-1043"))

    page = see(cast.vic, ONE, cast.shoes, id="order-1042")

    assert f"Purchase · {pixel} Published" in page
    assert f"Lead · {pixel} Dropped" in page
    assert "Event filter for Lead" in page
    assert f"Purchase · {other} Waiting" in page
    assert "What waits Identifiers: client_user_agent" in page
    assert "order-1043" not in page


def test_a_refused_event_shows_what_was_sent_with_the_field_marked(cast: Cast, pixel: Pixel, sandbox: Sandbox) -> None:
    put(pixel, bad_purchase(event_id="order-1", user_data={"em": ["a" * 64], "client_user_agent": "Mozilla/5.0"}))
    drain(pixel.pk)

    answer = get(cast.max, ONE, cast.shoes, id="order-1")

    html = answer.content.decode()
    assert "<mark>    &quot;currency&quot;: &quot;Euro&quot;" in html
    assert "a" * 64 not in html
    assert "Mozilla" not in html
    (story,) = answer.context["stories"]
    (sent,) = story.sent
    assert sent.identifiers == ["client_user_agent", "em"]
    assert sent.curl.startswith(f"curl http://localhost:8000/capi/{pixel.pixel_id}/events -H ")
    assert '"currency": "Euro"' in sent.curl
    assert "Send again" in html


def test_a_refused_event_that_is_sent_again_is_seen_to_wait_on_its_page(cast: Cast, pixel: Pixel) -> None:
    letter = DeadLetterFactory.create(pixel=pixel, event_id="order/1?")
    client = login(cast.max)
    path = address("pixels:replay", cast.shoes, pixel.pixel_id)
    answer = client.post(path, {"letter": letter.pk, "event": "order/1?"})
    assert answer.headers["Location"] == address(ONE, cast.shoes, id="order/1?")
    page = see(client, ONE, cast.shoes, id="order/1?")
    assert "The event waits to be sent again. What becomes of it is shown here" in page


@pytest.mark.parametrize("event_id", ["nul\0", "x" * 200, "//evil.example", "\r\nX: 1"])
def test_an_id_that_somebody_has_made_up_leads_nowhere_else(cast: Cast, pixel: Pixel, event_id: str) -> None:
    letter = DeadLetterFactory.create(pixel=pixel, event_id="order-1")
    answer = post(cast.max, "pixels:replay", cast.shoes, pixel.pixel_id, letter=letter.pk, event=event_id)
    assert answer.headers["Location"] == address(ONE, cast.shoes, id=event_id[:100])


def test_who_may_not_change_data_cannot_send_again(cast: Cast, pixel: Pixel) -> None:
    DeadLetterFactory.create(pixel=pixel, event_id="order-1")
    assert "Send again" not in see(cast.vic, ONE, cast.shoes, id="order-1")


def test_an_event_of_another_account_is_not_there(cast: Cast, pixel: Pixel) -> None:
    foreign = PixelFactory.create(tenant=cast.other)
    DeliveryFactory.create(pixel=foreign, event_id="order-1")
    DeadLetterFactory.create(pixel=foreign, event_id="order-1")
    put(foreign, purchase(event_id="order-1"))
    assert get(cast.vic, ONE, cast.shoes, id="order-1").context["stories"] == []


@pytest.mark.parametrize("event_id", ["", "404", "nul\0", "x" * 101, "'); DROP", "🛒"])
def test_an_id_that_nobody_sent_is_told_so(cast: Cast, pixel: Pixel, event_id: str) -> None:
    assert "No event with this id" in see(cast.vic, ONE, cast.shoes, id=event_id)


def test_the_list_and_the_event_are_asked_for_anew(cast: Cast, pixel: Pixel) -> None:
    DeliveryFactory.create(pixel=pixel, event_id="order-1")
    client: Client = login(cast.vic)
    for path in ("/hub/capig/deliveries/", "/hub/capig/deliveries/event/"):
        query = {"tenant": cast.shoes.pk, "id": "order-1"}
        assert 'data-poll="10"' in client.get(path, query).content.decode()
        part = client.get(path, query, headers={"HX-Request": "true"}).content.decode()
        assert part.lstrip().startswith("<div") or "<html" not in part

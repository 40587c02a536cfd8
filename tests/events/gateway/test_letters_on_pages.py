"""What a destination refused, on the account's pages: with its answer and payload, to be sent again or discarded."""

from __future__ import annotations

import pytest

from events.models import DestinationLetter
from pipelines.ids import DESTINATION, id_of, id_of_pixel
from pipelines.models import Destination, DestinationType
from tests.base import Cast, login, snapshot
from tests.events.gateway.conftest import Receivers
from tests.events.gateway.stage import apart, destination, source_of
from tests.factories import DestinationLetterFactory, PixelFactory
from tests.pages import address, get, post, see

pytestmark = pytest.mark.django_db

LIST, REPLAY, DISCARD = "pipelines:destination_letters", "pipelines:replay_letters", "pipelines:discard_letters"


@pytest.fixture
def crm(cast: Cast, receivers: Receivers) -> Destination:
    return destination(cast.shoes)


def id_(destination: Destination) -> str:
    return id_of(DESTINATION, destination.uuid)


def test_they_are_listed_with_the_destinations_answer(cast: Cast, crm: Destination) -> None:
    DestinationLetterFactory.create(destination=crm, event_id="order-1", code="422", message="currency: unknown")
    page = see(cast.vic, LIST, cast.shoes, id_(crm))
    assert "order-1" in page
    assert "currency: unknown Error 422:" in page
    assert "Mozilla" not in page
    assert "Send again" not in page  # Vic may only look
    Destination.objects.update(settings={})
    assert "Refused events" in see(cast.vic, "pipelines:destination", cast.shoes, id_(crm))


def test_metas_codes_are_explained_and_others_are_not(cast: Cast, crm: Destination) -> None:
    at_meta = destination(cast.shoes, DestinationType.META_CONVERSIONS_API)
    for each in (crm, at_meta):
        DestinationLetterFactory.create(destination=each)
    assert "Meta refused an event's content" in see(cast.vic, LIST, cast.shoes, id_(at_meta))
    assert "Meta refused" not in see(cast.vic, LIST, cast.shoes, id_(crm))


def test_one_is_sent_again_then_all(cast: Cast, crm: Destination) -> None:
    first, *_ = DestinationLetterFactory.create_batch(3, destination=crm)
    client = login(cast.max)
    assert post(client, REPLAY, cast.shoes, id_(crm), letter=first.pk).headers["Location"] == address(
        LIST, cast.shoes, id_(crm)
    )
    assert apart(crm) == 1
    post(client, REPLAY, cast.shoes, id_(crm))
    assert apart(crm) == 3
    assert "2 events are sent again." in see(client, LIST, cast.shoes, id_(crm))
    assert "Nothing is set aside here" in see(client, LIST, cast.shoes, id_(crm))


def test_one_that_is_sent_again_from_its_events_page_comes_back_there(cast: Cast, crm: Destination) -> None:
    letter = DestinationLetterFactory.create(destination=crm, event_id="order-1")
    client = login(cast.max)
    answer = post(client, REPLAY, cast.shoes, id_(crm), letter=letter.pk, event="order-1")
    assert answer.headers["Location"] == address("events:delivery", cast.shoes, id="order-1")
    assert "The event waits to be sent again." in see(client, "events:delivery", cast.shoes, id="order-1")


def test_one_is_discarded_then_all(cast: Cast, crm: Destination) -> None:
    first, *_ = DestinationLetterFactory.create_batch(3, destination=crm)
    client = login(cast.max)
    post(client, DISCARD, cast.shoes, id_(crm), letter=first.pk)
    assert DestinationLetter.objects.count() == 2
    post(client, DISCARD, cast.shoes, id_(crm))
    assert not DestinationLetter.objects.exists()
    assert apart(crm) == 0


@pytest.mark.parametrize("act", [REPLAY, DISCARD])
def test_one_is_reached_through_its_own_destination_alone(cast: Cast, crm: Destination, act: str) -> None:
    letter = DestinationLetterFactory.create(destination=destination(cast.shoes))
    client = login(cast.max)
    before = snapshot()
    for wrong in (letter.pk, "x", "9" * 30, "nul\0"):
        assert post(client, act, cast.shoes, id_(crm), letter=wrong).status_code == 302
    assert snapshot() == before


def test_a_pixels_are_on_the_pixels_page(cast: Cast) -> None:
    pixel = PixelFactory.create(tenant=cast.shoes)
    there = login(cast.vic).get(address(LIST, cast.shoes, id_of_pixel(DESTINATION, pixel.pixel_id)))
    assert there.headers["Location"] == address("pixels:dead_letters", cast.shoes, pixel.pixel_id)


def test_the_events_own_page_shows_what_was_sent_and_sends_it_again(cast: Cast, crm: Destination) -> None:
    source = source_of(cast.shoes)
    letter = DestinationLetterFactory.create(
        destination=crm, source=source, event_id="order-1", message="event_source_url is wrong"
    )
    answer = get(cast.max, "events:delivery", cast.shoes, id="order-1")
    (story,) = answer.context["stories"]
    (sent,) = story.sent
    html = answer.content.decode()

    assert (story.of, sent.to, sent.identifiers) == (str(source), crm.name, ["client_user_agent"])
    assert "<mark>  &quot;event_source_url&quot;" in html
    assert "Mozilla" not in html
    assert f"/capi/{source.source_id}/events" in sent.curl
    assert address(REPLAY, cast.shoes, id_(crm)) in html
    assert f'name="letter" value="{letter.pk}"' in html
    assert "Send again" not in see(cast.vic, "events:delivery", cast.shoes, id="order-1")


def test_of_a_source_that_is_gone_it_is_still_told(cast: Cast, crm: Destination) -> None:
    DestinationLetterFactory.create(destination=crm, source_id=4_000_000, event_id="order-1")
    page = see(cast.max, "events:delivery", cast.shoes, id="order-1")
    assert f"What was sent → {crm.name}" in page
    assert "Copy as curl" not in page


def test_nothing_of_another_account_is_there(cast: Cast, crm: Destination) -> None:
    DestinationLetterFactory.create(destination=destination(cast.other), event_id="order-1")
    assert "No event with this id" in see(cast.max, "events:delivery", cast.shoes, id="order-1")

"""The pages of one pixel that show its events: how it fares, the delivery log, and what Meta refused."""

from __future__ import annotations

import html
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from events.models import DeadLetter, Delivery, Lane, OutboxRow
from pixels.models import Pixel
from tests.base import Cast, login, snapshot
from tests.events.outbox import purchase, put
from tests.factories import DeadLetterFactory, DeliveryFactory, OutboxRowFactory, PixelFactory
from tests.pages import address, get, post, see, text_of

Outcome = Delivery.Outcome


@pytest.fixture
def pixel(cast: Cast) -> Pixel:
    return PixelFactory.create(tenant=cast.shoes, name="Web shop", pixel_id="555001")


# --- How it fares -----------------------------------------------------------------------------------------------------


def test_a_rejected_token_is_explained_with_the_way_out(cast: Cast) -> None:
    pixel = PixelFactory.create(tenant=cast.shoes, bad_token=True, api_error_code="190.460")
    OutboxRowFactory.create(pixel=pixel)
    Lane.objects.create(pixel=pixel, held=True)

    answer = get(cast.max, "pixels:detail", cast.shoes, pixel.pixel_id)

    page = text_of(answer)
    assert "Token rejected" in page
    assert "Meta answers with error 190.460 The access token is no longer valid" in page
    assert "1 event waits to be sent. They wait for a new access token." in page
    assert address("pixels:token", cast.shoes, pixel.pixel_id) in answer.content.decode()
    assert "Try again now" not in page


def test_a_limit_of_rate_is_explained_with_the_next_attempt(cast: Cast) -> None:
    pixel = PixelFactory.create(tenant=cast.shoes, api_error_code="4")
    OutboxRowFactory.create_batch(2, pixel=pixel)
    Lane.objects.create(pixel=pixel, failures=3, retry_at=timezone.now() + timedelta(minutes=10, seconds=30))
    page = see(cast.max, "pixels:detail", cast.shoes, pixel.pixel_id)
    assert "Meta limits the rate; the gateway waits and tries again." in page
    assert "2 events wait to be sent. Next attempt: 10 minutes from now." in page
    assert "Try again now" in page


def test_those_who_may_can_have_it_tried_again_now(cast: Cast, django_capture_on_commit_callbacks: Any) -> None:
    pixel = PixelFactory.create(tenant=cast.shoes, api_error_code="10")
    Lane.objects.create(pixel=pixel, failures=3, retry_at=timezone.now() + timedelta(hours=1))
    with django_capture_on_commit_callbacks(execute=True):
        answer = post(cast.max, "pixels:retry", cast.shoes, pixel.pixel_id)
    assert answer.headers["Location"] == address("pixels:detail", cast.shoes, pixel.pixel_id)
    lane = Lane.objects.get()
    assert (lane.failures, lane.retry_at) == (0, None)


def test_refused_events_are_pointed_out(cast: Cast, pixel: Pixel) -> None:
    DeadLetterFactory.create_batch(2, pixel=pixel)
    assert "2 events were refused by Meta and are set aside." in see(
        cast.vic, "pixels:detail", cast.shoes, pixel.pixel_id
    )


def test_a_pixel_that_fares_well_has_nothing_to_explain(cast: Cast, pixel: Pixel) -> None:
    Pixel.objects.update(last_received=timezone.now())
    page = see(cast.vic, "pixels:detail", cast.shoes, pixel.pixel_id)
    assert "Receiving Last event received now" in page
    assert "error" not in page.lower()
    assert "wait to be sent" not in page


def test_htmx_gets_what_changes(cast: Cast, pixel: Pixel) -> None:
    path = address("pixels:detail", cast.shoes, pixel.pixel_id)
    part = login(cast.vic).get(path, headers={"HX-Request": "true"})
    assert part.content.decode().lstrip().startswith('<div id="live"')


def test_the_page_looks_again_soon_while_events_are_on_their_way(cast: Cast, pixel: Pixel) -> None:
    def page() -> str:
        return str(get(cast.vic, "pixels:detail", cast.shoes, pixel.pixel_id).content.decode())

    assert 'data-poll="15"' in page()
    OutboxRowFactory.create(pixel=pixel)
    assert 'data-poll="3"' in page()
    Lane.objects.create(pixel=pixel, held=True)
    assert 'data-poll="15"' in page()


def test_a_success_rate_is_marked_while_publishing_is_held(cast: Cast, pixel: Pixel) -> None:
    marked = "of what was tried; sending is held"
    assert marked not in see(cast.vic, "pixels:detail", cast.shoes, pixel.pixel_id)
    Pixel.objects.update(bad_token=True, api_error_code="190")
    assert marked in see(cast.vic, "pixels:detail", cast.shoes, pixel.pixel_id)


# --- The delivery log -------------------------------------------------------------------------------------------------


def log(cast: Cast, pixel: Pixel, **query: Any) -> Any:
    return get(cast.vic, "pixels:deliveries", cast.shoes, pixel.pixel_id, **query)


def test_each_event_is_listed_with_what_became_of_it_and_why(cast: Cast, pixel: Pixel) -> None:
    DeliveryFactory.create(pixel=pixel, event_name="PageView", event_id="e-1")
    DeliveryFactory.create(pixel=pixel, outcome=Outcome.DROPPED, detail="Event filter for Lead", event_name="Lead")
    DeliveryFactory.create(pixel=pixel, outcome=Outcome.DROPPED, detail="Website filter for example.com")
    DeliveryFactory.create(pixel=pixel, outcome=Outcome.DROPPED, detail="Receiving was off")
    DeliveryFactory.create(pixel=pixel, outcome=Outcome.EXPIRED, detail="Older than 7 days")
    DeliveryFactory.create(
        pixel=pixel, outcome=Outcome.FAILED, detail="(#100) param value", code="100.2804003", trace_id="trace-1"
    )
    put(pixel, purchase(event_id="e-2"))

    page = text_of(log(cast, pixel))

    for words in (
        "Published Server PageView",
        "Dropped Server Lead",
        "Event filter for Lead",
        "Website filter for example.com",
        "Receiving was off",
        "Older than 7 days",
        "(#100) param value Error 100.2804003: Meta refused an event's content",
        "Meta's trace id: trace-1",
        "Waiting Server Purchase shop.example.com e-2",
    ):
        assert words in page


@pytest.mark.parametrize(("typed", "found"), [("chase", 3), ("PURCHASE", 3), ("übergabe", 1), (" lead ", 0)])
def test_the_log_is_searched_by_a_part_of_a_name_in_any_case(cast: Cast, pixel: Pixel, typed: str, found: int) -> None:
    for name in ("Purchase", "purchase", "ÜBERGABE"):
        DeliveryFactory.create(pixel=pixel, event_name=name)
    put(pixel, purchase())
    assert len(log(cast, pixel, event=typed).context["page"].rows) == found


def test_a_published_event_shows_the_trace_id_of_who_has_it(cast: Cast, pixel: Pixel, settings: Any) -> None:
    DeliveryFactory.create(pixel=pixel, trace_id="trace-2")
    assert "Meta's trace id: trace-2" in text_of(log(cast, pixel))
    settings.GRAPH_API_URL = "http://127.0.0.1:8010"
    assert "The sandbox's trace id: trace-2" in text_of(log(cast, pixel))


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("190.460", "The access token is no longer valid"),
        ("102", "The access token is no longer valid"),
        ("10", "The token lacks permission for this pixel"),
        ("200", "The token lacks permission for this pixel"),
        ("1", "Meta has a passing fault"),
        ("4", "Meta limits the rate"),
        ("80004", "Meta limits the rate"),
        ("803", "The pixel id does not exist"),
        ("100.33", "The pixel id does not exist"),
        ("100", "Meta refused an event's content"),
        ("99999", "Meta answers with an error that blames no event"),
    ],
)
def test_every_error_is_explained_in_words(cast: Cast, pixel: Pixel, code: str, words: str) -> None:
    DeliveryFactory.create(pixel=pixel, outcome=Outcome.FAILED, code=code)
    assert f"Error {code}: {words}" in text_of(log(cast, pixel))


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"outcome": "DROPPED"}, ["Lead"]),
        ({"outcome": "WAITING"}, ["Search"]),
        ({"event": "Purchase"}, ["Purchase"]),
        ({"outcome": "DROPPED", "event": "Purchase"}, []),
        ({"outcome": "nothing like it"}, ["Search", "Purchase", "Lead"]),
        ({"event": "x" * 51}, ["Search", "Purchase", "Lead"]),
        ({"event": "nul\0"}, ["Search", "Purchase", "Lead"]),
    ],
)
def test_the_log_is_narrowed_by_outcome_and_event(
    cast: Cast, pixel: Pixel, query: dict[str, str], found: list[str]
) -> None:
    DeliveryFactory.create(pixel=pixel, outcome=Outcome.DROPPED, event_name="Lead")
    DeliveryFactory.create(pixel=pixel, event_name="Purchase")
    put(pixel, purchase(event_name="Search"))
    answer = log(cast, pixel, **query)
    assert [entry.event_name for entry in answer.context["page"].rows] == found


def test_older_events_are_on_the_next_page(cast: Cast, pixel: Pixel) -> None:
    DeliveryFactory.create_batch(35, pixel=pixel)
    first = log(cast, pixel, outcome="PUBLISHED")
    rows = first.context["page"].rows
    assert len(rows) == 25
    assert 'data-poll="10"' in first.content.decode()

    second = log(cast, pixel, outcome="PUBLISHED", after=rows[-1].cursor)

    assert len(second.context["page"].rows) == 10
    assert "data-poll" not in second.content.decode()
    assert "Newest" in text_of(second)


def test_a_cursor_that_somebody_typed_leads_to_the_newest(cast: Cast, pixel: Pixel) -> None:
    answer = login(cast.vic).get(address("pixels:deliveries", cast.shoes, pixel.pixel_id, after="typed"))
    assert answer.headers["Location"] == address("pixels:deliveries", cast.shoes, pixel.pixel_id)


def test_an_empty_log_says_how_to_send(cast: Cast, pixel: Pixel) -> None:
    assert "No event has arrived yet" in text_of(log(cast, pixel))
    assert "No event in the log is like that. Show all" in text_of(log(cast, pixel, outcome="FAILED"))


# --- What Meta refused ------------------------------------------------------------------------------------------------


def test_a_dead_letter_shows_metas_answer_and_the_event_without_personal_data(cast: Cast, pixel: Pixel) -> None:
    event = (
        b'{"event_name":"Purchase","event_time":1,"event_id":"e","user_data":{"em":["hash"],"client_user_agent":"UA"}}'
    )
    DeadLetterFactory.create(pixel=pixel, event=event)
    answer = get(cast.vic, "pixels:dead_letters", cast.shoes, pixel.pixel_id)
    page = text_of(answer)
    assert "The currency must be a code of ISO 4217. Error 100.2804003: Meta refused an event's content" in page
    assert "•••" in page
    assert '"event_name": "Purchase",\n' in html.unescape(answer.content.decode())
    assert "hash" not in answer.content.decode()
    assert "Send again" not in page


def test_one_dead_letter_is_sent_again(cast: Cast, pixel: Pixel) -> None:
    first, second = DeadLetterFactory.create_batch(2, pixel=pixel)
    answer = post(cast.max, "pixels:replay", cast.shoes, pixel.pixel_id, letter=first.pk)
    assert answer.headers["Location"] == address("pixels:dead_letters", cast.shoes, pixel.pixel_id)
    assert DeadLetter.objects.get() == second
    assert OutboxRow.objects.count() == 1


def test_all_dead_letters_are_sent_again(cast: Cast, pixel: Pixel) -> None:
    DeadLetterFactory.create_batch(3, pixel=pixel)
    client = login(cast.max)
    post(client, "pixels:replay", cast.shoes, pixel.pixel_id)
    assert not DeadLetter.objects.exists()
    assert OutboxRow.objects.count() == 3
    assert "3 events are sent again." in see(client, "pixels:dead_letters", cast.shoes, pixel.pixel_id)


def test_what_is_sent_again_is_on_its_way_until_meta_has_answered(cast: Cast, pixel: Pixel) -> None:
    DeadLetterFactory.create(pixel=pixel)
    client = login(cast.max)
    post(client, "pixels:replay", cast.shoes, pixel.pixel_id)

    answer = get(client, "pixels:dead_letters", cast.shoes, pixel.pixel_id)

    assert "1 event is on its way to Meta." in text_of(answer)
    assert "Meta has refused none" not in text_of(answer)
    assert 'data-poll="3"' in answer.content.decode()
    OutboxRow.objects.all().delete()
    path = address("pixels:dead_letters", cast.shoes, pixel.pixel_id)
    part: Any = client.get(path, headers={"HX-Request": "true"})
    assert "Meta has refused none" in text_of(part)
    assert "<html" not in part.content.decode()


def test_dead_letters_are_discarded_one_or_all(cast: Cast, pixel: Pixel) -> None:
    first, *_ = DeadLetterFactory.create_batch(3, pixel=pixel)
    client = login(cast.max)
    post(client, "pixels:discard", cast.shoes, pixel.pixel_id, letter=first.pk)
    assert DeadLetter.objects.count() == 2
    post(client, "pixels:discard", cast.shoes, pixel.pixel_id)
    assert not DeadLetter.objects.exists()
    assert not OutboxRow.objects.exists()


@pytest.mark.parametrize("letter", ["0", "x", "9" * 30, "١", "nul\0"])
def test_a_letter_that_is_not_there_changes_nothing(cast: Cast, pixel: Pixel, letter: str) -> None:
    DeadLetterFactory.create(pixel=pixel)
    client = login(cast.max)
    before = snapshot()
    assert post(client, "pixels:replay", cast.shoes, pixel.pixel_id, letter=letter).status_code == 302
    assert snapshot() == before


@pytest.mark.parametrize("act", ["pixels:replay", "pixels:discard"])
def test_a_letter_is_reached_through_its_own_pixel_alone(cast: Cast, pixel: Pixel, act: str) -> None:
    letter = DeadLetterFactory.create(pixel__tenant=cast.shoes)
    client = login(cast.max)
    before = snapshot()
    assert post(client, act, cast.shoes, pixel.pixel_id, letter=letter.pk).status_code == 302
    assert snapshot() == before


def test_another_accounts_letter_cannot_be_reached_through_ones_own_pixel(cast: Cast, pixel: Pixel) -> None:
    letter = DeadLetterFactory.create(pixel__tenant=cast.other)
    client = login(cast.max)
    before = snapshot()
    for name in ("replay", "discard"):
        post(client, f"pixels:{name}", cast.shoes, pixel.pixel_id, letter=letter.pk)
        post(client, f"pixels:{name}", cast.shoes, letter.pixel.pixel_id)
    assert snapshot() == before


@pytest.mark.parametrize("name", ["replay", "discard", "retry"])
@pytest.mark.parametrize(("who", "status"), [("olaf", 404), ("vic", 403), ("vera", 403)])
def test_those_who_may_only_look_change_nothing(cast: Cast, pixel: Pixel, name: str, who: str, status: int) -> None:
    letter = DeadLetterFactory.create(pixel=pixel)
    client = login(getattr(cast, who))
    before = snapshot()
    assert post(client, f"pixels:{name}", cast.shoes, pixel.pixel_id).status_code == status
    assert post(client, f"pixels:{name}", cast.shoes, pixel.pixel_id, letter=letter.pk).status_code == status
    assert snapshot() == before

"""A destination is tried with one event: what was sent and answered is shown, and nothing is counted or kept."""

from __future__ import annotations

from collections import Counter
from typing import Any

import orjson
import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from accounts.models import AuditEntry
from common.secrets import MASK
from events.gateway import trials
from events.gateway.taking_in import take_in
from events.models import DestinationCounter, DestinationLane, DestinationLetter, DestinationRow, SourceRow
from events.sandbox import Sandbox
from pipelines.ids import DESTINATION, id_of, id_of_pixel
from pipelines.models import Destination, DestinationType, Source
from tests.base import Cast, login
from tests.events.gateway.stage import purchase, put, source_of
from tests.events.gateway.test_custom_http_served import Api, configure
from tests.factories import (
    DestinationFactory,
    PipelineDestinationFactory,
    PipelineFactory,
    PipelineSourceFactory,
    PixelFactory,
)
from tests.pages import address, get, post, text_of


@pytest.fixture
def source(cast: Cast) -> Source:
    return source_of(cast.shoes)


@pytest.fixture
def api(httpserver: HTTPServer, settings: Settings) -> Api:
    settings.DESTINATION_ALLOWED_NETWORKS = ["127.0.0.1"]
    return Api(httpserver)


def placed(source: Source, **values: object) -> Destination:
    made: Destination = DestinationFactory.create(tenant=source.tenant, **values)
    pipeline = PipelineFactory.create(tenant=source.tenant)
    PipelineSourceFactory.create(pipeline=pipeline, source=source)
    PipelineDestinationFactory.create(pipeline=pipeline, destination=made)
    return made


@pytest.fixture
def books(source: Source, api: Api) -> Destination:
    made = placed(source, type=DestinationType.CUSTOM_HTTP_API)
    configure(made, api)
    return made


@pytest.fixture
def manager(cast: Cast) -> Client:
    return login(cast.max)


def try_it(manager: Client, destination: Destination, **given: str) -> Any:
    at = id_of(DESTINATION, destination.uuid)
    return post(manager, "pipelines:test_destination", destination.tenant, at, **{"event": "sample"} | given)


def verdict(answer: Any) -> str:
    return str(answer.content.decode().partition('data-verdict="')[2].partition('"')[0])


def test_a_made_up_event_goes_by_the_destinations_own_road_and_is_not_counted(
    manager: Client, books: Destination, api: Api
) -> None:
    answer = try_it(manager, books)

    page = text_of(answer)
    assert verdict(answer) == "accepted"
    assert "It answered with the status 204." in page
    assert f"POST {api.url}" in page
    assert f"X-Key: {MASK}" in page
    assert [event["event_id"][:5] for event in api.taken] == ["test-"]
    for model in (DestinationCounter, DestinationLane, DestinationLetter, DestinationRow, SourceRow):
        assert not model._default_manager.exists()
    assert AuditEntry.objects.latest("pk").act == "test destination"


def test_an_event_that_was_refused_is_shown_masked_and_sent_in_full(
    manager: Client, books: Destination, api: Api, httpserver: HTTPServer
) -> None:
    configure(books, api, template='{"id": {{ event_id }}, "user": {{ user_data }}, "custom": {{ custom_data }}}')
    secret = "e" * 64
    browser = "Mozilla/5.0 (of somebody)"
    event = purchase(user_data={"em": [secret], "client_ip_address": "192.0.2.77", "client_user_agent": browser})
    event["custom_data"] = {"telephone": 491701234567}
    letter = DestinationLetter.objects.create(
        destination=books, event_name="Purchase", event_id=event["event_id"], event=orjson.dumps(event), code="422",
        message="no", received_at=timezone.now(), failed_at=timezone.now(),
    )  # fmt: skip
    got: list[str] = []

    def quote(request: Request) -> Response:
        got.append(request.get_data(as_text=True))
        quoted = got[-1].replace("/", r"\/")  # as PHP does
        return Response(f"bad: {quoted} of canary", 422)

    httpserver.clear()
    httpserver.expect_request("/events").respond_with_handler(quote)

    answer = try_it(manager, books, event=f"letter-{letter.pk}")

    assert verdict(answer) == "refused"
    assert secret in got[0]
    page = answer.content.decode()
    assert event["event_id"] in page
    assert "bad: " in page
    for hidden in (secret, "192.0.2.77", "canary", "of somebody", "491701234567"):
        assert hidden not in page


def test_an_event_that_waits_is_offered_and_stays_where_it_is(manager: Client, books: Destination, api: Api) -> None:
    source = Source.objects.get()
    event = purchase()
    put(source, event)
    take_in(source.pk)
    row = SourceRow.objects.get()
    at = id_of(DESTINATION, books.uuid)
    assert event["event_id"] in get(manager, "pipelines:test_destination", books.tenant, at).content.decode()

    assert verdict(try_it(manager, books, event=f"row-{row.pk}")) == "accepted"

    assert [each["event_id"] for each in api.taken] == [event["event_id"]]
    assert SourceRow.objects.get().pk == row.pk
    assert not DestinationCounter.objects.exists()


def test_each_answer_is_said_in_words(manager: Client, books: Destination, api: Api, settings: Settings) -> None:
    api.key = "another"
    held = try_it(manager, books)
    assert (verdict(held), "status 401" in text_of(held), "Who are you?" in text_of(held)) == ("held", True, True)

    settings.DESTINATION_ALLOWED_NETWORKS = []
    waits = try_it(manager, books)
    assert verdict(waits) == "waits"
    assert "The address is not on the public internet." in text_of(waits)
    assert "Nobody answered" in text_of(waits)


def test_a_data_set_at_meta_is_tried_with_a_code_so_that_meta_does_not_count_it(
    manager: Client, source: Source, sandbox: Sandbox
) -> None:
    data_set = placed(
        source,
        type=DestinationType.META_CONVERSIONS_API,
        settings={"dataSetId": "7001", "apiVersion": "v24.0"},
        secrets='{"accessToken": "the token"}',
    )
    without = try_it(manager, data_set)
    assert without.status_code == 400
    assert not sandbox.arrivals

    answer = try_it(manager, data_set, test_event_code="TEST123")

    assert verdict(answer) == "accepted"
    assert [arrival.pixel_id for arrival in sandbox.arrivals] == ["7001"]
    page = text_of(answer)
    assert "/v24.0/7001/events" in page
    assert "TEST123" in page
    assert "the token" not in page
    assert "events_received" in page


def test_ten_a_minute_and_no_more(manager: Client, books: Destination, api: Api) -> None:
    for _ in range(10):
        try_it(manager, books)

    refused = try_it(manager, books)

    assert refused.status_code == 400
    assert "An account may send 10 tests a minute: try again in" in text_of(refused)
    assert api.requests == 10


def test_two_people_of_an_account_test_at_once_and_a_third_is_told_to_wait(
    cast: Cast, manager: Client, books: Destination, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trials, "_under_way", Counter({cast.shoes.pk: 1}))
    assert verdict(try_it(manager, books)) == "accepted"

    trials._under_way[cast.shoes.pk] = 2
    answers = [try_it(manager, books) for _ in range(12)]  # more than there may be in a minute
    refused = answers[-1]
    assert refused.status_code == 400
    assert "Other tests are under way: try again in 5 seconds." in text_of(refused)
    assert api.requests == 1

    trials._under_way[cast.shoes.pk] = 1
    assert verdict(try_it(manager, books)) == "accepted"


def test_one_account_leaves_room_for_others_and_all_together_for_pages(
    cast: Cast, manager: Client, books: Destination, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trials, "_under_way", Counter({cast.books.pk: 2}))
    assert verdict(try_it(manager, books)) == "accepted"
    assert trials._under_way == {cast.books.pk: 2}

    trials._under_way[cast.other.pk] = 1
    assert "Other tests are under way" in text_of(try_it(manager, books))


@pytest.mark.parametrize("event", ["letter-1", "row-x", "row-" + "9" * 30, "", "perhaps"])
def test_an_event_that_is_not_there_is_refused(manager: Client, books: Destination, api: Api, event: str) -> None:
    answer = try_it(manager, books, event=event)
    assert answer.status_code == 400
    assert api.requests == 0


def test_what_is_not_configured_is_not_tried(manager: Client, source: Source) -> None:
    answer = try_it(manager, placed(source, type=DestinationType.CUSTOM_HTTP_API))
    assert "Must be configured first." in text_of(answer)


def test_who_can_be_tried(cast: Cast, manager: Client, source: Source) -> None:
    """A Meta Pixel has its own test; and what keeps nothing has none."""
    PixelFactory.create(tenant=cast.shoes, pixel_id="555001")
    of_pixel = id_of_pixel(DESTINATION, "555001")
    storage = placed(source, type=DestinationType.AUDIENCE_STORAGE)
    led = manager.get(address("pipelines:test_destination", cast.shoes, of_pixel))
    assert led.headers["Location"] == address("pixels:sending", cast.shoes, "555001")
    at = address("pipelines:test_destination", cast.shoes, id_of(DESTINATION, storage.uuid))
    assert manager.get(at).status_code == 404

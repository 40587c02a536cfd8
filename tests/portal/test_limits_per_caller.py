"""API_RATE_LIMIT, ADDRESS_RATE_LIMIT and PIXEL_RATE_LIMIT, at every door."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from typing import Any

import pytest
import time_machine
from django.test import Client
from limits import parse
from pytest_django import DjangoAssertNumQueries, Settings

from accounts.models import AccessToken
from common.rate_limits import away
from events.models import OutboxRow
from tests.base import CAPIG, HUB, Cast, bearer, client_of, graphql, login
from tests.events.sending import purchase
from tests.factories import PixelFactory

#: What the test client returns.
Response = Any

NOON = "2026-03-02T12:00:20Z"  # of a window of a minute, 40 seconds are left
VIEWER = "{ viewer { kind } }"
NOBODYS_REDIS = "redis://127.0.0.1:1/0"


@pytest.fixture
def limited(settings: Settings) -> None:
    """Two requests a minute, whoever comes."""
    for name in ("API_RATE_LIMIT", "ADDRESS_RATE_LIMIT", "PIXEL_RATE_LIMIT"):
        setattr(settings, name, parse("2/minute"))


@pytest.fixture(autouse=True)
def _at_noon() -> Any:
    with time_machine.travel(NOON, tick=False):
        yield


def assert_told_to_wait(response: Response) -> None:
    assert response.status_code == 429
    assert response.headers["Retry-After"] == "40"


def ask_page(address: str = "192.0.2.7", path: str = "/auth/login/", **headers: str) -> Response:
    return Client(REMOTE_ADDR=address, headers=headers).get(path)


def ask_graphql(token: str, address: str = "192.0.2.7") -> Response:
    client = Client(REMOTE_ADDR=address, headers={"Authorization": f"Bearer {token}"})
    return client.post(HUB, {"query": VIEWER}, content_type="application/json")


def send(pixel_id: str) -> Response:
    return Client().post(f"/capi/{pixel_id}/events", {"data": [purchase()]}, content_type="application/json")


pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("limited")]

# --- By API account --------------------------------------------------------------------------------------------------


def test_an_api_account_is_told_to_wait_in_the_form_of_graphql(cast: Cast) -> None:
    token = bearer(cast.robot)
    assert [ask_graphql(token).status_code for _ in range(2)] == [200, 200]

    response = ask_graphql(token)
    assert_told_to_wait(response)
    (error,) = json.loads(response.content)["errors"]
    assert error["extensions"] == {"code": 429}
    assert error["message"] == "Too many requests: wait as long as Retry-After says."


def test_both_endpoints_and_the_rest_api_count_together(cast: Cast) -> None:
    graphql(cast.robot, HUB, VIEWER)
    graphql(cast.robot, CAPIG, "{ __typename }")

    response = client_of(cast.robot).get("/api/usage?from=2026-03-01&to=2026-03-01")
    assert_told_to_wait(response)
    assert response.json() == {
        "error": {"message": "Too many requests: wait as long as Retry-After says.", "code": 429}
    }


def test_another_token_is_no_way_around(cast: Cast) -> None:
    statuses = [ask_graphql(bearer(cast.robot), f"192.0.2.{number}").status_code for number in range(3)]

    assert statuses == [200, 200, 429]


def test_an_api_account_does_not_wait_for_strangers_at_its_address(cast: Cast) -> None:
    assert [ask_graphql("guessed").status_code for _ in range(3)] == [401, 401, 429]

    assert ask_graphql(bearer(cast.robot)).status_code == 200


def test_a_remembered_token_that_has_been_taken_back_counts_against_its_address(cast: Cast) -> None:
    token = bearer(cast.robot)
    assert ask_graphql(token).status_code == 200
    AccessToken.objects.all().delete()

    assert [ask_graphql(token).status_code for _ in range(3)] == [401, 401, 429]


def test_whose_token_was_taken_back_is_not_told_to_wait_for_its_account(cast: Cast) -> None:
    token = bearer(cast.robot)
    assert [ask_graphql(token).status_code for _ in range(3)] == [200, 200, 429]
    AccessToken.objects.all().delete()

    assert ask_graphql(token).status_code == 401


def test_people_are_counted_each(cast: Cast) -> None:
    assert [graphql(cast.hanna, HUB, VIEWER).status for _ in range(3)] == [200, 200, 429]
    assert graphql(cast.milo, HUB, VIEWER).status == 200


def test_after_a_minute_it_goes_on(cast: Cast) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        assert [graphql(cast.robot, HUB, VIEWER).status for _ in range(3)] == [200, 200, 429]
        clock.shift(61)
        assert graphql(cast.robot, HUB, VIEWER).status == 200


# --- By address ------------------------------------------------------------------------------------------------------


def test_an_address_is_told_to_wait_by_a_page_in_our_look() -> None:
    assert [ask_page().status_code for _ in range(2)] == [200, 200]

    response = ask_page()
    assert_told_to_wait(response)
    assert "That was too often" in response.content.decode()
    assert "Content-Security-Policy" in response.headers


@pytest.mark.parametrize("path", ["/", "/hub/", "/nowhere/", "/admin/", "/api/docs", "/api/openapi.json", "/i18n/"])
def test_every_page_counts(path: str) -> None:
    ask_page(path=path)
    ask_page(path=path)

    assert_told_to_wait(ask_page())


def test_people_who_have_signed_in_count_too(cast: Cast) -> None:
    client = login(cast.hanna)
    assert [client.get("/hub/").status_code for _ in range(3)] == [200, 200, 429]


def test_the_health_of_the_process_is_told_as_often_as_it_is_asked() -> None:
    assert {ask_page(path="/healthz").status_code for _ in range(5)} == {200}


def test_each_address_counts_for_itself() -> None:
    ask_page("192.0.2.7")
    ask_page("192.0.2.7")

    assert ask_page("192.0.2.8").status_code == 200


def test_a_network_of_ipv6_is_one_caller() -> None:
    assert [ask_page(f"2001:db8:0:1::{number}").status_code for number in range(3)] == [200, 200, 429]
    assert ask_page("2001:db8:0:2::1").status_code == 200


def test_an_ipv4_address_within_ipv6_is_the_same_caller() -> None:
    ask_page("192.0.2.7")
    ask_page("::ffff:192.0.2.7")

    assert_told_to_wait(ask_page("192.0.2.7"))
    assert ask_page("::ffff:192.0.2.8").status_code == 200


def test_forged_headers_are_no_way_around() -> None:
    statuses = [
        ask_page(x_forwarded_for=f"203.0.113.{number}", x_real_ip=f"203.0.113.{number}").status_code
        for number in range(3)
    ]

    assert statuses == [200, 200, 429]


def test_names_that_are_tried_at_the_token_endpoint_count_together() -> None:
    def guess(name: str) -> Response:
        form = {"grant_type": "client_credentials", "client_id": name, "client_secret": "guessed"}
        return Client().post("/clients/token", form)

    assert [guess(name).status_code for name in ("Robot1", "Robot2")] == [401, 401]
    response = guess("Robot3")
    assert_told_to_wait(response)
    assert response.json()["error"] == "slow_down"


# --- By pixel --------------------------------------------------------------------------------------------------------


def test_a_pixel_is_told_to_wait_in_the_form_of_the_graph_api() -> None:
    pixel = PixelFactory.create()
    assert [send(pixel.pixel_id).status_code for _ in range(2)] == [202, 202]

    response = send(pixel.pixel_id)
    assert_told_to_wait(response)
    error = response.json()["error"]
    assert error.pop("fbtrace_id")
    assert error == {
        "message": "Too many requests: wait as long as Retry-After says.",
        "type": "OAuthException",
        "code": 4,
        "error_subcode": 0,
    }
    assert OutboxRow.objects.count() == 2


def test_other_pixels_are_not_delayed() -> None:
    busy, quiet = PixelFactory.create(), PixelFactory.create()
    for _ in range(3):
        send(busy.pixel_id)

    assert send(quiet.pixel_id).status_code == 202


def test_events_are_not_counted_by_address() -> None:
    """A server sends for hundreds of pixels, and whole offices share an address."""
    assert {send(PixelFactory.create().pixel_id).status_code for _ in range(5)} == {202}


def from_address(address: str, path: str, body: bytes) -> int:
    return Client(REMOTE_ADDR=address).post(path, body, content_type="application/json").status_code


JUNK = [b"", b"{", b"a=b", b'{"data": []}', b'{"data": "x"}']


def test_a_stranger_does_not_use_up_a_pixels_limit() -> None:
    pixel = PixelFactory.create(require_access_key=True)
    path = f"/capi/{pixel.pixel_id}/events"
    keyless = [json.dumps({"data": [purchase()], **key}).encode() for key in ({}, {"accessKey": "guessed"}) * 3]

    refused = [from_address("192.0.2.66", path, body) for body in (*JUNK, *keyless)]

    assert set(refused) <= {400, 401, 429}
    right = json.dumps({"data": [purchase()], "accessKey": pixel.access_key}).encode()
    assert [from_address("192.0.2.7", path, right) for _ in range(3)] == [202, 202, 429]


def test_what_is_refused_counts_against_the_address_it_comes_from() -> None:
    path = f"/capi/{PixelFactory.create().pixel_id}/events"

    assert [from_address("192.0.2.66", path, body) for body in JUNK[:3]] == [400, 400, 429]
    assert from_address("192.0.2.7", path, b"{") == 400


def test_who_sends_events_rightly_does_not_wait_for_others_at_the_address() -> None:
    path = f"/capi/{PixelFactory.create().pixel_id}/events"
    for body in JUNK:
        from_address("192.0.2.66", path, body)

    assert from_address("192.0.2.66", path, json.dumps({"data": [purchase()]}).encode()) == 202


def test_who_makes_up_ids_of_pixels_is_told_to_wait_before_the_database_is_asked(
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    with django_assert_max_num_queries(2):
        statuses = [from_address("192.0.2.66", f"/capi/{number}/events", b"{}") for number in range(5)]

    assert statuses == [404, 404, 429, 429, 429]


def test_one_wrong_id_that_is_sent_to_again_and_again_counts_once() -> None:
    assert [send("404").status_code for _ in range(5)] == [404] * 5


# --- Switched off, and without Redis ---------------------------------------------------------------------------------


@pytest.fixture
def unlimited(limited: None, settings: Settings) -> None:
    for name in ("API_RATE_LIMIT", "ADDRESS_RATE_LIMIT", "PIXEL_RATE_LIMIT"):
        setattr(settings, name, None)


@pytest.mark.usefixtures("unlimited")
def test_a_limit_that_is_off_counts_nothing(cast: Cast) -> None:
    pixel_id = PixelFactory.create().pixel_id

    assert {ask_page().status_code for _ in range(4)} == {200}
    assert {graphql(cast.robot, HUB, VIEWER).status for _ in range(4)} == {200}
    assert {send(pixel_id).status_code for _ in range(4)} == {202}


@pytest.fixture
def without_redis(settings: Settings) -> Any:
    """Redis is named, and nobody is there."""
    settings.RATE_LIMIT_STORAGE_URL = NOBODYS_REDIS
    settings.CACHES = {"default": {"BACKEND": "portal.cache.ForgivingRedisCache", "LOCATION": NOBODYS_REDIS}}
    away.until = 0
    yield
    away.until = 0


@pytest.mark.usefixtures("without_redis")
def test_without_redis_each_process_counts_alone(cast: Cast, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        statuses = [graphql(cast.robot, HUB, VIEWER).status for _ in range(3)]

    assert statuses == [200, 200, 429]
    assert len([record for record in caplog.records if record.name == "common.rate_limits"]) == 1


@pytest.mark.usefixtures("without_redis")
@pytest.mark.parametrize(
    "ask",
    [
        ask_page,
        lambda: send(PixelFactory.create().pixel_id),
        lambda: Client().post("/auth/login/", {"login": "ada@example.com", "password": "wrong"}),
        lambda: Client().post("/clients/token", {"grant_type": "client_credentials", "client_id": "x"}),
    ],
)
def test_without_redis_nothing_fails(ask: Callable[[], Response]) -> None:
    assert ask().status_code < 500

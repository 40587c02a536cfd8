"""Telling Meta of a pixel: what it is told, when again, and what follows from its answers."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import Settings
from pytest_httpserver import HTTPServer

from events.models import Registration
from events.registration import leases
from events.registration.registrar import instance_id
from events.registration.telling import TAKEN_CODE, tell
from events.sandbox import Sandbox
from events.sandbox.registrations import EDGE
from pixels.models import Pixel
from tests.events.registration.conftest import Sweep, row_of, told
from tests.factories import DomainFilterFactory, EventFilterFactory, IngressDomainFactory, PixelFactory

State = Registration.State
LATER = timedelta(hours=7)

pytestmark = pytest.mark.django_db


def test_a_new_pixel_is_registered_with_what_meta_shall_know(sandbox: Sandbox, sweep: Sweep) -> None:
    pixel = PixelFactory.create(business_id="42")
    EventFilterFactory.create(tenant=pixel.tenant, event_name="Lead")
    DomainFilterFactory.create(pixel=pixel, domain="staging.example.com")

    sweep()

    (node,) = sandbox.registrations.of_pixel(pixel.pixel_id)
    assert node == {
        "id": node["id"],
        "business_id": "42",
        "pixel_id": pixel.pixel_id,
        "instance_id": instance_id(),
        "endpoint": "https://gateway.example.com",
        "fallback_domain": "gateway.example.com",
        "active": True,
        "capi_publishing_state": "ENABLED",
        "event_enrichment_state": "NO",
        "blocked_event_types": ["Lead"],
        "blocked_websites": ["staging.example.com"],
    }
    row = row_of(pixel)
    assert (row.state, row.node, row.endpoint) == (State.REGISTERED, node["id"], "https://gateway.example.com")
    assert row.told_at is not None


def test_the_accounts_own_domain_is_the_address_that_meta_gets(sandbox: Sandbox, sweep: Sweep) -> None:
    pixel = PixelFactory.create()
    IngressDomainFactory.create(tenant=pixel.tenant, ingress="events.shop.example.com", status="VERIFIED")

    sweep()

    (node,) = sandbox.registrations.of_pixel(pixel.pixel_id)
    assert (node["endpoint"], node["fallback_domain"]) == ("https://events.shop.example.com", "gateway.example.com")


def test_meta_is_not_asked_again_while_nothing_has_changed(sandbox: Sandbox, sweep: Sweep) -> None:
    pixel = PixelFactory.create()
    sweep()
    before = list(sandbox.registrations.requests)

    sweep()
    sweep(after=timedelta(days=1, hours=1))

    assert sandbox.registrations.requests == before
    due_at = row_of(pixel).due_at
    assert due_at is not None
    assert due_at > timezone.now() + timedelta(days=1), "the next look is due a day later"


def test_what_no_signal_told_of_is_noticed_within_a_day(sandbox: Sandbox, sweep: Sweep) -> None:
    pixel = PixelFactory.create()
    sweep()
    Pixel.objects.update(publishing_enabled=False)  # past everything that notices changes

    sweep(after=timedelta(hours=22))
    assert len(told(sandbox)) == 1
    sweep(after=timedelta(days=1, hours=1))

    (node,) = sandbox.registrations.of_pixel(pixel.pixel_id)
    assert node["capi_publishing_state"] == "DISABLED"


def test_a_fault_of_metas_is_waited_out_with_growing_waits(sandbox: Sandbox, sweep: Sweep) -> None:
    sandbox.fail(edge=EDGE, code=2, times=3)
    pixel = PixelFactory.create()

    sweep()
    row = row_of(pixel)
    assert (row.state, row.failures, row.code) == (State.WAITING, 1, "2")
    assert row.due_at is not None
    assert timezone.now() < row.due_at < timezone.now() + timedelta(seconds=3)
    sweep()
    assert row_of(pixel).failures == 1, "it is not its time yet"

    for attempt in (1, 2, 3):
        sweep(after=attempt * LATER)
    row = row_of(pixel)
    assert (row.state, row.failures, row.code, row.message) == (State.REGISTERED, 0, "", "")


def test_no_answer_is_told_as_such(sandbox: Sandbox, sweep: Sweep) -> None:
    sandbox.fail(edge=EDGE, close=True, times=1)
    pixel = PixelFactory.create()

    sweep()

    row = row_of(pixel)
    assert (row.state, row.code, row.silence) == (State.WAITING, "", "RemoteProtocolError")


def test_waits_grow_up_to_six_hours_and_never_end(sandbox: Sandbox, sweep: Sweep) -> None:
    sandbox.fail(edge=EDGE, code=1)
    pixel = PixelFactory.create()
    Registration.objects.update(failures=1_000)

    sweep()

    row = row_of(pixel)
    assert (row.state, row.failures) == (State.WAITING, 1_001)
    assert row.due_at is not None
    assert row.due_at < timezone.now() + timedelta(hours=6, seconds=1)


@pytest.mark.parametrize(
    ("token", "code", "words"),
    [
        ("rejected", "190.460", "Error validating access token"),
        ("forbidden", "200", "(#200) Requires business_management permission"),
    ],
)
def test_what_meta_refuses_is_kept_with_its_words_and_not_tried_again(
    sandbox: Sandbox, sweep: Sweep, token: str, code: str, words: str
) -> None:
    pixel = PixelFactory.create(access_token=token)

    sweep()
    sweep(after=LATER)
    sweep(after=timedelta(days=30))

    row = row_of(pixel)
    assert (row.state, row.code, row.due_at) == (State.REFUSED, code, None)
    assert row.message.startswith(words)
    assert len(sandbox.registrations.requests) == 1


@pytest.mark.parametrize("code", [3, 10, 100, 12345])
def test_whatever_else_meta_says_is_a_refusal(sandbox: Sandbox, sweep: Sweep, code: int) -> None:
    sandbox.fail(edge=EDGE, code=code, message="You cannot.")
    pixel = PixelFactory.create()

    sweep()

    row = row_of(pixel)
    assert (row.state, row.code, row.message) == (State.REFUSED, str(code), "You cannot.")


def test_the_limit_of_a_business_holds_its_other_pixels_back(sandbox: Sandbox, sweep: Sweep) -> None:
    sandbox.fail(edge=EDGE, code=17, times=1)
    first, second = PixelFactory.create_batch(2, business_id="1")
    other = PixelFactory.create(business_id="2")
    Registration.objects.filter(pixel=first).update(due_at=timezone.now() - timedelta(minutes=1))

    tell(first.pk)
    assert row_of(second).due_at == row_of(first).due_at
    tell(second.pk)
    tell(other.pk)

    assert [row_of(pixel).state for pixel in (first, second, other)] == [
        State.WAITING,
        State.WAITING,
        State.REGISTERED,
    ]


def test_a_configuration_that_meta_has_lost_is_made_anew(sandbox: Sandbox, sweep: Sweep) -> None:
    pixel = PixelFactory.create()
    sweep()
    sandbox.clear()
    Pixel.objects.update(publishing_enabled=False)

    sweep(after=timedelta(days=2))

    (node,) = sandbox.registrations.of_pixel(pixel.pixel_id)
    assert row_of(pixel).node == node["id"]
    assert [request.method for request in sandbox.registrations.requests] == ["POST", "GET", "POST"]


def test_another_gateway_is_left_where_it_is_until_somebody_says_otherwise(sandbox: Sandbox, sweep: Sweep) -> None:
    pixel = PixelFactory.create()
    theirs = {"pixel_id": pixel.pixel_id, "instance_id": "theirs", "endpoint": "https://other.example.net"}
    sandbox.registrations.answer("POST", "1", True, "token", theirs)

    sweep()
    row = row_of(pixel)
    assert (row.state, row.code, row.message) == (State.REFUSED, TAKEN_CODE, "https://other.example.net")
    (node,) = sandbox.registrations.of_pixel(pixel.pixel_id)
    assert node["endpoint"] == "https://other.example.net"

    Registration.objects.update(may_replace=True, due_at=timezone.now())
    sweep()
    (node,) = sandbox.registrations.of_pixel(pixel.pixel_id)
    assert node["endpoint"] == "https://gateway.example.com"
    assert (row_of(pixel).state, row_of(pixel).may_replace) == (State.REGISTERED, False)


def test_another_gateway_that_is_switched_off_is_in_nobodys_way(sandbox: Sandbox, sweep: Sweep) -> None:
    pixel = PixelFactory.create()
    theirs = {
        "pixel_id": pixel.pixel_id,
        "instance_id": "theirs",
        "endpoint": "https://old.example.net",
        "active": False,
    }
    sandbox.registrations.answer("POST", "1", True, "token", theirs)

    sweep()

    assert row_of(pixel).state == State.REGISTERED
    assert len(sandbox.registrations.of_pixel(pixel.pixel_id)) == 2


def test_the_token_is_in_no_address_and_masked_where_meta_repeats_it(
    settings: Settings, httpserver: HTTPServer
) -> None:
    settings.GRAPH_API_URL = httpserver.url_for("").rstrip("/")
    error = {"error": {"code": 100, "message": "EAA-secret is wrong.", "type": "OAuthException"}}
    httpserver.expect_request(f"/v24.0/17/{EDGE}", method="GET").respond_with_json(error, status=400)
    pixel = PixelFactory.create(pixel_id="17", access_token="EAA-secret")

    tell(pixel.pk)

    (request, _answer), *_ = httpserver.log
    assert request.headers["Authorization"] == "Bearer EAA-secret"
    assert "EAA-secret" not in request.full_path
    assert row_of(pixel).message == "••• is wrong."


@pytest.mark.parametrize("answer", ["", "<html>", "[]", '{"data": 7}', '{"data": [{"id": "../me"}]}', '{"id": 7}'])
def test_an_answer_that_makes_no_sense_is_none(settings: Settings, httpserver: HTTPServer, answer: str) -> None:
    settings.GRAPH_API_URL = httpserver.url_for("").rstrip("/")
    httpserver.expect_request("/v24.0/17/" + EDGE).respond_with_data(answer)
    httpserver.expect_request("/v24.0/9/" + EDGE).respond_with_data(answer)
    pixel = PixelFactory.create(pixel_id="17", business_id="9")

    tell(pixel.pk)

    row = row_of(pixel)
    assert (row.state, row.node, row.failures) == (State.WAITING, "", 1)
    assert row.silence in ("no list", "no id")


def test_a_bulk_of_pixels_is_told_a_few_at_a_time(sandbox: Sandbox, sweep: Sweep) -> None:
    PixelFactory.create_batch(leases.A_SWEEP + 5)

    sweep()
    assert Registration.objects.filter(state=State.REGISTERED).count() == leases.A_SWEEP
    sweep()

    assert not Registration.objects.exclude(state=State.REGISTERED).exists()


def test_no_more_threads_than_a_few_ask_meta(sandbox: Sandbox, sweep: Sweep, monkeypatch: pytest.MonkeyPatch) -> None:
    PixelFactory.create()
    for _ in range(leases.AT_ONCE):
        leases._slots.acquire()
    try:
        sweep()
    finally:
        for _ in range(leases.AT_ONCE):
            leases._slots.release()

    assert sandbox.registrations.requests == []

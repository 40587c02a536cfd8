"""Publishing when something goes wrong: what waits, what is held, and what happens meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import DatabaseError
from django.utils import timezone
from pytest_django import Settings
from pytest_httpserver import HTTPServer

from accounts.models import TenantStatus
from common.secrets import Secret
from events.delivery import batches, lanes, leases, publishing, rounds, settling
from events.delivery.graph_api import post_events
from events.delivery.publishing import drain
from events.figures.counting import Tally
from events.models import Counter, DeadLetter, DeliveryBatch, DeliveryKey, Lane, OutboxRow
from events.sandbox import Sandbox
from pixels.models import Pixel
from tests.events.logged import logged
from tests.events.outbox import (
    again,
    answers,
    bad_purchase,
    counted,
    is_balanced,
    lane,
    purchase,
    purchases,
    put,
    waiting,
)
from tests.factories import EventFilterFactory, PixelFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def pixel(sandbox: Sandbox) -> Pixel:
    return PixelFactory.create()


# --- waits ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", [1, 2, 4, 17, 341, 368, 80_004, 10, 200, 803])
def test_what_will_pass_is_tried_again(pixel: Pixel, sandbox: Sandbox, code: int) -> None:
    events = purchases(2)
    put(pixel, *events)
    sandbox.fail(code=code, subcode=99, times=1)
    drain(pixel.pk)
    pixel.refresh_from_db()
    assert (pixel.api_error_code, pixel.bad_token) == (f"{code}.99", False)
    assert lane(pixel).failures == 1
    assert counted(pixel) == {"received": 2, "publish_errors": 1}
    assert is_balanced(pixel)
    again(pixel)
    assert sandbox.received == events
    pixel.refresh_from_db()
    assert pixel.api_error_code is None
    assert (lane(pixel).failures, lane(pixel).retry_at) == (0, None)
    assert counted(pixel) == {"received": 2, "published": 2, "publish_errors": 1}


def test_a_lost_answer_sends_the_same_ids_again(pixel: Pixel, sandbox: Sandbox) -> None:
    put(pixel, *purchases(2))
    sandbox.fail(close=True, accept=True, times=1)
    drain(pixel.pk)
    again(pixel)
    assert (len(sandbox.received), sandbox.duplicates) == (2, 2)
    assert counted(pixel) == {"received": 2, "published": 2, "publish_errors": 1}
    pixel.refresh_from_db()
    assert pixel.api_error_code is None


def test_failures_in_a_row_are_counted_and_a_success_ends_the_row(pixel: Pixel, sandbox: Sandbox) -> None:
    put(pixel, *purchases(4))
    answers(sandbox, 2, 2, 2, 100, 0, 2)
    drain(pixel.pk)
    again(pixel)
    again(pixel)
    assert lane(pixel).failures == 3
    again(pixel)
    assert lane(pixel).failures == 1
    assert is_balanced(pixel)


def test_while_a_pixel_waits_new_events_are_counted_and_filtered_but_not_sent(pixel: Pixel, sandbox: Sandbox) -> None:
    put(pixel, purchase())
    sandbox.fail(code=4, times=1)
    drain(pixel.pk)
    Lane.objects.update(retry_at=timezone.now() + timedelta(minutes=10))
    EventFilterFactory.create(tenant=pixel.tenant, event_name="Lead")
    put(pixel, purchase(), purchase(event_name="Lead"))
    put(pixel, purchase(event_name="Lead"))
    drain(pixel.pk)
    assert len(sandbox.requests) == 1
    assert counted(pixel) == {"received": 4, "dropped_by_event_filter": 2, "publish_errors": 1}
    assert waiting(pixel) == 2
    assert is_balanced(pixel)
    again(pixel)
    assert counted(pixel)["published"] == 2


def test_events_of_a_deactivated_account_wait(pixel: Pixel, sandbox: Sandbox) -> None:
    type(pixel.tenant).objects.update(status=TenantStatus.DEACTIVATED)
    events = purchases(2)
    put(pixel, *events)
    drain(pixel.pk)
    assert not sandbox.requests
    assert counted(pixel) == {"received": 2}
    type(pixel.tenant).objects.update(status=TenantStatus.ACTIVE)
    drain(pixel.pk)
    assert sandbox.received == events


def test_what_waits_too_long_expires_though_nothing_is_published(pixel: Pixel, sandbox: Sandbox) -> None:
    put(pixel, *purchases(2))
    sandbox.fail(code=190)
    drain(pixel.pk)
    with time_machine.travel(timezone.now() + timedelta(days=7, minutes=1)):
        drain(pixel.pk)
    assert not OutboxRow.objects.exists()
    assert counted(pixel) == {"received": 2, "expired": 2, "publish_errors": 1}
    assert is_balanced(pixel)


def test_a_fault_of_ours_changes_nothing_and_keeps_everybody_off_for_a_while(
    pixel: Pixel, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*args: object) -> None:
        raise DatabaseError

    put(pixel, purchase())
    with monkeypatch.context() as patch:
        patch.setattr(settling, "_keep_dead_letters", broken)
        with pytest.raises(DatabaseError):
            drain(pixel.pk)
    assert lane(pixel).failures == 1
    assert lanes.waiting_pixels() == []
    assert counted(pixel) == {}
    assert not OutboxRow.objects.get().counted
    with time_machine.travel(timezone.now() + timedelta(seconds=3)):
        assert lanes.waiting_pixels() == [pixel.pk]
        drain(pixel.pk)
    assert counted(pixel) == {"received": 1, "published": 1}
    assert (lane(pixel).failures, lane(pixel).claim) == (0, None)


@pytest.mark.parametrize("counted_before", [False, True])
def test_a_request_that_cannot_be_read_is_set_aside_and_what_is_behind_it_goes_on(
    pixel: Pixel, sandbox: Sandbox, counted_before: bool
) -> None:
    damaged = b'[{"event_name":"Lead","eve'
    row = OutboxRow.objects.create(pixel=pixel, received_at=timezone.now(), event_count=2, body=damaged)
    if counted_before:
        tally = Tally()
        tally.add(row.received_at, "Lead", "", "received", 2)
        tally.write(pixel.pk)
        OutboxRow.objects.update(counted=True)
    event = purchase()
    put(pixel, event)
    drain(pixel.pk)
    assert sandbox.received == [event]
    assert counted(pixel) == {"received": 3, "published": 1, "failed": 2}
    assert is_balanced(pixel)
    assert not OutboxRow.objects.exists()
    letter = DeadLetter.objects.get()
    assert (bytes(letter.event), letter.code) == (damaged, "unreadable")
    assert [line.code for line in logged() if line.outcome == "FAILED"] == ["unreadable"] * 2


@pytest.mark.parametrize("status", [400, 403, 404, 422])
def test_a_refusal_that_is_no_answer_of_meta_s_is_tried_again_until_the_events_expire(
    pixel: Pixel, status: int, settings: Settings, httpserver: HTTPServer
) -> None:
    settings.GRAPH_API_URL = httpserver.url_for("").rstrip("/")
    httpserver.expect_request(f"/{pixel.api_version}/{pixel.pixel_id}/events").respond_with_data("<html>", status)
    put(pixel, *purchases(3))
    for _ in range(3):
        again(pixel)
    assert not DeadLetter.objects.exists()
    assert (waiting(pixel), lane(pixel).failures) == (3, 3)
    with time_machine.travel(timezone.now() + timedelta(days=7, minutes=1)):
        again(pixel)
    assert counted(pixel) == {"received": 3, "expired": 3, "publish_errors": 3}
    assert is_balanced(pixel)


def test_an_error_that_nobody_knows_is_tried_again_and_blames_no_event(pixel: Pixel, sandbox: Sandbox) -> None:
    put(pixel, *purchases(8))
    sandbox.fail(code=4_711, subcode=1, times=3)
    drain(pixel.pk)
    for _ in range(2):
        again(pixel)
    assert len(sandbox.requests) == 3
    assert (waiting(pixel), lane(pixel).failures) == (8, 3)
    assert not DeadLetter.objects.exists()
    pixel.refresh_from_db()
    assert pixel.api_error_code == "4711.1"
    again(pixel)
    assert counted(pixel) == {"received": 8, "published": 8, "publish_errors": 3}


def test_publishing_that_is_switched_off_discards_what_waits_too(pixel: Pixel, sandbox: Sandbox) -> None:
    put(pixel, *purchases(2))
    sandbox.fail(code=2, times=1)
    drain(pixel.pk)
    Pixel.objects.update(publishing_enabled=False)
    put(pixel, purchase())
    again(pixel)
    assert counted(pixel) == {"received": 3, "dropped_publishing_off": 3, "publish_errors": 1}
    assert not OutboxRow.objects.exists()
    assert is_balanced(pixel)


# --- tokens -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", [190, 102])
def test_a_rejected_token_holds_the_pixel_until_there_is_a_new_one(
    pixel: Pixel, sandbox: Sandbox, code: int, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    events = purchases(3)
    put(pixel, *events[:2])
    sandbox.fail(code=code, subcode=463, times=1)
    drain(pixel.pk)
    pixel.refresh_from_db()
    assert (pixel.bad_token, pixel.api_error_code) == (True, f"{code}.463")
    put(pixel, events[2])
    again(pixel)
    assert len(sandbox.requests) == 1
    assert counted(pixel) == {"received": 3, "publish_errors": 1}
    assert is_balanced(pixel)

    with django_capture_on_commit_callbacks(execute=True):
        pixel.access_token = Secret.seal("a new token")
        pixel.save(update_fields=["access_token"])
    assert not lane(pixel).held
    drain(pixel.pk)
    assert sandbox.received == events
    assert sandbox.requests[-1].access_token == "a new token"
    pixel.refresh_from_db()
    assert (pixel.bad_token, pixel.api_error_code) == (False, None)
    assert is_balanced(pixel)


def meanwhile(monkeypatch: pytest.MonkeyPatch, act: Callable[[], object]) -> None:
    """Do something, once, while the next request is under way."""
    pending = [act]

    def post_and_act(**request: Any) -> Any:
        answer = post_events(**request)
        if pending:
            pending.pop()()
        return answer

    monkeypatch.setattr(publishing, "post_events", post_and_act)


def test_a_token_that_was_replaced_meanwhile_is_not_the_one_that_was_rejected(
    pixel: Pixel, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(pixel, purchase())
    sandbox.fail(code=190, times=1)
    meanwhile(monkeypatch, lambda: Pixel.objects.update(access_token=Secret.seal("new")))
    drain(pixel.pk)
    pixel.refresh_from_db()
    assert (pixel.bad_token, pixel.api_error_code) == (False, None)
    assert [request.access_token for request in sandbox.requests] == ["the token of a test's pixel", "new"]
    assert counted(pixel) == {"received": 1, "published": 1, "publish_errors": 1}


# --- two workers, and what happens meanwhile --------------------------------------------------------------------------


def test_a_worker_that_was_thought_dead_changes_nothing(
    pixel: Pixel, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    def other_worker() -> None:
        with time_machine.travel(timezone.now() + timedelta(seconds=61)):
            drain(pixel.pk)

    put(pixel, *purchases(3))
    meanwhile(monkeypatch, other_worker)
    assert drain(pixel.pk) is False
    assert (len(sandbox.received), sandbox.duplicates) == (3, 3)
    assert counted(pixel) == {"received": 3, "published": 3}
    assert len(logged()) == 3
    assert lane(pixel).claim is None


def test_a_worker_that_was_thought_dead_stops_at_its_next_request(
    pixel: Pixel, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    def other_worker() -> None:
        Lane.objects.update(claimed_until=timezone.now())
        drain(pixel.pk)

    monkeypatch.setattr(leases, "_is_due", lambda claim: True)
    put(pixel, *purchases(2), bad_purchase())
    meanwhile(monkeypatch, other_worker)
    drain(pixel.pk)
    assert len(sandbox.requests) == 1 + 5
    assert DeadLetter.objects.count() == 1
    assert is_balanced(pixel)


def test_events_that_come_meanwhile_are_published_in_the_same_turn(
    pixel: Pixel, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(pixel, purchase())
    meanwhile(monkeypatch, lambda: put(pixel, purchase()))
    drain(pixel.pk)
    assert len(sandbox.received) == 2


def test_events_that_come_after_the_last_look_are_published_in_the_same_turn(
    pixel: Pixel, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    def settle(*args: Any, **kwargs: Any) -> None:
        if len(sandbox.received) == 1:
            put(pixel, purchase())
            assert drain(pixel.pk) is False  # the wake-up finds the lane taken
        settling.settle(*args, **kwargs)

    monkeypatch.setattr(publishing, "settle", settle)
    put(pixel, purchase())
    drain(pixel.pk)
    assert len(sandbox.received) == 2


def test_a_pixel_that_is_removed_meanwhile_leaves_nothing(
    pixel: Pixel, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(pixel, purchase(), bad_purchase())
    meanwhile(monkeypatch, lambda: Pixel.objects.get().delete())
    assert drain(pixel.pk) is False
    for model in (Lane, OutboxRow, Counter, DeadLetter, DeliveryBatch, DeliveryKey):
        assert not model._base_manager.exists()


def test_a_pixel_with_more_to_do_than_its_share_stops_at_the_end_of_its_time(
    pixel: Pixel, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publishing.Turn, "is_over", property(lambda turn: bool(sandbox.requests)))
    monkeypatch.setattr(batches, "MAX_EVENTS", 1_000)
    for _ in range(2):
        put(pixel, *purchases(600))
    assert drain(pixel.pk) is True
    assert lane(pixel).claim is None
    assert len(sandbox.received) == 600
    assert OutboxRow.objects.count() == 1


def test_a_worker_that_was_asked_to_stop_finishes_its_batch(
    pixel: Pixel, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopping = threading.Event()
    monkeypatch.setattr(rounds, "stopping", stopping)
    monkeypatch.setattr(batches, "MAX_EVENTS", 1_000)
    meanwhile(monkeypatch, stopping.set)
    for _ in range(2):
        put(pixel, *purchases(600))
    assert drain(pixel.pk) is True
    assert counted(pixel) == {"received": 600, "published": 600}
    assert lane(pixel).claim is None


def test_a_slow_pixel_delays_its_own_events_alone(pixel: Pixel, sandbox: Sandbox, settings: Settings) -> None:
    settings.PUBLISH_TIMEOUT_SECONDS = 0.2
    other = PixelFactory.create()
    put(pixel, purchase())
    put(other, purchase())
    sandbox.fail(pixel_id=pixel.pixel_id, delay_seconds=0.5)
    drain(pixel.pk)
    drain(other.pk)
    assert counted(pixel) == {"received": 1, "publish_errors": 1}
    assert counted(other) == {"received": 1, "published": 1}

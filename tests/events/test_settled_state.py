"""What settling a batch leaves in the rows of its pixel and its lane."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from common.secrets import Secret
from events.delivery.publishing import drain
from events.models import Counter, Lane
from events.sandbox import Sandbox
from pixels.models import Pixel
from tests.events.outbox import answers, bad_purchase, counted, lane, purchase, put
from tests.factories import PixelFactory

pytestmark = pytest.mark.django_db

SILENCE = "ReadTimeout"


@pytest.fixture
def pixel(sandbox: Sandbox) -> Pixel:
    return PixelFactory.create()


def failed_before(pixel: Pixel, failures: int = 3) -> None:
    """The pixel's lane after a time without an answer; its wait is over."""
    past = timezone.now() - timedelta(minutes=1)
    Lane.objects.update_or_create(pixel=pixel, defaults={"failures": failures, "retry_at": past, "silence": SILENCE})


# --- When the last event was received ---------------------------------------------------------------------------------


def test_what_was_counted_before_leaves_the_time_of_the_last_event(pixel: Pixel) -> None:
    then = timezone.now() - timedelta(hours=1)
    Pixel.objects.update(last_received=then)
    put(pixel, purchase(), received_at=then, counted=True)

    drain(pixel.pk)

    pixel.refresh_from_db()
    assert pixel.last_received == then
    assert pixel.last_published is not None


def test_an_older_request_does_not_set_it_back(pixel: Pixel) -> None:
    then = timezone.now() - timedelta(hours=1)
    Pixel.objects.update(last_received=then)
    put(pixel, purchase(), received_at=then - timedelta(hours=1))

    drain(pixel.pk)

    pixel.refresh_from_db()
    assert pixel.last_received == then


# --- Backing off ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("event", [purchase, bad_purchase])
def test_an_answer_ends_the_back_off_a_refusal_too(pixel: Pixel, event: Callable[[], dict[str, Any]]) -> None:
    failed_before(pixel)
    put(pixel, event())

    drain(pixel.pk)

    assert (lane(pixel).failures, lane(pixel).retry_at) == (0, None)


def test_a_failure_behind_a_refusal_is_the_first_in_a_row(pixel: Pixel, sandbox: Sandbox) -> None:
    failed_before(pixel, failures=9)
    put(pixel, bad_purchase())
    put(pixel, purchase(), options='{"test_event_code": "TEST1"}')
    answers(sandbox, 0, 2)

    drain(pixel.pk)

    assert lane(pixel).failures == 1


# --- Silence ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", [0, 100, 190, 2])
def test_any_answer_of_metas_ends_the_silence(pixel: Pixel, sandbox: Sandbox, code: int) -> None:
    failed_before(pixel)
    put(pixel, purchase())
    answers(sandbox, code)

    drain(pixel.pk)

    assert len(sandbox.requests) == 1
    assert lane(pixel).silence == ""


def test_no_answer_begins_it(pixel: Pixel, sandbox: Sandbox) -> None:
    put(pixel, purchase())
    sandbox.fail(close=True, times=1)

    drain(pixel.pk)

    assert lane(pixel).silence != ""


def test_a_new_token_ends_it(pixel: Pixel) -> None:
    failed_before(pixel)

    pixel.access_token = Secret.seal("a new token")
    pixel.save(update_fields=["access_token"])

    row = lane(pixel)
    assert (row.silence, row.failures, row.retry_at) == ("", 0, None)


# --- Counting ---------------------------------------------------------------------------------------------------------


def test_a_backlog_of_yesterday_takes_no_room_of_todays_names(pixel: Pixel) -> None:
    yesterday = timezone.now() - timedelta(days=1)
    backlog = [purchase(event_name=f"Old{number}") for number in range(500)]
    put(pixel, *backlog, received_at=yesterday, counted=True)
    put(pixel, purchase())

    drain(pixel.pk)

    names = Counter.Dimension.EVENT_NAME
    assert counted(pixel, names, "Purchase") == {"received": 1, "published": 1}
    assert counted(pixel, names)["published"] == 501

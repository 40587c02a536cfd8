"""A pixel's state: the first thing that somebody should know of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import TenantStatus
from events.models import Lane
from pixels.models import Pixel
from pixels.states import PixelState, with_state
from tests.base import Cast
from tests.events.counted import count
from tests.factories import PixelFactory
from tests.pages import address, get, see, text_of


@pytest.mark.parametrize(
    ("values", "state"),
    [
        ({}, PixelState.IDLE),
        ({"last_received": timedelta(hours=23)}, PixelState.RECEIVING),
        ({"last_received": timedelta(hours=23), "last_published": timedelta(hours=23)}, PixelState.PUBLISHING),
        ({"last_received": timedelta(hours=23), "last_published": timedelta(hours=25)}, PixelState.RECEIVING),
        ({"last_published": timedelta(0), "api_error_code": "4"}, PixelState.PUBLISHING_FAILS),
        ({"api_error_code": "4", "publishing_enabled": False}, PixelState.PUBLISHING_FAILS),
        ({"api_error_code": "190", "bad_token": True}, PixelState.TOKEN_REJECTED),
        ({"last_received": timedelta(hours=25)}, PixelState.IDLE),
        ({"last_received": timedelta(0), "publishing_enabled": False}, PixelState.PUBLISHING_OFF),
        ({"bad_token": True, "publishing_enabled": False}, PixelState.TOKEN_REJECTED),
        ({"bad_token": True, "event_bridge_active": False}, PixelState.DEACTIVATED),
    ],
)
def test_a_pixels_state_is_the_first_thing_that_somebody_should_know(
    cast: Cast, values: dict[str, Any], state: PixelState
) -> None:
    now = timezone.now()
    moments = {name: now - value for name, value in values.items() if isinstance(value, timedelta)}
    PixelFactory.create(tenant=cast.shoes, **values | moments)
    assert with_state(Pixel.objects.all()).get().state == state


def test_publishing_fails_while_meta_does_not_answer(cast: Cast, pixel: Pixel) -> None:
    Pixel.objects.update(last_received=timezone.now(), last_published=timezone.now())
    lane = Lane.objects.create(pixel=pixel, failures=1, silence="ReadTimeout")
    assert with_state(Pixel.objects.all()).get().state == PixelState.PUBLISHING_FAILS
    Lane.objects.filter(pk=lane.pk).update(failures=0, silence="")
    assert with_state(Pixel.objects.all()).get().state == PixelState.PUBLISHING


@pytest.mark.parametrize(
    ("sent", "failed", "code", "state"),
    [
        (25, 1, "100.2804003", PixelState.SOME_FAIL),
        (25, 1, None, PixelState.SOME_FAIL),
        (25, 0, "100", PixelState.SOME_FAIL),
        (0, 3, None, PixelState.PUBLISHING_FAILS),
        (25, 0, None, PixelState.PUBLISHING),
    ],
)
def test_a_state_follows_what_was_sent_and_refused_in_a_day_not_the_last_answer_alone(
    cast: Cast, pixel: Pixel, sent: int, failed: int, code: str | None, state: PixelState
) -> None:
    now = timezone.now()
    Pixel.objects.update(api_error_code=code, last_received=now, last_published=now)
    count(pixel, now, "published", sent)
    count(pixel, now - timedelta(hours=20), "failed", failed)
    count(pixel, now - timedelta(hours=30), "failed", 9)

    assert with_state(Pixel.objects.all()).get().state == state
    page = get(cast.vic, "pixels:list", cast.shoes)
    if failed:
        assert f"{failed} of {sent + failed} failed" in text_of(page)
        assert f"{address('pixels:deliveries', cast.shoes, '555001')}&amp;outcome=FAILED" in page.content.decode()


def test_a_request_that_was_tried_again_is_told_though_all_was_sent(cast: Cast, pixel: Pixel) -> None:
    count(pixel, timezone.now(), "published", 25)
    count(pixel, timezone.now(), "publish_errors", 2)
    assert "2 requests to Meta failed and were tried again" in see(cast.vic, "pixels:list", cast.shoes)


def test_a_deactivated_accounts_pixels_are_deactivated(cast: Cast) -> None:
    cast.shoes.status = TenantStatus.DEACTIVATED
    cast.shoes.save()
    PixelFactory.create(tenant=cast.shoes, last_received=timezone.now())
    assert with_state(Pixel.objects.all()).get().state == PixelState.DEACTIVATED

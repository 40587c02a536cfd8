"""Lanes: who works on a pixel's queue, and when it is tried again."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
import time_machine
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import TenantStatus
from events.delivery import lanes
from events.models import Lane
from pixels.models import Pixel
from tests.events.outbox import purchase, put
from tests.factories import PixelFactory

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.fixture
def pixel() -> Pixel:
    return PixelFactory.create()


def claim(pixel: Pixel) -> lanes.Claim:
    taken = lanes.claim(pixel.pk)
    assert taken is not None
    return taken


def test_a_lane_is_made_on_first_use_and_held_by_one(pixel: Pixel) -> None:
    assert not Lane.objects.exists()
    assert not claim(pixel).waits
    assert lanes.claim(pixel.pk) is None
    assert lanes.claim(PixelFactory.create().pk)


def test_a_released_lane_can_be_claimed_again(pixel: Pixel) -> None:
    lanes.release(claim(pixel))
    claim(pixel)


def test_an_unknown_pixel_has_no_lane() -> None:
    assert lanes.claim(17) is None
    assert not Lane.objects.exists()


def test_a_lease_runs_out_unless_it_is_renewed(pixel: Pixel) -> None:
    with time_machine.travel(NOW, tick=False) as clock:
        first = claim(pixel)
        clock.shift(50)
        lanes.renew(first)
        clock.shift(50)
        assert lanes.claim(pixel.pk) is None
        clock.shift(10)
        claim(pixel)


def test_a_lost_lease_cannot_be_renewed_and_releases_nothing(pixel: Pixel) -> None:
    with time_machine.travel(NOW, tick=False) as clock:
        old = claim(pixel)
        clock.shift(60)
        claim(pixel)
        with pytest.raises(lanes.LeaseLost):
            lanes.renew(old)
        lanes.release(old)
        assert lanes.claim(pixel.pk) is None


def test_waits_grow_to_a_quarter_of_an_hour_and_are_jittered() -> None:
    with time_machine.travel(NOW, tick=False):
        waits = [[wait_after(failures) for _ in range(200)] for failures in range(1, 13)]
    for failures, some in enumerate(waits, start=1):
        longest = min(2**failures, 900)
        assert max(some) <= longest
        assert max(some) > 0.8 * longest
        assert 1 <= min(some) < 1 + 0.2 * longest


def test_a_wait_that_is_asked_for_is_kept_within_reason() -> None:
    with time_machine.travel(NOW, tick=False):
        assert wait_after(1, retry_after=90) == 90
        assert wait_after(1, retry_after=10**9) == 3_600


def wait_after(failures: int, retry_after: float | None = None) -> float:
    before = lanes.Claim(1, uuid4(), failures - 1, waits=False)
    changes = lanes.after_failure(before, retry_after)
    assert changes["failures"] == failures
    return float((changes["retry_at"] - NOW).total_seconds())


def test_a_lane_that_waits_can_be_claimed_for_counting_alone(pixel: Pixel) -> None:
    with time_machine.travel(NOW, tick=False) as clock:
        first = claim(pixel)
        lanes.keep(first, lanes.after_failure(first, retry_after=30))
        lanes.release(first)
        second = claim(pixel)
        assert second.waits
        assert second.failures == 1
        lanes.release(second)
        clock.shift(30)
        assert not claim(pixel).waits


def test_a_held_lane_waits_until_it_is_released(pixel: Pixel) -> None:
    first = claim(pixel)
    lanes.keep(first, lanes.on_hold())
    lanes.release(first)
    second = claim(pixel)
    assert second.waits
    lanes.release(second)
    lanes.release_hold(pixel.pk)
    assert not claim(pixel).waits


def test_the_sweep_finds_the_pixels_with_rows(pixel: Pixel) -> None:
    PixelFactory.create()
    others = PixelFactory.create_batch(3)
    put(pixel, purchase())
    put(pixel, purchase(), counted=True)
    put(others[1], purchase(), counted=True)
    assert lanes.waiting_pixels() == [pixel.pk, others[1].pk]
    assert lanes.waiting_pixels([others[0].pk, others[1].pk]) == [others[1].pk]


def test_the_sweep_finds_nothing_in_an_empty_outbox(pixel: Pixel) -> None:
    assert lanes.waiting_pixels() == []


def test_the_sweep_leaves_claimed_lanes_alone_until_their_lease_ends(pixel: Pixel) -> None:
    put(pixel, purchase())
    with time_machine.travel(NOW, tick=False) as clock:
        claim(pixel)
        assert lanes.waiting_pixels() == []
        clock.shift(60)
        assert lanes.waiting_pixels() == [pixel.pk]


@pytest.mark.parametrize("wait", [{"held": True}, {"retry_at": NOW + timedelta(minutes=5)}, {"deactivated": True}])
def test_of_those_that_wait_the_sweep_finds_only_what_is_new_or_has_expired(
    pixel: Pixel, wait: dict[str, object]
) -> None:
    if wait.pop("deactivated", False):
        type(pixel.tenant).objects.update(status=TenantStatus.DEACTIVATED)
    Lane.objects.create(pixel=pixel, **wait)
    with time_machine.travel(NOW, tick=False):
        old = put(pixel, purchase(), counted=True)
        assert lanes.waiting_pixels() == []
        new = put(pixel, purchase())
        assert lanes.waiting_pixels() == [pixel.pk]
        new.delete()
        old.received_at = NOW - timedelta(days=7)
        old.save()
        assert lanes.waiting_pixels() == [pixel.pk]


def test_the_sweep_asks_once_and_reads_no_table_of_rows(pixel: Pixel) -> None:
    for other in PixelFactory.create_batch(3):
        put(other, purchase())
    with CaptureQueriesContext(
        connection,
    ) as queries:
        lanes.waiting_pixels()
    assert len(queries) == 1
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("EXPLAIN QUERY PLAN " + queries[0]["sql"])
            plan = [step[-1] for step in cursor.fetchall()]
        assert not [step for step in plan if step.startswith("SCAN") and "outbox" in step and "INDEX" not in step], plan


def test_a_clock_that_is_set_back_leaves_no_lane_waiting_for_the_old_time(pixel: Pixel) -> None:
    """Neither that of a worker that was killed, nor that of one that has failed."""
    other = PixelFactory.create()
    put(pixel, purchase(), received_at=NOW)
    put(other, purchase(), received_at=NOW)
    with time_machine.travel(NOW, tick=False) as clock:
        claim(pixel)
        failed = claim(other)
        lanes.keep(failed, {**lanes.after_failure(failed), **lanes.RELEASED})
        assert lanes.waiting_pixels() == [other.pk]  # to be counted, not to be published
        clock.shift(-3_700)

        assert lanes.waiting_pixels() == [pixel.pk, other.pk]
        assert not claim(pixel).waits
        assert not claim(other).waits


@pytest.mark.parametrize(("seconds", "is_over"), [(0, False), (1, True)])
def test_a_lease_further_ahead_than_the_longest_was_written_before_the_clock_was_set_back(
    pixel: Pixel, seconds: int, is_over: bool
) -> None:
    put(pixel, purchase(), received_at=NOW)
    with time_machine.travel(NOW, tick=False):
        end = NOW + lanes.LONGEST_LEASE + timedelta(seconds=seconds)
        Lane.objects.create(pixel=pixel, claim=uuid4(), claimed_until=end)

        assert lanes.waiting_pixels() == ([pixel.pk] if is_over else [])
        assert (lanes.claim(pixel.pk) is not None) is is_over


@pytest.mark.parametrize("seconds", [60, 3_600])
def test_no_lease_that_may_be_set_is_longer_than_the_longest(seconds: int) -> None:
    """Else another worker would take the lane at once. The setting is read when a process starts."""
    code = (
        "import django; django.setup(); from events.delivery import lanes; print(lanes.LONGEST_LEASE.total_seconds())"
    )
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings", "LANE_LEASE_SECONDS": str(seconds)}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, cwd=settings.ROOT, capture_output=True, text=True, check=True
    )

    assert float(done.stdout) == max(seconds, lanes.LONGEST_WAIT.total_seconds())

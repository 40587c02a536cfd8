"""Locks: settling takes the pixel's row before its lane, as whoever replaces a token or removes a pixel does."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, transaction
from django.utils import timezone

from events.delivery import lanes
from events.delivery.batches import read
from events.delivery.fates import published
from events.delivery.graph_api import Accepted
from events.delivery.settling import settle
from events.delivery.verdicts import verdict_on
from events.models import Lane, OutboxRow
from pixels.models import Pixel
from tests.events.outbox import purchase, put
from tests.factories import PixelFactory

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one lock, for all writers"),
]


def wait_until_somebody_waits_for_us() -> None:
    for _ in range(200):
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT 1 FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid))"
            )
            if cursor.fetchone():
                return
        time.sleep(0.05)
    raise AssertionError("Nobody waits for our lock.")


def test_settling_waits_for_whoever_changes_the_pixel_without_holding_the_lane() -> None:
    pixel = PixelFactory.create()
    put(pixel, purchase())
    claim = lanes.claim(pixel.pk)
    batch = read(pixel, now=timezone.now(), publishes=True)
    assert claim is not None
    assert batch is not None
    answer = Accepted("trace")
    for event in batch.events:
        event.fate = published(answer.trace_id)

    def settle_meanwhile() -> None:
        try:
            settle(claim, pixel, batch, verdict=verdict_on(answer), release=True)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            Pixel.objects.select_for_update().get(pk=pixel.pk)
            settling = pool.submit(settle_meanwhile)
            wait_until_somebody_waits_for_us()
            lanes.release_hold(pixel.pk)  # in a deadlock, one of the two would be cancelled
        settling.result(timeout=20)

    assert not OutboxRow.objects.exists()
    assert Lane.objects.get().claim is None

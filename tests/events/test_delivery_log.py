"""The delivery log: the newest lines of a pixel, written apart from what counts."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import DatabaseError, InterfaceError, connection
from django.test.utils import CaptureQueriesContext

from common import bulk
from events import bounds
from events.delivery import batches, publishing, settling
from events.delivery import log as delivery_log
from events.delivery.publishing import drain
from events.models import Delivery, Lane
from events.sandbox import Sandbox
from pixels.models import Pixel
from tests.events.outbox import counted, ids, purchase, purchases, put
from tests.factories import PixelFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def pixel(sandbox: Sandbox) -> Pixel:
    return PixelFactory.create()


def logged(pixel: Pixel) -> list[str]:
    """The ids of the events in the pixel's log, the oldest first."""
    return list(Delivery.objects.filter(pixel=pixel).order_by("id").values_list("event_id", flat=True))


def times_written(pixel: Pixel) -> int:
    with CaptureQueriesContext(connection) as queries:
        drain(pixel.pk)
    return sum(query["sql"].startswith("INSERT INTO events_delivery") for query in queries)


def test_after_a_backlog_the_log_has_the_last_events_and_no_more_than_its_length(
    pixel: Pixel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bounds, "MAX_DELIVERIES", 70)
    monkeypatch.setattr(batches, "MAX_EVENTS", 100)
    events = purchases(250)
    for first in range(0, 250, 50):
        put(pixel, *events[first : first + 50])
    drain(pixel.pk)
    assert counted(pixel)["published"] == 250
    assert logged(pixel) == ids(events[-70:])


def test_the_log_never_has_more_than_its_length(pixel: Pixel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "MAX_DELIVERIES", 3)
    other = PixelFactory.create()
    put(other, purchase())
    drain(other.pk)
    events = purchases(6)
    for event in events:
        put(pixel, event)
        drain(pixel.pk)
        assert Delivery.objects.filter(pixel=pixel).count() <= 3
    assert logged(pixel) == ids(events[-3:])
    assert Delivery.objects.filter(pixel=other).count() == 1


@pytest.mark.parametrize(("seconds", "times"), [(3_600, 1), (0, 3)])
def test_the_log_of_a_backlog_is_written_from_time_to_time(
    pixel: Pixel, monkeypatch: pytest.MonkeyPatch, seconds: float, times: int
) -> None:
    monkeypatch.setattr(delivery_log, "WRITE_EVERY_SECONDS", seconds)
    monkeypatch.setattr(batches, "MAX_EVENTS", 2)
    events = purchases(6)
    for event in events:
        put(pixel, event)
    assert times_written(pixel) == times
    assert logged(pixel) == ids(events)


def test_lines_are_written_between_the_requests_of_a_batch(pixel: Pixel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publishing, "REQUEST_EVENTS", 1)
    monkeypatch.setattr(batches, "MAX_EVENTS", 2)
    events = purchases(4)
    put(pixel, *events[:2])
    put(pixel, *events[2:])
    seen: list[list[str]] = []
    send = publishing._send
    monkeypatch.setattr(delivery_log, "WRITE_EVERY_SECONDS", 3_600)

    def sent(*args: Any) -> Any:
        seen.append(logged(pixel))
        if len(seen) == 3:
            monkeypatch.setattr(delivery_log, "WRITE_EVERY_SECONDS", 0)  # a second passes
        return send(*args)

    monkeypatch.setattr(publishing, "_send", sent)
    drain(pixel.pk)
    assert seen == [[], [], [], ids(events[:2])]


@pytest.mark.parametrize("fault", [DatabaseError("deadlock detected"), InterfaceError("connection already closed")])
def test_a_fault_in_writing_the_log_keeps_nobody_from_publishing(
    pixel: Pixel, fault: Exception, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    faults = [fault]
    insert = bulk.insert

    def broken_once(*args: Any, **options: Any) -> None:
        if args[0] is Delivery and faults:
            raise faults.pop()
        insert(*args, **options)

    monkeypatch.setattr(bulk, "insert", broken_once)
    monkeypatch.setattr(delivery_log, "WRITE_EVERY_SECONDS", 0)
    monkeypatch.setattr(batches, "MAX_EVENTS", 1)
    events = purchases(3)
    for event in events:
        put(pixel, event)
    drain(pixel.pk)
    assert counted(pixel) == {"received": 3, "published": 3}
    assert Lane.objects.get().failures == 0
    assert logged(pixel) == ids(events)
    assert "were not written" in caplog.text


def test_what_was_settled_is_in_the_log_though_what_follows_fails(
    pixel: Pixel, monkeypatch: pytest.MonkeyPatch
) -> None:
    settled: list[Any] = []

    def settle(*args: Any, **kwargs: Any) -> None:
        if settled:
            raise DatabaseError
        settled.append(settling.settle(*args, **kwargs))

    monkeypatch.setattr(publishing, "settle", settle)
    monkeypatch.setattr(batches, "MAX_EVENTS", 1)
    first, second = purchase(), purchase()
    put(pixel, first)
    put(pixel, second)
    with pytest.raises(DatabaseError):
        drain(pixel.pk)
    assert logged(pixel) == ids([first])


@pytest.mark.django_db(transaction=True)  # foreign keys are looked at when a transaction ends
def test_a_pixel_that_goes_before_its_log_is_written_has_none(pixel: Pixel, monkeypatch: pytest.MonkeyPatch) -> None:
    write = delivery_log.DeliveryLog.write

    def removed_before(self: delivery_log.DeliveryLog) -> None:
        Pixel.objects.all().delete()
        write(self)

    monkeypatch.setattr(delivery_log.DeliveryLog, "write", removed_before)
    put(pixel, purchase())
    drain(pixel.pk)
    assert not Delivery.objects.exists()

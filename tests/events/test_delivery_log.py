"""The delivery log: what is settled stands in it, packed; nothing else does, and it is found by its event's id."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from zlib import crc32

import pytest
from django.db import DatabaseError, connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from events.delivery import batches, publishing, settling
from events.delivery.entries import Outcome, Wanted
from events.delivery.fates import RECEIVING_OFF
from events.delivery.log import packing, writing
from events.delivery.log.reading import Lines
from events.delivery.publishing import drain
from events.models import Delivery, DeliveryBatch, DeliveryKey, Lane, OutboxRow
from events.sandbox import Sandbox
from pixels.models import Pixel
from tests.events.logged import logged
from tests.events.outbox import counted, ids, purchase, purchases, put
from tests.factories import DeliveryFactory, EventFilterFactory, PixelFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def pixel(sandbox: Sandbox) -> Pixel:
    return PixelFactory.create()


def logged_ids(pixel: Pixel) -> list[str]:
    return [line.event_id for line in logged(pixel)]


def found(pixel: Pixel, event_id: str) -> list[str]:
    lines = Lines(pixel.tenant_id, [pixel.pk], Wanted(event_id=event_id))
    return [line.event_id for line in lines]


def test_every_event_of_a_backlog_is_in_the_log(pixel: Pixel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "MAX_EVENTS", 100)
    events = purchases(2_050)
    for first in range(0, len(events), 50):
        put(pixel, *events[first : first + 50])
    drain(pixel.pk)
    assert counted(pixel)["published"] == len(events)
    assert logged_ids(pixel) == ids(events)


def test_a_worker_that_is_killed_leaves_no_gap(pixel: Pixel, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was settled is in the log, though the worker comes no further; the rest is, once another has settled it."""

    class Killed(BaseException):
        pass

    def settle(*args: Any, **kwargs: Any) -> None:
        settling.settle(*args, **kwargs)
        raise Killed

    monkeypatch.setattr(batches, "MAX_EVENTS", 2)
    events = purchases(5)
    for event in events:
        put(pixel, event)
    with monkeypatch.context() as patched:
        patched.setattr(publishing, "settle", settle)
        with pytest.raises(Killed):
            drain(pixel.pk)
    assert logged_ids(pixel) == ids(events[:2])
    Lane.objects.update(claim=None)
    drain(pixel.pk)
    assert logged_ids(pixel) == ids(events)


def test_what_is_not_settled_is_not_in_the_log(pixel: Pixel, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args: Any) -> None:
        raise DatabaseError

    monkeypatch.setattr(settling, "_keep_dead_letters", broken)
    put(pixel, purchase())
    with pytest.raises(DatabaseError):
        drain(pixel.pk)
    assert (logged(pixel), OutboxRow.objects.count()) == ([], 1)


def test_events_that_wait_are_in_the_log_once_they_are_decided(pixel: Pixel, sandbox: Sandbox) -> None:
    EventFilterFactory.create(tenant=pixel.tenant, event_name="Lead")
    sandbox.fail(code=2, times=1)
    put(pixel, purchase(event_id="waits"), purchase(event_id="dropped", event_name="Lead"))
    drain(pixel.pk)
    assert logged_ids(pixel) == ["dropped"]


def test_a_batch_takes_two_statements_and_tells_a_kind_once(pixel: Pixel) -> None:
    put(pixel, *purchases(700))
    with CaptureQueriesContext(connection) as queries:
        drain(pixel.pk)
    written = [
        query for query in queries if 'INSERT INTO "events_delivery' in query["sql"].replace("INTO e", 'INTO "e')
    ]
    assert len(written) == 2
    batch = DeliveryBatch.objects.get()
    assert [kind.name for kind in packing.read_kinds(batch.kinds)] == ["Purchase"]
    assert (batch.event_count, batch.tenant_id, batch.pixel) == (700, pixel.tenant_id, pixel.pk)
    assert DeliveryKey.objects.count() <= 1 << packing.CUT_BITS


def test_the_log_of_the_release_before_is_written_no_more(pixel: Pixel) -> None:
    put(pixel, purchase())
    drain(pixel.pk)
    assert not Delivery.objects.exists()


def test_with_no_days_there_is_no_log(pixel: Pixel, settings: Settings) -> None:
    settings.DELIVERY_LOG_DAYS = 0
    put(pixel, purchase(event_id="order-1"))
    drain(pixel.pk)
    assert counted(pixel)["published"] == 1
    assert not DeliveryBatch.objects.exists()
    assert not DeliveryKey.objects.exists()
    assert found(pixel, "order-1") == []


@pytest.mark.parametrize("others", [0, 5, 700])
def test_an_event_is_found_by_its_id(pixel: Pixel, others: int) -> None:
    put(pixel, *purchases(others), purchase(event_id="order-1042"), purchase(event_id="Größe ✓"))
    put(pixel, *purchases(3))
    drain(pixel.pk)
    assert found(pixel, "order-1042") == ["order-1042"]
    assert found(pixel, "Größe ✓") == ["Größe ✓"]
    assert found(pixel, "order-104") == found(pixel, "") == []


def test_all_that_became_of_an_id_is_found_the_newest_first(pixel: Pixel) -> None:
    now = timezone.now()
    for days, outcome in ((3, Outcome.FAILED), (1, Outcome.PUBLISHED)):
        DeliveryFactory.create(pixel=pixel, event_id="order-1", outcome=outcome, at=now - timedelta(days=days))
    lines = Lines(pixel.tenant_id, [pixel.pk], Wanted(event_id="order-1"))
    assert [line.outcome for line in lines] == [Outcome.PUBLISHED, Outcome.FAILED]


def test_an_id_is_found_on_its_own_pixels_alone(pixel: Pixel) -> None:
    other = PixelFactory.create()
    DeliveryFactory.create(pixel=other, event_id="order-1")
    assert found(pixel, "order-1") == []
    assert list(Lines(pixel.tenant_id, [other.pk], Wanted(event_id="order-1"))) == []
    assert found(other, "order-1") == ["order-1"]


def _colliding(n: int) -> list[str]:
    """Ids whose digests begin with the same bits, as somebody might choose them."""
    chosen: list[str] = []
    number = 0
    while len(chosen) < n:
        if crc32(f"x{number}".encode()) >> (32 - packing.CUT_BITS) == 0:
            chosen.append(f"x{number}")
        number += 1
    return chosen


def test_ids_that_are_chosen_to_fall_together_take_rows_of_a_bounded_size(pixel: Pixel) -> None:
    chosen = _colliding(packing.DIGESTS_IN_ROW + packing.LARGE)
    put(pixel, *(purchase(event_id=event_id) for event_id in chosen))
    drain(pixel.pk)
    assert max(len(bytes(row.digests)) for row in DeliveryKey.objects.all()) == 4 * packing.DIGESTS_IN_ROW
    assert found(pixel, chosen[0]) == chosen[:1]
    assert found(pixel, chosen[-1]) == chosen[-1:]


def test_a_thousand_events_of_one_id_are_all_in_the_log(pixel: Pixel) -> None:
    put(pixel, *purchases(1_000, event_id="same"))
    drain(pixel.pk)
    assert found(pixel, "same") == ["same"] * 1_000


def test_times_are_told_to_the_millisecond_and_may_be_anything(pixel: Pixel) -> None:
    now = timezone.now().timestamp()
    for time in (now - 0.001, now + 3_600.5, float(2**40), 1e300, -1e300, float("nan"), float("inf")):
        assert _event_time(pixel, time) == (pytest.approx(time, abs=0.0011) if abs(time) < 1e11 else None)


def _event_time(pixel: Pixel, time: float) -> float | None:
    row = batches.OutboxRecord(0, timezone.now(), 0, True, "", 1, b"")
    event = batches.Event(row, 0, "Purchase", "order-1", time, "", RECEIVING_OFF)
    writing.write(writing.Whose(pixel.tenant_id, pixel=pixel.pk), [event], timezone.now())
    told = logged(pixel)[-1].event_time
    return told.timestamp() if told else None

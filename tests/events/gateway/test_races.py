"""Events of gateway sources that come and go while what they belong to is changed or removed."""

from __future__ import annotations

import time
from datetime import timedelta
from threading import BoundedSemaphore
from threading import Event as Flag
from typing import Any

import pytest
from django.db import connection
from django.db.models import Model
from django.utils import timezone

from accounts.principals import OPERATOR
from accounts.services.tenants import delete_tenant
from events.delivery import turns
from events.delivery.destinations.answers import Accepted, Answer, Wait
from events.delivery.leases import LeaseLost
from events.gateway import lanes
from events.gateway.delivering import deliver
from events.gateway.settling import settle
from events.gateway.taking_in import take_in
from events.models import (
    DestinationCounter,
    DestinationCursor,
    DestinationLane,
    DestinationLetter,
    DestinationRow,
    SourceCounter,
    SourceLabel,
    SourceLane,
    SourceRow,
)
from pipelines.models import Pipeline
from tests.base import tenant
from tests.events.gateway.conftest import Events, Receivers, answering
from tests.events.gateway.stage import (
    again,
    is_balanced,
    lane,
    of_destination,
    of_source,
    pipeline,
    purchases,
    put,
    run,
    source_of,
)
from tests.events.outbox import ids
from tests.events.sending import purchase, send
from tests.events.test_races import while_running
from tests.pixels.test_races import at_once

pytestmark = pytest.mark.django_db(transaction=True)

OF_SOURCES = (SourceRow, SourceLane, SourceCounter, SourceLabel, DestinationCursor)
OF_DESTINATIONS = (DestinationLane, DestinationCounter, DestinationRow, DestinationLetter)
NOTHING_LEFT: dict[str, tuple[type[Model], ...]] = {
    "account": (*OF_SOURCES, *OF_DESTINATIONS),
    "source": OF_SOURCES,
    "destination": OF_DESTINATIONS,
    "pipeline": (DestinationCursor,),
}


@pytest.mark.parametrize("removed", NOTHING_LEFT)
def test_what_is_deleted_while_its_events_come_and_go_leaves_nothing(receivers: Receivers, removed: str) -> None:
    shoes = tenant("Shoes")
    source = source_of(shoes)
    made, (destination, other) = pipeline(source, destinations=2)
    receivers[destination.settings["name"]] = answering(
        lambda batch: Wait("ReadTimeout") if len(batch[0]["event_id"]) % 2 else Accepted()
    )

    def remove() -> None:
        if removed == "account":
            delete_tenant(principal=OPERATOR, tenant_id=shoes.pk)
        else:
            {"source": source, "destination": destination, "pipeline": made}[removed].delete()

    def send_some() -> int:
        return send(source.source_id, *(purchase(event_id=f"{time.monotonic_ns()}{'-' * n}") for n in range(3))).status

    sent, *_ = while_running(
        remove, send_some, lambda: take_in(source.pk), lambda: again(destination), lambda: deliver(other.pk)
    )

    assert set(sent) <= {202, 404}
    for model in NOTHING_LEFT[removed]:
        owner = source.pk if model in OF_SOURCES else destination.pk
        column = "source_id" if model in OF_SOURCES else "destination_id"
        assert not model._default_manager.filter(**{column: owner}).exists(), model
    assert removed not in ("account", "source") or sent[-1] == 404
    assert is_balanced(other)


def test_the_others_lose_nothing_when_a_destination_is_deleted(receivers: Receivers) -> None:
    source = source_of()
    _, (destination, other) = pipeline(source, destinations=2)

    sent, *_ = while_running(
        destination.delete,
        lambda: send(source.source_id, *purchases(2)).status,
        lambda: run(source),
    )
    run(source)

    assert set(sent) == {202}
    assert of_source(source) == {"received": 2 * len(sent)}
    assert of_destination(other) == {"received": 2 * len(sent), "published": 2 * len(sent)}
    assert not SourceRow.objects.exists()


def test_two_workers_at_a_source_count_its_events_once(receivers: Receivers) -> None:
    source = source_of()
    pipeline(source)
    for _ in range(20):
        put(source, *purchases(3))

    at_once(*[lambda: take_in(source.pk)] * 3)
    take_in(source.pk)

    assert of_source(source) == {"received": 60}
    places = SourceRow.objects.order_by("place").values_list("place", flat=True)
    assert list(places) == list(range(1, 21))


def test_two_workers_at_a_destination_send_its_events_once(receivers: Receivers) -> None:
    source = source_of()
    _, (destination,) = pipeline(source)
    events = purchases(30)
    for event in events:
        put(source, event)
    take_in(source.pk)

    at_once(*[lambda: deliver(destination.pk)] * 3)

    assert sorted(receivers[destination.settings["name"]].ids) == sorted(ids(events))
    assert of_destination(destination) == {"received": 30, "published": 30}


def test_a_slow_destination_delays_no_other(receivers: Receivers, monkeypatch: pytest.MonkeyPatch) -> None:
    """Even where one thread alone may work: who waits for an answer gives way."""
    monkeypatch.setattr(turns, "_working", BoundedSemaphore(1))
    source = source_of()
    _, (slow, quick) = pipeline(source, destinations=2)
    put(source, *purchases(4))
    take_in(source.pk)
    is_asked, goes_on = Flag(), Flag()

    def think(batch: Events) -> Answer:
        is_asked.set()
        assert goes_on.wait(20)
        return Accepted()

    receivers[slow.settings["name"]] = answering(think)

    def meanwhile() -> None:
        assert is_asked.wait(20)
        try:
            deliver(quick.pk)
            assert of_destination(quick) == {"received": 4, "published": 4}
            assert not of_destination(slow)
        finally:
            goes_on.set()

    at_once(lambda: deliver(slow.pk), meanwhile)

    assert of_destination(slow) == {"received": 4, "published": 4}


def test_a_worker_that_was_thought_dead_settles_nothing(receivers: Receivers) -> None:
    source = source_of()
    _, (destination,) = pipeline(source)
    put(source, *purchases(2))
    take_in(source.pk)

    def meanwhile(batch: Events) -> Answer:
        receiver.answer = lambda batch: Accepted()
        lane(destination).update(claimed_until=timezone.now() - timedelta(seconds=1))
        deliver(destination.pk)
        return Accepted()

    receiver = receivers[destination.settings["name"]] = answering(meanwhile)
    deliver(destination.pk)

    assert len(receiver.ids) == 4, "sent twice"
    assert of_destination(destination) == {"received": 2, "published": 2}


def test_a_lease_of_a_destination_that_is_gone_is_lost(receivers: Receivers) -> None:
    from events.delivery.attempts import Attempt
    from events.gateway.reading import read

    source = source_of()
    _, (destination,) = pipeline(source)
    put(source, *purchases(2))
    take_in(source.pk)
    claim, part = lanes.claim(destination.pk), read(destination.pk)
    assert claim is not None
    assert part is not None
    type(destination).objects.filter(pk=destination.pk).delete()

    with pytest.raises(LeaseLost):
        settle(claim, destination, part, Attempt())


def test_the_late_refusal_of_old_settings_does_not_hold_the_new_ones(receivers: Receivers) -> None:
    source = source_of()
    _, (destination,) = pipeline(source)
    put(source, *purchases(1))

    def replace(batch: Events) -> Answer:
        receiver.answer = lambda batch: Accepted()
        destination.secrets = '{"accessToken": "new"}'
        destination.save(update_fields=["secrets"])
        return Wait("rejected", "190", held=True)

    receiver = receivers[destination.settings["name"]] = answering(replace)
    run(source)

    assert not lane(destination).get().held
    deliver(destination.pk)
    assert of_destination(destination) == {"received": 1, "published": 1, "publish_errors": 1}


def test_events_that_come_while_a_pipeline_is_joined_go_to_it_or_come_before(receivers: Receivers) -> None:
    source = source_of()
    pipeline(source)
    made: list[Any] = []

    sent, _ = while_running(
        lambda: made.append(pipeline(source)),
        lambda: send(source.source_id, purchase(event_id=str(time.monotonic_ns()))).status,
        lambda: take_in(source.pk),
    )
    after = purchase(event_id="after")
    send(source.source_id, after)
    run(source)

    assert set(sent) == {202}
    ((_, (newer,)),) = made
    got = receivers[newer.settings["name"]].ids
    assert got[-1] == "after"
    assert of_destination(newer) == {"received": len(got), "published": len(got)}
    assert Pipeline.objects.count() == 2


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one lock, for all writers")
def test_settling_waits_for_nobodys_source(receivers: Receivers) -> None:
    """Whoever removes a source holds its row, and waits for the rows of destinations that settle."""
    from django.db import transaction

    source = source_of()
    _, (destination,) = pipeline(source)
    events = purchases(3)
    receivers[destination.settings["name"]] = answering(
        lambda batch: Wait("ReadTimeout") if events[2] in batch else Accepted()
    )
    put(source, *events)
    take_in(source.pk)

    with transaction.atomic():
        type(source).objects.select_for_update().get(pk=source.pk)
        at_once(lambda: deliver(destination.pk))

    assert of_destination(destination)["published"] == 2

"""What the gateway changed of a source's event is told at each destination, whatever became of it there."""

from __future__ import annotations

import pytest

from events.changes import read
from events.delivery.destinations.answers import Accepted, Refused, Wait
from events.delivery.entries import Wanted
from events.delivery.reads import list_deliveries
from events.gateway.delivering import deliver
from events.gateway.taking_in import take_in
from events.models import DestinationLetter, DestinationRow, SourceRow
from tests.base import Cast
from tests.events.gateway.conftest import Receivers, answering
from tests.events.gateway.stage import again, pipeline, source_of
from tests.events.logged import logged
from tests.events.sending import send
from tests.events.test_changes import NO_PHONE, PHONE, order

pytestmark = pytest.mark.django_db


def test_each_destination_of_a_source_tells_them(cast: Cast, receivers: Receivers) -> None:
    """One gets it, one refuses it, and for one it waits apart from what went out with it."""
    source = source_of(cast.shoes)
    _, (gets, refuses, waits) = pipeline(source, destinations=3)
    receivers[refuses.settings["name"]] = answering(lambda events: Refused("422", "no"))
    busy = receivers[waits.settings["name"]] = answering(
        lambda events: Wait("busy") if events[0]["event_id"] == "c" else Accepted()
    )
    send(source.source_id, order("a"), order("b"), order("c", PHONE))
    for destination_pk in take_in(source.pk):
        deliver(destination_pk)

    lines = {(line.destination_pk, line.event_id): line for line in logged()}
    assert lines[gets.pk, "c"].changes == lines[refuses.pk, "c"].changes == (NO_PHONE,)
    assert lines[gets.pk, "a"].changes == ()
    letters = {letter.event_id: letter.changes for letter in DestinationLetter.objects.all()}
    assert read(letters["c"] or "", 1).of(0) == [NO_PHONE]
    assert letters["a"] is None
    assert read(DestinationRow.objects.get().changes or "", 1).of(0) == [NO_PHONE]
    waiting = list_deliveries(cast.shoes, source.source_id, Wanted(event_id="c")).rows
    assert {entry.changes for entry in waiting} == {(NO_PHONE,)}
    busy.answer = lambda events: Accepted()
    again(waits)
    assert {line.changes for line in logged() if line.event_id == "c"} == {(NO_PHONE,)}
    assert not SourceRow.objects.exists()

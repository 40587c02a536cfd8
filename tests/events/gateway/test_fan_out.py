"""An event of a gateway source goes once to each destination that it reaches, and each has its own queue."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from events.delivery.destinations.answers import Accepted, Refused, Wait
from events.gateway.cursors import follow_all_pipelines
from events.gateway.delivering import deliver
from events.gateway.taking_in import take_in
from events.models import DestinationCursor, DestinationLetter, SourceRow
from pipelines.models import PipelineDestination, PipelineSource
from tests.events.gateway.conftest import Receivers, answering
from tests.events.gateway.stage import (
    again,
    apart,
    is_balanced,
    lane,
    of_destination,
    of_source,
    pipeline,
    purchase,
    purchases,
    put,
    run,
    source_of,
)
from tests.events.outbox import ids
from tests.factories import PipelineDestinationFactory

pytestmark = pytest.mark.django_db


def test_each_event_goes_to_each_destination_and_is_received_once(receivers: Receivers) -> None:
    source = source_of()
    _, destinations = pipeline(source, destinations=3)
    events = purchases(5)
    put(source, *events[:3])
    put(source, *events[3:])

    run(source)

    assert of_source(source) == {"received": 5}
    for each in destinations:
        assert receivers[each.settings["name"]].ids == ids(events)
        assert of_destination(each) == {"received": 5, "published": 5}
    assert not SourceRow.objects.exists(), "all have them"


def test_of_three_one_is_slow_and_one_broken_and_the_third_has_all(receivers: Receivers) -> None:
    source = source_of()
    _, (good, broken, held) = pipeline(source, destinations=3)
    receivers[broken.settings["name"]] = answering(lambda batch: Wait("HTTP 502", retry_after=60))
    receivers[held.settings["name"]] = answering(lambda batch: Wait("rejected", "401", "Who are you?", held=True))
    events = purchases(5)
    put(source, *events)

    run(source)

    assert of_destination(good) == {"received": 5, "published": 5}
    assert of_destination(broken) == {"publish_errors": 1}
    assert of_destination(held) == {"publish_errors": 1}
    assert lane(broken).values("failures", "held", "silence").get() == {
        "failures": 1, "held": False, "silence": "HTTP 502",
    }  # fmt: skip
    assert lane(held).values("held", "code", "message").get() == {
        "held": True, "code": "401", "message": "Who are you?",
    }  # fmt: skip
    assert SourceRow.objects.count() == 1, "they wait where they were stored"

    receivers.clear()
    again(broken)
    held.settings = {**held.settings, "changed": True}
    held.save()
    deliver(held.pk)
    for each in (broken, held):
        assert receivers[each.settings["name"]].ids == ids(events)
        assert of_destination(each) == {"received": 5, "published": 5, "publish_errors": 1}
    assert not SourceRow.objects.exists()


def test_what_is_refused_alone_becomes_a_dead_letter_of_that_destination(receivers: Receivers) -> None:
    source = source_of()
    _, (good, choosy) = pipeline(source, destinations=2)
    events = purchases(5)
    receivers[choosy.settings["name"]] = answering(
        lambda batch: Refused("422", "No such order") if events[2] in batch else Accepted("trace")
    )
    put(source, *events)

    run(source)

    letter = DestinationLetter.objects.get()
    assert (letter.destination, letter.source, letter.event_id) == (choosy, source, events[2]["event_id"])
    assert (letter.code, letter.message) == ("422", "No such order")
    assert of_destination(choosy) == {"received": 5, "published": 4, "failed": 1, "publish_errors": 2}
    assert of_destination(good) == {"received": 5, "published": 5}
    assert lane(choosy).values_list("code", flat=True).get() == ""
    assert is_balanced(choosy)


def test_what_is_sent_before_a_failure_is_not_sent_again(receivers: Receivers) -> None:
    """Three requests of two events: the second is not answered. The cursor passes the first row alone."""
    source = source_of()
    _, (destination,) = pipeline(source)
    events = purchases(6)
    receiver = receivers[destination.settings["name"]] = answering(
        lambda batch: Wait("ReadTimeout") if events[2] in batch else Accepted()
    )
    for number in range(0, 6, 3):
        put(source, *events[number : number + 3])

    run(source)

    assert receiver.ids == ids(events[:2])
    assert of_destination(destination) == {"received": 3, "published": 2, "publish_errors": 1}
    assert apart(destination) == 1
    assert is_balanced(destination)
    assert SourceRow.objects.count() == 1, "what has been settled in part waits apart, the rest where it was"

    receiver.answer = lambda batch: Accepted()
    again(destination)
    assert receiver.ids == ids(events)
    assert of_destination(destination) == {"received": 6, "published": 6, "publish_errors": 1}
    assert is_balanced(destination)
    assert not SourceRow.objects.exists()
    assert not apart(destination)


def test_the_rest_of_what_waits_apart_stays_there(receivers: Receivers) -> None:
    source = source_of()
    _, (destination,) = pipeline(source)
    events = purchases(5)
    receiver = receivers[destination.settings["name"]] = answering(
        lambda batch: Wait("ReadTimeout") if events[2] in batch else Accepted()
    )
    put(source, *events)
    run(source)
    receiver.answer = lambda batch: Wait("ReadTimeout") if events[4] in batch else Accepted()

    again(destination)

    assert receiver.ids == ids(events[:4])
    assert apart(destination) == 1
    assert is_balanced(destination)
    receiver.answer = lambda batch: Accepted()
    again(destination)
    assert receiver.ids == ids(events)
    assert of_destination(destination)["published"] == 5


def test_a_destination_of_two_pipelines_gets_an_event_once(receivers: Receivers) -> None:
    source = source_of()
    _, (destination,) = pipeline(source)
    second, _ = pipeline(source, destinations=0)
    PipelineDestinationFactory.create(pipeline=second, destination=destination)
    event = purchase()
    put(source, event)

    run(source)

    assert receivers[destination.settings["name"]].ids == ids([event])
    assert of_destination(destination) == {"received": 1, "published": 1}


def test_sources_of_a_destination_take_turns_by_when_their_events_came(receivers: Receivers) -> None:
    early, late = source_of(), source_of()
    late.tenant = early.tenant
    late.save()
    _, (destination,) = pipeline(early, late)
    events = purchases(2)
    put(late, events[1])
    put(early, events[0], received_at=timezone.now() - timedelta(minutes=1))
    take_in(late.pk)
    take_in(early.pk)

    deliver(destination.pk)

    assert receivers[destination.settings["name"]].ids == ids(events)


def test_a_destination_gets_what_comes_from_its_first_day_on(receivers: Receivers) -> None:
    source = source_of()
    pipeline(source)
    put(source, purchase())
    take_in(source.pk)
    _, (newer,) = pipeline(source)
    event = purchase()
    put(source, event)

    run(source)

    assert receivers[newer.settings["name"]].ids == ids([event])


def test_a_destination_that_has_left_gets_nothing_more_and_holds_nothing_up(receivers: Receivers) -> None:
    source = source_of()
    made, (destination, stays) = pipeline(source, destinations=2)
    put(source, purchase())
    take_in(source.pk)

    made.destination_links.get(destination=destination).delete()
    assert not deliver(destination.pk)
    deliver(stays.pk)

    assert not of_destination(destination)
    assert destination.settings["name"] not in receivers
    assert not SourceRow.objects.exists()


@pytest.mark.parametrize("kept_by", ["source", "pipeline", "destination"])
def test_cursors_follow_the_pipelines(kept_by: str) -> None:
    """A second pipeline keeps the cursor; without any, there is none."""
    source = source_of()
    first, (destination,) = pipeline(source)
    second, _ = pipeline(source, destinations=0)
    PipelineDestinationFactory.create(pipeline=second, destination=destination)
    first.delete()
    assert DestinationCursor.objects.count() == 1

    if kept_by == "source":
        PipelineSource.objects.all().delete()
    elif kept_by == "pipeline":
        second.delete()
    else:
        PipelineDestination.objects.all().delete()

    assert not DestinationCursor.objects.exists()


def test_what_was_written_past_signals_is_found_later() -> None:
    source = source_of()
    pipeline(source, destinations=2)
    before = set(DestinationCursor.objects.values_list("destination", "source", "place"))
    DestinationCursor.objects.all().delete()
    follow_all_pipelines()
    assert set(DestinationCursor.objects.values_list("destination", "source", "place")) == before

    PipelineSource.objects.all()._raw_delete("default")
    follow_all_pipelines()
    assert not DestinationCursor.objects.exists()

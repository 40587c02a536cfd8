"""The worker's tasks: news of a source go on to its destinations, and the sweep finds what nobody was told of."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from unittest.mock import patch

import pytest
from django.utils import timezone

from events import tasks
from events.delivery import rounds
from events.delivery.destinations.answers import Wait
from events.gateway import lanes
from events.gateway.taking_in import take_in
from events.intake import wakeups
from tests.events.gateway.conftest import Receivers, answering
from tests.events.gateway.stage import lane, of_destination, pipeline, purchases, put, source_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Any]]:
    """The tasks that were sent to workers."""
    found: list[tuple[str, Any]] = []
    for name in ("drain", "take_in", "deliver"):
        monkeypatch.setattr(getattr(tasks, name), "delay", lambda key, name=name: found.append((name, key)))
    return found


def test_news_of_a_source_go_to_all_of_its_destinations(receivers: Receivers, sent: list[tuple[str, Any]]) -> None:
    source = source_of()
    _, (first, second) = pipeline(source, destinations=2)
    put(source, *purchases(2))

    tasks.take_in([source.pk])

    assert of_destination(first) == {"received": 2, "published": 2}
    assert sent == [("deliver", second.pk)]
    tasks.deliver(second.pk)
    assert of_destination(second) == {"received": 2, "published": 2}


def test_the_sweep_finds_news_that_nobody_told_of(receivers: Receivers, sent: list[tuple[str, Any]]) -> None:
    source, other = source_of(), source_of()
    _, (destination,) = pipeline(source)
    put(source, *purchases(1))
    take_in(source.pk)
    put(other, *purchases(1))

    tasks.sweep()

    assert sent == [("take_in", [other.pk]), ("deliver", destination.pk)]


def test_the_sweep_leaves_alone_what_waits_or_is_in_hand(receivers: Receivers, sent: list[tuple[str, Any]]) -> None:
    source = source_of()
    _, (fails, in_hand) = pipeline(source, destinations=2)
    receivers[fails.settings["name"]] = answering(lambda batch: Wait("ReadTimeout", retry_after=60))
    put(source, *purchases(1))
    take_in(source.pk)
    tasks.deliver(fails.pk)
    assert lanes.claim(in_hand.pk)
    tasks.sweep()
    assert sent == []

    lane(fails).update(retry_at=timezone.now())
    lane(in_hand).update(claimed_until=timezone.now() - timedelta(seconds=1))
    tasks.sweep()
    assert sorted(sent) == [("deliver", fails.pk), ("deliver", in_hand.pk)]


def test_a_destination_with_more_to_do_queues_up_again(
    receivers: Receivers, sent: list[tuple[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rounds, "TIME_BOX_SECONDS", -1.0)
    source = source_of()
    _, (destination,) = pipeline(source)
    put(source, *purchases(1))
    take_in(source.pk)

    tasks.deliver(destination.pk)

    assert sent == [("deliver", destination.pk)]


@pytest.mark.parametrize(
    ("task", "name"), [(tasks.take_in, wakeups.TAKE_IN), (tasks.deliver_many, wakeups.DELIVER_MANY)]
)
def test_messages_are_the_workers_tasks(task: Any, name: str) -> None:
    with patch("celery.current_app.send_task") as send_task:
        wakeups._send(name, [1, 2])

    send_task.assert_called_once_with(task.name, [[1, 2]], expires=task.expires)

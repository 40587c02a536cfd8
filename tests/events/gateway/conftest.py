"""Gateway pipelines with destinations that a test answers for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
import pytest

from events.delivery import turns
from events.delivery.destinations.answers import Accepted, Answer, Sender
from pipelines.models import DestinationType

Events = list[dict[str, Any]]


@dataclass
class Receiver:
    """The other end of a destination: what it has got, and how it answers."""

    answer: Callable[[Events], Answer] = lambda events: Accepted()
    requests: list[Events] = field(default_factory=list)
    #: What it has accepted.
    ids: list[str] = field(default_factory=list)

    def send(self, events: Sequence[bytes]) -> Answer:
        read = [orjson.loads(event) for event in events]
        self.requests.append(read)
        answer = self.answer(read)
        if isinstance(answer, Accepted):
            self.ids += [event["event_id"] for event in read]
        return answer


Receivers = dict[str, Receiver]


def answering(answer: Callable[[Events], Answer]) -> Receiver:
    """One that answers like this."""
    return Receiver(answer)


@pytest.fixture
def receivers(monkeypatch: pytest.MonkeyPatch) -> Receivers:
    """By the ``name`` in the settings of destinations, whatever their kind; each request holds two events at most."""
    found: Receivers = {}

    def sender(settings: Mapping[str, Any], secrets: Mapping[str, Any]) -> Sender | None:
        if "name" not in settings:
            return None
        receiver = found.setdefault(settings["name"], Receiver())
        return Sender(2, lambda events, options: receiver.send(events))

    monkeypatch.setattr("events.gateway.delivering.KINDS", dict.fromkeys(DestinationType, sender))
    return found


@pytest.fixture(autouse=True)
def _nobody_is_known() -> Iterator[None]:
    for known in (turns._slow, turns._quick, turns.in_hand):
        known.clear()
    yield
    for known in (turns._slow, turns._quick, turns.in_hand):
        known.clear()

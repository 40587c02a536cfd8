"""Sending a batch's events, as far as that gets: what both roads share, whoever is asked and whatever is answered."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from typing import Any

from events.delivery import rounds
from events.delivery.batches import Event
from events.delivery.verdicts import Verdict

logger = logging.getLogger(__name__)

_OPTIONS = attrgetter("row.options")


@dataclass(slots=True)
class Attempt:
    """How publishing a batch went; what became of each event stands in the event."""

    #: On the last answer.
    verdict: Verdict | None = None
    #: Requests that were not accepted.
    errors: int = 0
    #: Was anything decided about any events?
    answered: bool = False

    @property
    def must_wait(self) -> bool:
        """Can nothing more be published now?"""
        return self.verdict is not None and bool(self.verdict.wait)


def attempt(
    turn: rounds.Turn[Any], requests: list[list[Event]], send: Callable[[list[Event]], Verdict], whose: str
) -> Attempt:
    """Send the requests; ``whose`` they are is for the log.

    A refused request is halved until the bad event stands alone. A failure ends the attempt: what has no fate by then
    waits. So does the rest once time is up and the batch has got somewhere: each attempt at it gets further.
    """
    attempt = Attempt()
    queue = requests[::-1]
    while queue:
        events = queue.pop()
        if attempt.verdict is not None:
            if attempt.answered and turn.is_over:
                break
            turn.between_requests()
        attempt.verdict = verdict = send(events)
        attempt.errors += not verdict.is_accepted
        if verdict.wait:
            logger.warning("Publishing for %s waits: %s.", whose, verdict.wait)
            break
        if verdict.blames_one and len(events) > 1:
            middle = len(events) // 2
            queue += (events[middle:], events[:middle])
            continue
        attempt.answered = True
        for event in events:
            event.fate = verdict.fate
    return attempt


def requests_of(events: list[Event], most: int) -> list[list[Event]]:
    """The events as requests of so many at most: one or more for each of the options that they came with."""
    by_options: dict[str, list[Event]] = {}
    for options, events_alike in groupby(events, _OPTIONS):
        by_options.setdefault(options, []).extend(events_alike)
    return [alike[first : first + most] for alike in by_options.values() for first in range(0, len(alike), most)]

"""Telling the workers which pixels have news: a few messages a second, each with all the pixels of its moment; and
which gateway sources and destinations, alike.

Nothing depends on a message. The events are in the database, and the sweep finds those that no message told of: what
the broker does not take is dropped, and no request waits for the broker.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from functools import partial

from celery import current_app

from common import tracing
from common.collector import Collector

logger = logging.getLogger(__name__)

#: The worker's tasks, by their names: this side of the queue knows nothing of the worker's code.
DRAIN_MANY = "events.tasks.drain_many"
TAKE_IN = "events.tasks.take_in"
DELIVER_MANY = "events.tasks.deliver_many"
#: In seconds: a message that waited longer is not worth more than the sweeps that came in the meantime.
MESSAGE_EXPIRES = 60
#: The least time between two messages, in seconds, and the time to leave a broker alone that has failed.
INTERVAL = 0.25
PAUSE_AFTER_FAILURE = 5.0


class Woken(set[int]):
    """Who has news, and the span of the request that brought the first."""

    span = tracing.NOTHING


class Wakeups(Collector[Woken]):
    """Pixels, sources or destinations that have news."""

    def __init__(
        self,
        send: Callable[[list[int]], object],
        *,
        interval: float = INTERVAL,
        pause_after_failure: float = PAUSE_AFTER_FAILURE,
    ) -> None:
        self._send = send
        super().__init__("wakeups", interval=interval, pause_after_failure=pause_after_failure)

    def nothing(self) -> Woken:
        return Woken()

    def wake(self, pk: int) -> None:
        """Note that it has news."""
        span = tracing.current()

        def put(held: Woken) -> None:
            held.add(pk)
            if held.span is tracing.NOTHING:
                held.span = span

        self.add(put)

    def hand_on(self, held: Woken) -> bool:
        """Tell the broker, if it takes it."""
        try:
            with tracing.under(held.span):
                self._send(sorted(held))
        except Exception as error:  # noqa: BLE001  # each kind of broker has errors of its own, and all mean the same
            logger.warning("The broker did not take a wake-up: %s. Events wait for the sweep.", type(error).__name__)
            return False
        return True


def _send(task: str, pks: list[int]) -> None:
    current_app.send_task(task, [pks], expires=MESSAGE_EXPIRES)


_of_pixels = Wakeups(partial(_send, DRAIN_MANY))
_of_sources = Wakeups(partial(_send, TAKE_IN))
_of_destinations = Wakeups(partial(_send, DELIVER_MANY))


def wake(pixel_pk: int) -> None:
    """Have a worker look at the pixel, soon; returns at once."""
    _of_pixels.wake(pixel_pk)


def wake_source(source_pk: int) -> None:
    """Have a worker look at the source."""
    _of_sources.wake(source_pk)


def wake_destination(destination_pk: int) -> None:
    """Have a worker look at the destination."""
    _of_destinations.wake(destination_pk)


for _wakeups in (_of_pixels, _of_sources, _of_destinations):
    os.register_at_fork(after_in_child=_wakeups.reset)

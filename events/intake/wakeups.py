"""Telling the workers which pixels have news: a few messages a second, each with all the pixels of its moment.

Nothing depends on a message. The events are in the database, and the sweep finds those that no message told of: what
the broker does not take is dropped, and no request waits for the broker.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable
from multiprocessing.util import Finalize

from celery import current_app

logger = logging.getLogger(__name__)

#: The worker's task, by its name: this side of the queue knows nothing of the worker's code.
DRAIN_MANY = "events.tasks.drain_many"
#: In seconds: a message that waited longer is not worth more than the sweeps that came in the meantime.
MESSAGE_EXPIRES = 60
#: The least time between two messages, in seconds, and the time to leave a broker alone that has failed.
INTERVAL = 0.25
PAUSE_AFTER_FAILURE = 5.0


class Wakeups:
    """Pixels that have news, and a thread that passes them on."""

    def __init__(
        self,
        send: Callable[[list[int]], object],
        *,
        interval: float = INTERVAL,
        pause_after_failure: float = PAUSE_AFTER_FAILURE,
    ) -> None:
        self._send = send
        self._interval = interval
        self._pause_after_failure = pause_after_failure
        self._reset()

    def _reset(self) -> None:
        """As new. A forked process needs this: it has the lock and the event of its parent, but not the thread."""
        self._lock = threading.Lock()
        self._news = threading.Event()
        self._dirty: set[int] = set()
        self._thread: threading.Thread | None = None

    def wake(self, pixel_pk: int) -> None:
        """Note that the pixel has news."""
        with self._lock:
            self._dirty.add(pixel_pk)
            if self._thread is None:
                self._start()
        self._news.set()

    def _start(self) -> None:
        thread = threading.Thread(target=self._run, name="wakeups", daemon=True)
        try:
            thread.start()
        except RuntimeError:  # the process is ending, or may have no more threads
            logger.warning("No thread for wake-ups. Events wait for the sweep.")
            return
        self._thread = thread
        # A process that ends in good order passes on what came last: atexit calls this, and so do the server's worker
        # processes, which do not call atexit.
        Finalize(None, self.flush, exitpriority=0)

    def flush(self) -> bool:
        """Pass on what there is; did the broker take it?"""
        with self._lock:
            dirty, self._dirty = self._dirty, set()
        if not dirty:
            return True
        try:
            self._send(sorted(dirty))
        except Exception as error:  # noqa: BLE001  # each kind of broker has errors of its own, and all mean the same
            logger.warning("The broker did not take a wake-up: %s. Events wait for the sweep.", type(error).__name__)
            return False
        return True

    def _run(self) -> None:
        while True:
            self._news.wait()
            self._news.clear()
            time.sleep(self._interval if self.flush() else self._pause_after_failure)


def _send(pixel_pks: list[int]) -> None:
    current_app.send_task(DRAIN_MANY, [pixel_pks], expires=MESSAGE_EXPIRES)


_wakeups = Wakeups(_send)


def wake(pixel_pk: int) -> None:
    """Have a worker look at the pixel, soon; returns at once."""
    _wakeups.wake(pixel_pk)


os.register_at_fork(after_in_child=_wakeups._reset)

"""Celery's scheduler, for machines whose clock is set back; as a program, without its banner."""

from __future__ import annotations

import time
from typing import Any

from celery import beat
from celery.apps import beat as program


class Scheduler(beat.Scheduler):  # type: ignore[misc]  # it has no types
    """Keeps the schedule in memory: two at once do no harm, and share no file.

    Celery's own waits for the moment that it has noted for each task. With the clock set back by an hour, that moment
    is more than an hour ahead, and nothing would be swept until then.
    """

    _latest = 0.0

    def tick(self, *args: Any, **kwargs: Any) -> float:
        """Send one task that is due; how long to wait for the next, in seconds."""
        now = time.time()
        if now < self._latest:
            for entry in self.schedule.values():
                entry.last_run_at = entry.default_now()
            self._heap = None  # Celery then counts from now
        self._latest = now
        return float(super().tick(*args, **kwargs))


class Beat(program.Beat):  # type: ignore[misc]  # it has no types
    """``celery beat``: its banner is no line of the log."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options | {"quiet": True})

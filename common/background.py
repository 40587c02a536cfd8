"""Work that no answer waits for: in order, in a few threads, and within bounds.

What waits when the process stops in order is still done, for as long as there is time; of the rest the log tells.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from multiprocessing.util import Finalize
from queue import Full, Queue

logger = logging.getLogger(__name__)

#: Less than a process has that is asked to stop (portal.serve).
STOP_SECONDS = 10.0


class Background:
    """A queue of its own, and threads that start with the first piece of work."""

    def __init__(self, name: str, *, threads: int, room: int) -> None:
        self.name = name
        self._threads = threads
        self._queue: Queue[Callable[[], object]] = Queue(room)
        self._starting = threading.Lock()
        self._started = False

    @property
    def has_room(self) -> bool:
        """Would more work be taken?"""
        return not self._queue.full()

    def submit(self, work: Callable[[], object]) -> bool:
        """Do it as soon as a thread is free; False, and a line in the log, where too much waits already."""
        self._start()
        try:
            self._queue.put_nowait(work)
        except Full:
            logger.error("%s: too many wait, one more was not taken.", self.name)
            return False
        return True

    def finish(self, seconds: float = STOP_SECONDS) -> int:
        """Wait until all is done, so long at most; how many are not."""
        until = time.monotonic() + seconds
        while self._queue.unfinished_tasks and time.monotonic() < until:
            time.sleep(0.02)
        left = self._queue.unfinished_tasks
        if left:
            logger.error("%s: %d were not done when the process stopped.", self.name, left)
        return left

    def _start(self) -> None:
        with self._starting:
            if self._started:
                return
            for number in range(self._threads):
                threading.Thread(target=self._work, name=f"{self.name} {number}", daemon=True).start()
            # Runs at the end of a process that multiprocessing has started as well, where atexit does not.
            Finalize(None, self.finish, exitpriority=0)
            self._started = True

    def _work(self) -> None:
        while True:
            work = self._queue.get()
            try:
                work()
            except Exception:
                logger.exception("%s: a piece of work failed.", self.name)
            finally:
                self._queue.task_done()

"""News that are collected in memory, and handed on by a thread of its own: together, and in nobody's way.

A process that ends in good order hands on the rest; a killed one loses what it holds. So news may be collected like
this where nothing is wrong without them.
"""

from __future__ import annotations

import logging
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from multiprocessing.util import Finalize
from typing import Generic, TypeVar

logger = logging.getLogger(__name__)

Held = TypeVar("Held")


class Collector(ABC, Generic[Held]):
    """What is held, and a thread that starts with the first news and hands on at most once in ``interval`` seconds.

    A module that has one calls ``reset`` in forked processes: these have their parent's lock, but not its thread.
    """

    def __init__(self, name: str, *, interval: float, pause_after_failure: float) -> None:
        self.name = name
        self._interval = interval
        self._pause_after_failure = pause_after_failure
        self.reset()

    @abstractmethod
    def nothing(self) -> Held:
        """What is held at first, and after each time that it was handed on."""

    @abstractmethod
    def hand_on(self, held: Held) -> bool:
        """Hand it on; was it taken? What was not taken and must not be lost, this puts back by ``add``."""

    def leave(self) -> None:
        """Give back what a thread needed to hand on."""

    def reset(self) -> None:
        """As new: nothing is held, and no thread runs."""
        self._lock = threading.Lock()
        #: Held while something is handed on: a process that ends waits for it.
        self._handing_on = threading.Lock()
        self._news = threading.Event()
        self._held = self.nothing()
        self._thread: threading.Thread | None = None

    def add(self, put: Callable[[Held], object]) -> None:
        """``put`` news to what is held; returns at once."""
        with self._lock:
            put(self._held)
            if self._thread is None:
                self._start()
        self._news.set()

    def flush(self) -> bool:
        """Hand on what there is; was it taken?"""
        with self._handing_on:
            with self._lock:
                held, self._held = self._held, self.nothing()
            return not held or self.hand_on(held)

    def _start(self) -> None:
        thread = threading.Thread(target=self._run, name=self.name, daemon=True)
        try:
            thread.start()
        except RuntimeError:  # the process is ending, or may have no more threads: the next news try again
            logger.warning("%s: no thread can be started, news wait.", self.name)
            return
        self._thread = thread
        # Runs at the end of a process that multiprocessing has started as well, where atexit does not.
        Finalize(None, self._flush_and_leave, exitpriority=0)

    def _flush_and_leave(self) -> bool:
        try:
            return self.flush()
        finally:
            self.leave()

    def _run(self) -> None:
        while True:
            self._news.wait()
            self._news.clear()
            time.sleep(self._interval if self._survive() else self._pause_after_failure)

    def _survive(self) -> bool:
        """What nobody foresaw ends no thread: news that come later would wait for it for good."""
        try:
            return self._flush_and_leave()
        except Exception:
            logger.exception("%s: what was held is lost.", self.name)
            return False

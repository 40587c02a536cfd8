"""Counts of this process, for the ``limits`` library.

Its own storage in memory starts a thread a hundred times a second to look at every key for what has expired: whoever
sends from many addresses makes it take a whole core. Here a window is one dictionary, thrown away as a whole.
"""

from __future__ import annotations

import threading
import time
from math import floor

from limits.storage import SlidingWindowCounterSupport, Storage

#: A window that holds more keys is begun anew: anybody can send under any number of them.
MAX_KEYS = 200_000


class ProcessMemory(Storage, SlidingWindowCounterSupport):
    """How often each key was hit in the running window and in the one before it, by the windows' length."""

    STORAGE_SCHEME = ["process"]  # as the library declares it

    def __init__(self, uri: str | None = None, wrap_exceptions: bool = False, **options: str) -> None:
        super().__init__(uri, wrap_exceptions, **options)
        self._lock = threading.Lock()
        #: By length in seconds: the running window's number, its counts, the counts of the one before it.
        self._windows: dict[int, tuple[int, dict[str, int], dict[str, int]]] = {}

    def acquire_sliding_window_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        with self._lock:
            before, running, share = self._counts(expiry)
            count = running.get(key, 0)
            if floor(before.get(key, 0) * share) + count + amount > limit:
                return False
            running[key] = count + amount
            return True

    def get_sliding_window(self, key: str, expiry: int) -> tuple[int, float, int, float]:
        with self._lock:
            before, running, share = self._counts(expiry)
            return before.get(key, 0), share * expiry, running.get(key, 0), (share + 1) * expiry

    def clear_sliding_window(self, key: str, expiry: int) -> None:
        with self._lock:
            before, running, _ = self._counts(expiry)
            before.pop(key, None)
            running.pop(key, None)

    def _counts(self, expiry: int) -> tuple[dict[str, int], dict[str, int], float]:
        """The counts of the window before and of the running one, and the share of the first that still counts."""
        number, passed = divmod(time.time(), expiry)
        known, running, before = self._windows.get(expiry, (None, {}, {}))
        if known != number:
            before, running = (running if known == number - 1 else {}), {}
        elif len(running) > MAX_KEYS:
            running = {}
        self._windows[expiry] = int(number), running, before
        return before, running, 1 - passed / expiry

    def reset(self) -> int:
        with self._lock:
            forgotten = sum(len(running) for _, running, _ in self._windows.values())
            self._windows.clear()
        return forgotten

    def keys(self) -> set[str]:
        """Under what is being counted."""
        return {key for _, running, before in self._windows.values() for key in (*running, *before)}

    def check(self) -> bool:
        return True

    @property
    def base_exceptions(self) -> type[Exception]:
        return ValueError

    # What the library asks of storages for other strategies than ours.
    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        raise NotImplementedError

    def get(self, key: str) -> int:
        raise NotImplementedError

    def get_expiry(self, key: str) -> float:
        raise NotImplementedError

    def clear(self, key: str) -> None:
        raise NotImplementedError

"""Whose turn it is in a worker: few threads work at a time, many may wait for the Graph API.

Work takes the processor and a connection to the database; waiting takes neither. So a worker has more threads than may
work, and a thread that waits for an answer gives way. Pixels whose answers take long may fill most of the threads, and
pixels that this process does not know yet a few more. The rest is for pixels that are answered at once.
"""

from __future__ import annotations

import time
from collections.abc import Hashable, Iterator, Set
from contextlib import contextmanager
from threading import BoundedSemaphore

from django.conf import settings
from django.db import connection

#: An answer that takes longer is slow.
SLOW_SECONDS = 1.0
#: Workers handle at most MOST_SLOW slow pixels at a time, and at most MOST_NOT_QUICK of those that are slow or whose
#: speed is not known yet.
MOST_SLOW = settings.CELERY_WORKER_CONCURRENCY * 3 // 4
MOST_NOT_QUICK = settings.CELERY_WORKER_CONCURRENCY * 7 // 8

#: The pixels whose lanes this process has.
in_hand: set[Hashable] = set()
#: The pixels whose last answer was slow, and those whose was not.
_slow: set[Hashable] = set()
_quick: set[Hashable] = set()
_working = BoundedSemaphore(settings.WORKER_THREADS)


def is_slow(key: Hashable) -> bool:
    """Did the pixel's last answer take long?"""
    return key in _slow


def may_begin(key: Hashable, in_hand: Set[Hashable]) -> bool:
    """May the pixel be taken in hand? If not, the sweep comes back to it."""
    if key in _quick:
        return True
    if key in _slow and len(_slow & in_hand) >= MOST_SLOW:
        return False
    return len(in_hand - _quick) < MOST_NOT_QUICK


@contextmanager
def at_work() -> Iterator[None]:
    """Wait until this thread may work."""
    with _working:
        yield


@contextmanager
def waiting(key: Hashable) -> Iterator[None]:
    """Within ``at_work``: let others work while this thread waits for the pixel's answer."""
    _give_connection_back()
    _working.release()
    begun = time.monotonic()
    try:
        yield
    finally:
        _note(key, time.monotonic() - begun > SLOW_SECONDS)
        _working.acquire()


def _note(key: Hashable, slow: bool) -> None:
    there, elsewhere = (_slow, _quick) if slow else (_quick, _slow)
    there.add(key)
    elsewhere.discard(key)


def _give_connection_back() -> None:
    """PostgreSQL's come from a pool; SQLite's is a file that this thread may keep open."""
    if connection.vendor == "postgresql" and not connection.in_atomic_block:
        connection.close()

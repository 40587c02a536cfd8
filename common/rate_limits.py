"""Rate limits, counted by the ``limits`` library in ``RATE_LIMIT_STORAGE_URL`` (docs/decisions/0012).

The default, ``memory://``, counts in each process for itself; several processes share a count through Redis. While
Redis does not answer, each process counts for itself too: nothing fails for it.
"""

from __future__ import annotations

import hashlib
import json
import logging
import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, TypeVar

from django.conf import settings
from limits import RateLimitItem
from limits.errors import StorageError
from limits.storage import storage_from_string
from limits.strategies import RateLimiter, SlidingWindowCounterRateLimiter

from common.client_address import network_of
from common.errors import TooManyRequests
from common.rate_storage import ProcessMemory

logger = logging.getLogger(__name__)

#: A Redis that does not answer is left alone for this long.
AWAY_SECONDS = 5.0
#: No request waits longer for Redis.
REDIS_TIMEOUTS = {"socket_timeout": 0.5, "socket_connect_timeout": 0.5}

T = TypeVar("T")


@lru_cache(maxsize=2)
def _limiter(storage_url: str) -> RateLimiter:
    # Two numbers a key, however often it is hit; where two windows meet, the first counts by the share that is left.
    if storage_url == "memory://":
        return SlidingWindowCounterRateLimiter(ProcessMemory())
    return SlidingWindowCounterRateLimiter(storage_from_string(storage_url, wrap_exceptions=True, **REDIS_TIMEOUTS))


def limiter() -> RateLimiter:
    """The limiter over the storage of the settings; over this process's memory while that one does not answer."""
    return _limiter("memory://" if away.is_now else settings.RATE_LIMIT_STORAGE_URL)


class Away:
    """Until when the storage is not asked, since it did not answer."""

    def __init__(self) -> None:
        self.until = 0.0
        self._lock = threading.Lock()

    @property
    def is_now(self) -> bool:
        """Is the storage left alone at this moment?"""
        return time.monotonic() < self.until

    def note(self, error: Exception) -> None:
        """It did not answer."""
        with self._lock:
            if not self.is_now:  # one line, however many requests were waiting
                logger.warning("Rate limits: the storage does not answer, each process counts alone. %s", error)
                self.until = time.monotonic() + AWAY_SECONDS


away = Away()


def _ask(question: Callable[[RateLimiter], T]) -> T:
    try:
        return question(limiter())
    except StorageError as error:
        away.note(error)
        return question(_limiter("memory://"))


@dataclass(frozen=True, slots=True)
class RateLimit:
    """At most ``rate`` for each ``who``, such as a client and its address; ``name`` keeps counts of limits apart."""

    name: str
    rate: RateLimitItem

    def hit(self, *who: str, cost: int = 1) -> bool:
        """Count so many; False where the limit is reached, and these are not counted."""
        key = _key(self.name, *who)
        return _ask(lambda limiter: limiter.hit(self.rate, key, cost=min(cost, self.rate.amount)))

    def is_exhausted(self, *who: str) -> bool:
        """Would the next hit be refused? Counts nothing."""
        key = _key(self.name, *who)
        return not _ask(lambda limiter: limiter.test(self.rate, key))

    def retry_after(self, *who: str) -> int:
        """Of an exhausted limit: whole seconds until one more is allowed, for a Retry-After header; at least one."""
        key = _key(self.name, *who)
        reset_at = _ask(lambda limiter: limiter.get_window_stats(self.rate, key)).reset_time
        return max(1, math.ceil(round(reset_at - time.time(), 3)))


@lru_cache(maxsize=1024)
def _key(*parts: str) -> str:
    # Callers choose parts of the key: hashed, it has one length, and no storage holds anybody's address.
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


Kind = Literal["API", "ADDRESS", "PIXEL", "BROWSER_ADDRESS", "BROWSER_PIXEL"]


def count_request(kind: Kind, who: str, *, cost: int = 1) -> None:
    """Count a request against ``<kind>_RATE_LIMIT``; TooManyRequests where that is reached, nothing where it is off.

    One that costs as much as several counts as so many.
    """
    rate: RateLimitItem | None = getattr(settings, f"{kind}_RATE_LIMIT")
    if rate is None:
        return
    limit = RateLimit(kind, rate)
    if not limit.hit(who, cost=cost):
        raise TooManyRequests(limit.retry_after(who))


def refuse_if_exhausted(kind: Kind, who: str) -> None:
    """TooManyRequests where the limit is reached, as ``count_request``; this request is not counted."""
    rate: RateLimitItem | None = getattr(settings, f"{kind}_RATE_LIMIT")
    if rate is None:
        return
    limit = RateLimit(kind, rate)
    if limit.is_exhausted(who):
        raise TooManyRequests(limit.retry_after(who))


def count_caller(address: str, caller: str | None) -> None:
    """Count a request to an API: of the ``caller`` who has signed in, else of the ``address`` that it comes from."""
    if caller is None:
        count_request("ADDRESS", network_of(address))
    else:
        count_request("API", caller)

"""Rate limits, counted by the ``limits`` library in ``RATE_LIMIT_STORAGE_URL``.

The default, ``memory://``, counts in each process for itself; several processes share a count through Redis.
"""

from __future__ import annotations

import hashlib
import json
import math
import time
from dataclasses import dataclass
from functools import lru_cache

from django.conf import settings
from limits import RateLimitItem
from limits.storage import storage_from_string
from limits.strategies import MovingWindowRateLimiter, RateLimiter


@lru_cache(maxsize=1)
def _limiter(storage_url: str) -> RateLimiter:
    # A moving window is exact: no double burst where two windows meet, and Retry-After tells the true moment.
    return MovingWindowRateLimiter(storage_from_string(storage_url))


def limiter() -> RateLimiter:
    """The limiter over the storage of the settings."""
    return _limiter(settings.RATE_LIMIT_STORAGE_URL)


@dataclass(frozen=True, slots=True)
class RateLimit:
    """At most ``rate`` for each ``who``, such as a client and its address; ``name`` keeps counts of limits apart."""

    name: str
    rate: RateLimitItem

    def hit(self, *who: str) -> bool:
        """Count one; False where the limit is reached, and this one is not counted."""
        return limiter().hit(self.rate, self._key(who))

    def is_exhausted(self, *who: str) -> bool:
        """Would the next hit be refused? Counts nothing."""
        return not limiter().test(self.rate, self._key(who))

    def retry_after(self, *who: str) -> int:
        """Of an exhausted limit: whole seconds until one more is allowed, for a Retry-After header; at least one."""
        reset_at = limiter().get_window_stats(self.rate, self._key(who)).reset_time
        return max(1, math.ceil(reset_at - time.time()))

    def _key(self, who: tuple[str, ...]) -> str:
        # Callers choose parts of the key: hashed, it has one length and holds nobody's address.
        return hashlib.sha256(json.dumps([self.name, *who]).encode()).hexdigest()

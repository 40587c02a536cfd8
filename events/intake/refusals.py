"""Bodies that are refused count against the address that they come from, by their size.

To say of a body that it is wrong takes as long as to take one in. So who sends what is refused until its limit is
reached waits, for this pixel, before another body is read. Small ones are read all the same, since others may share
the address; and its other pixels go on: a server may send for hundreds, and one wrong key shall not stop the others.
"""

from __future__ import annotations

import time
from threading import Lock

from cachetools import FIFOCache

from common.errors import TooManyRequests
from common.rate_limits import count_request

#: A refused body counts as one request for each of these, and one more.
BYTES_A_REQUEST = 16_384

#: By address and pixel, until when they wait (``time.monotonic``). Who is pushed out may send one body more.
_waiting: FIFOCache[tuple[str, str], float] = FIFOCache(10_000)
_lock = Lock()


def refuse_if_waiting(caller: str, pixel_id: str) -> None:
    """TooManyRequests where the last refusal has reached the address's limit, and the wait is not over."""
    if not _waiting:  # as nearly always
        return
    with _lock:
        until = _waiting.get((caller, pixel_id), 0.0)
    left = until - time.monotonic()
    if left > 0:
        raise TooManyRequests(int(left) + 1)


def count_refusal(caller: str, pixel_id: str, size: int) -> None:
    """Count a body of so many bytes that was refused; TooManyRequests, in the refusal's place, at the limit."""
    try:
        count_request("ADDRESS", caller, cost=1 + size // BYTES_A_REQUEST)
    except TooManyRequests as error:
        with _lock:
            _waiting[caller, pixel_id] = time.monotonic() + error.retry_after
        raise


def forget_refusals() -> None:
    """Nobody waits any more."""
    with _lock:
        _waiting.clear()

"""What something costs the processor, however busy the machine is with other things."""

from __future__ import annotations

import gc
import math
import time
from collections.abc import Callable


def seconds_of(work: Callable[[], object], *, enough: float = 0.0) -> float:
    """The seconds of the processor's time that this thread needs for the work: the best of three times.

    Once it has taken no more than ``enough``, it is not done again. The pauses that the tests' own many objects cost
    are left out, and what a neighbour on the core costs falls into one of the three.
    """
    best = math.inf
    was_on = gc.isenabled()
    gc.disable()
    try:
        for _ in range(3):
            start = time.thread_time()
            work()
            best = min(best, time.thread_time() - start)
            if best <= enough:
                break
    finally:
        if was_on:
            gc.enable()
    return best

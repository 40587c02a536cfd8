"""A thread's turn at a queue: it works off batch after batch, and lets others have their turn in time."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Hashable
from contextlib import suppress
from threading import Event as Flag
from typing import Generic, TypeVar

from django.db import DatabaseError

from events.delivery import leases, turns

#: After this long another queue gets the worker's thread; one with more to do queues up behind the others.
TIME_BOX_SECONDS = 20.0
#: Where a process has several queues in hand, each queues up after this long: another worker may have none.
SHARED_SECONDS = 1.0

#: Set when the worker was asked to stop: what is under way is finished and settled, nothing new begun.
stopping = Flag()

Claim = TypeVar("Claim", bound=leases.Claim)


class Turn(ABC, Generic[Claim]):
    """What one thread does at the queue of a pixel or a destination, once."""

    #: Its lease of the queue.
    claim: Claim

    def __init__(self, key: Hashable) -> None:
        #: What tells the queue from those of all others in the process.
        self.key = key
        self.begun = time.monotonic()

    @property
    def seconds(self) -> float:
        """How long it has lasted."""
        return time.monotonic() - self.begun

    @property
    def is_over(self) -> bool:
        """Shall others have the thread?"""
        return stopping.is_set() or self.seconds > TIME_BOX_SECONDS

    @abstractmethod
    def take(self) -> Claim | None:
        """Lease the queue, if nobody has it."""

    @abstractmethod
    def work_off_batch(self) -> bool:
        """Read, decide, publish, settle; False where it was the last, and the queue is released."""

    @abstractmethod
    def has_work(self) -> bool:
        """Is there something that somebody should look at now?"""

    def between_requests(self) -> None:
        """What is due while a batch goes out in several requests."""
        leases.renew(self.claim)

    def work(self) -> bool:
        """Work on the queue until there is nothing to do; True where the time was up first.

        Does nothing where another worker has it. A wake-up that comes while this one has it is lost, therefore the
        last look is taken after the release.
        """
        while not self.is_over:
            claim = self.take() if turns.may_begin(self.key, turns.in_hand) else None
            if claim is None:
                return False
            self.claim = claim
            turns.in_hand.add(self.key)
            try:
                has_passed_on = self._work_off()
            except leases.LeaseLost:
                return False
            except Exception:
                # The transaction that failed has changed nothing. Whatever it is, it shall not come back at once.
                with suppress(DatabaseError, leases.LeaseLost):  # else the lease runs out by itself
                    leases.abandon(claim)
                raise
            finally:
                turns.in_hand.discard(self.key)
            if has_passed_on or not self.has_work():
                return has_passed_on
        return True

    def _work_off(self) -> bool:
        """Batch by batch, until the queue is released; True where that was for others to go on.

        Whose turn it is is asked after a batch: however long it took to get the queue, each turn gets further.
        """
        while self.work_off_batch():
            has_others = len(turns.in_hand) > 1 and self.seconds > SHARED_SECONDS
            if has_others or self.is_over:
                leases.release(self.claim)
                return True
        return False

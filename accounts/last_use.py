"""When an API account was last used, and from which network: written in the background, in no request's way.

A process notes each key once a minute at most, and a thread writes what it has noted (``common.collector``). While the
database is away, a note is lost: the next use makes another.
"""

from __future__ import annotations

import logging
import os
import time
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db import DatabaseError, InterfaceError, connection
from django.db.models import Q
from django.utils import timezone

from accounts.models import ApiAccount
from common.client_address import shortened
from common.collector import Collector

logger = logging.getLogger(__name__)

#: In seconds: how often a key is noted, and how long a thread waits for other keys' notes.
EVERY = 60.0
INTERVAL = 5.0


class Use(NamedTuple):
    """When, and from which network."""

    at: datetime
    network: str


class LastUses(Collector[dict[int, Use]]):
    """The last use of each key, by its number."""

    def __init__(self) -> None:
        super().__init__("last uses", interval=INTERVAL, pause_after_failure=INTERVAL)

    def reset(self) -> None:
        super().reset()
        #: By key, when it was noted last (``time.monotonic``). There are as many as keys.
        self._noted: dict[int, float] = {}

    def nothing(self) -> dict[int, Use]:
        return {}

    def note(self, api_account_pk: int, address: str) -> None:
        """The key was used at this moment."""
        now = time.monotonic()
        if now - self._noted.get(api_account_pk, -EVERY) < EVERY:
            return
        self._noted[api_account_pk] = now
        use = Use(timezone.now(), shortened(address))
        self.add(lambda held: held.update({api_account_pk: use}))

    def hand_on(self, held: dict[int, Use]) -> bool:
        """Write it down, unless another process has done so within the minute."""
        try:
            for pk, use in sorted(held.items()):
                is_older = Q(last_used_at=None) | Q(last_used_at__lt=use.at - timedelta(seconds=EVERY / 2))
                ApiAccount.objects.filter(is_older, pk=pk).update(last_used_at=use.at, last_used_from=use.network)
        except (DatabaseError, InterfaceError) as error:
            logger.warning("The last use of API accounts is not noted: %s.", type(error).__name__)
            return False
        return True

    def leave(self) -> None:
        connection.close()  # given back: the pool is for requests


last_uses = LastUses()
os.register_at_fork(after_in_child=last_uses.reset)

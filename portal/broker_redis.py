"""Redis as the broker: Kombu's transport, whose lists do not grow while no worker takes from them."""

from __future__ import annotations

from typing import Any

from kombu.transport import redis

from portal.broker import MAX_WAITING


class Channel(redis.Channel):
    """Kombu's channel. Redis knows no age of a list's entries, so what expires stays there until a worker has it."""

    #: Wake-ups need not come again. Kombu would give back those under way over the connection that was just lost, and
    #: the worker could end by that.
    do_restore = False

    def _put(self, queue: str, message: dict[str, Any], **kwargs: Any) -> None:
        """Add a message; beyond the bound the oldest go."""
        super()._put(queue, message, **kwargs)  # type: ignore[no-untyped-call]
        priority = self._get_message_priority(message, reverse=False)  # type: ignore[no-untyped-call]
        key = self._q_for_pri(queue, priority)  # type: ignore[no-untyped-call]
        with self.conn_or_acquire() as client:
            client.ltrim(key, 0, MAX_WAITING - 1)  # the newest are in front


class Transport(redis.Transport):
    """The transport behind ``redis://`` and ``rediss://``."""

    Channel = Channel

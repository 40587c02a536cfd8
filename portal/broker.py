"""The brokers. The embedded one is a folder of messages, for installations without Redis or RabbitMQ.

None of them grows while no worker takes its messages.
"""

from __future__ import annotations

from pathlib import Path
from time import time_ns
from typing import Any
from uuid import uuid4

from kombu.entity import Queue
from kombu.transport import TRANSPORT_ALIASES, filesystem
from kombu.utils.json import dumps

#: More than this are not kept: a message is a wake-up, and what it speaks of is in the database.
MAX_WAITING = 1_000
#: Celery asks for two seconds, twice when it stops.
LONGEST_POLL = 0.5


class Channel(filesystem.Channel):
    """Kombu's folder of messages, in which nobody finds half a message, and which does not grow without a worker."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[no-untyped-call]
        self.folder = Path(self.data_folder_out)
        for folder in (self.folder, self.control_folder):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def _put(self, queue: str, payload: dict[str, Any], **kwargs: Any) -> None:  # type: ignore[override]
        """Add a message, whole or not at all.

        Kombu creates the file and then fills it: a worker that looks in between cannot decode what it finds, and ends.
        """
        if sum(1 for _ in self.folder.glob("*.msg")) >= MAX_WAITING:
            return
        name = f"{time_ns()}_{uuid4()}.{queue}.msg"
        draft = self.control_folder / name
        draft.write_text(dumps(payload), encoding="utf-8")
        draft.rename(self.folder / name)


class Transport(filesystem.Transport):
    """The transport behind ``filesystem://``."""

    Channel = Channel

    def drain_events(self, connection: Any, timeout: float | None = None, **kwargs: Any) -> None:
        """Wait for messages, but not for long: a worker looks between two calls whether it was asked to stop."""
        super().drain_events(connection, timeout=min(timeout or LONGEST_POLL, LONGEST_POLL))  # type: ignore[no-untyped-call]


TRANSPORT_ALIASES["filesystem"] = f"{__name__}:Transport"
TRANSPORT_ALIASES["redis"] = TRANSPORT_ALIASES["rediss"] = "portal.broker_redis:Transport"


def queue(prefix: str) -> Queue:
    """The queue of the instance that has this prefix. RabbitMQ keeps to the length by itself, and drops the oldest."""
    return Queue(f"{prefix}.tasks", max_length=MAX_WAITING)


def transport_options(url: str, folder: Path) -> dict[str, Any]:
    """What Kombu is to know of the broker beyond its URL; ``folder`` is where the embedded one keeps its messages."""
    if url.startswith("redis"):
        return {"socket_timeout": 5, "socket_connect_timeout": 5}
    if url.startswith("filesystem"):
        return {
            "data_folder_in": str(folder),
            "data_folder_out": str(folder),
            "control_folder": str(folder / "control"),
            "polling_interval": 0.2,
        }
    return {}

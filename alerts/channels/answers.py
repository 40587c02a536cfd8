"""What is told, and what became of an attempt to tell it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from alerts.models import Incident, Notice, NoticeDelivery, Receiver


@dataclass(frozen=True, slots=True)
class Told:
    """A notice, or one that somebody tries a receiver with: that is of no incident."""

    id: UUID
    kind: Notice.Kind
    at: datetime
    #: Its ``tenant`` is at hand.
    incident: Incident | None = None

    @classmethod
    def of(cls, notice: Notice) -> Told:
        """The notice, as each attempt tells it."""
        return cls(notice.pk, Notice.Kind(notice.kind), notice.created_at, notice.incident)


@dataclass(frozen=True, slots=True)
class Message:
    """What is posted, to the receiver's address."""

    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Taken:
    """It is told, or there is nobody to tell it to."""


@dataclass(frozen=True, slots=True)
class Later:
    """It is tried again. ``is_away``: so would anything else fail that goes there now."""

    #: For the log of the process: it quotes nobody.
    reason: str
    is_away: bool = True
    #: Seconds, where the other side says so.
    retry_after: float | None = None


Answer = Taken | Later
#: Delivers once, to whomever the channel reaches. It may raise OSError for ``Later``; ``notice.incident.tenant`` and
#: ``receiver`` are at hand.
Deliver = Callable[[NoticeDelivery], Answer]
#: What a receiver is posted; UndecryptableError where a secret cannot be read.
Compose = Callable[[Receiver, Told], Message]

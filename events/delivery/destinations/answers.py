"""What a destination answers: it has the events, refuses one of them, or has them wait."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Accepted:
    """It has the events."""

    trace_id: str = ""


@dataclass(frozen=True, slots=True)
class Refused:
    """At least one of the events is bad, and it took none of them. Alone, it becomes a dead letter."""

    code: str
    message: str
    trace_id: str = ""


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing is known to be wrong with the events. ``reason`` is for the log of the process.

    ``code`` and ``message`` are what it answered; without an answer they are empty, and ``reason`` is shown.
    """

    reason: str
    code: str = ""
    message: str = ""
    retry_after: float | None = None
    #: Until somebody changes the destination: it does not know us any more.
    held: bool = False


Answer = Accepted | Refused | Wait


@dataclass(frozen=True, slots=True)
class Sender:
    """A destination that is configured."""

    #: What one request may hold.
    most_events: int
    #: Given the JSON of each event, and the options that they came with (a JSON object, or empty).
    send: Callable[[Sequence[bytes], str], Answer]


#: So much of an answer a trial shows, in characters.
SHOWN_MAX_LENGTH = 2_000


@dataclass(frozen=True, slots=True)
class Sample:
    """An event to try a destination with: its JSON, what may be shown of it, and the texts that may not."""

    event: bytes
    shown: Mapping[str, Any]
    hidden: tuple[str, ...] = ()
    #: As of ``Sender.send``.
    options: str = ""


@dataclass(frozen=True, slots=True)
class Trial:
    """What was sent and what came back, without secrets and what tells of a visitor."""

    request: str
    answer: Answer
    #: Of HTTP; None where nobody answered the request with the event.
    status: int | None = None
    body: str = ""

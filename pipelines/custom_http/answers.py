"""What became of a request, in the four classes that a destination's queue knows."""

from __future__ import annotations

from dataclasses import dataclass

WORDS_MAX_LENGTH = 500


@dataclass(frozen=True, slots=True)
class Accepted:
    """The destination has the events."""

    status: int


@dataclass(frozen=True, slots=True)
class Refused:
    """At least one of the events is at fault, or they are too many: fewer at a time may pass."""

    words: str
    #: The destination's; None where no request could be made of the events.
    status: int | None = None


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing is known to be wrong with the events: the same request may pass later."""

    words: str
    status: int | None = None
    #: Seconds, where the destination says so.
    retry_after: float | None = None


@dataclass(frozen=True, slots=True)
class Held:
    """Nothing will pass before somebody changes the configuration."""

    words: str
    status: int | None = None


Answer = Accepted | Refused | Wait | Held

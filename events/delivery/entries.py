"""What a list of events holds: entries, their places, and which of them are asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import IntEnum
from typing import Generic, NamedTuple, TypeVar

import msgspec

from common.cursors import encode_cursor
from common.errors import InvalidInput
from common.validation import refuse_control_characters
from events.changes import FROM_ADDRESS, REMEMBERED, Change
from events.delivery.explanations import explain
from events.models import LABEL_MAX_LENGTH, Delivery, Road
from filters.matching import covering
from filters.models import EVENT_NAME_MAX_LENGTH
from pixels.models import Pixel

Outcome = Delivery.Outcome
Listed = TypeVar("Listed")
Position = tuple[int, int, int, int]

EVENT_ID_MAX_LENGTH = 100

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
#: A cursor that somebody has made may name a time that is none.
_LAST = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // _MICROSECOND


def moment(microseconds: int) -> datetime:
    """The time of a place."""
    return _EPOCH + max(0, min(microseconds, _LAST)) * _MICROSECOND


class From(IntEnum):
    """Where an entry is stored. Of those of one time, the later ones here come first."""

    FORMER_LOG = 0
    LOG = 1
    OUTBOX = 2
    #: For a destination: what its cursors are still to reach, and what waits apart.
    SOURCE = 3
    APART = 4

    @property
    def waits(self) -> bool:
        """Is something to come of it?"""
        return self >= From.OUTBOX


@dataclass(frozen=True, slots=True)
class Slice(Generic[Listed]):
    """A part of a list."""

    rows: list[Listed]
    has_next: bool
    #: Are there rows before these? False as well where nobody asks.
    has_previous: bool = False
    #: Where the search has stopped before the page was full: a cursor from which the next page goes on.
    stopped_at: str = ""

    @classmethod
    def of(cls, rows: list[Listed], size: int, *, has_previous: bool = False, stopped_at: str = "") -> Slice[Listed]:
        """The first ``size`` rows; one more tells that there are more."""
        is_full = len(rows) > size
        return cls(rows[:size], is_full or bool(stopped_at), has_previous, "" if is_full else stopped_at)


class Delivered(NamedTuple):
    """An event and what became of it; ``place`` falls from the first entry to the last.

    It begins with the time in microseconds, then comes where it is stored.
    """

    place: Position
    id: str
    pixel_pk: int
    at: datetime
    outcome: Delivery.Outcome
    event_name: str
    event_id: str
    event_time: datetime | None
    website: str
    road: Road
    detail: str = ""
    code: str = ""
    trace_id: str = ""
    #: To the second; None where it is not known.
    received_at: datetime | None = None
    enriched: bool = False
    #: Of a gateway source's event: its source, and where it goes. Nought for a pixel's.
    source_pk: int = 0
    destination_pk: int = 0
    #: Filled in where a list is put together: the pixel's id, or the source's, and the destination's; and both by name,
    #: for people. A pixel's events have no destination of their own.
    pixel_id: str = ""
    destination_id: str = ""
    of: str = ""
    to: str = ""
    #: Is its code one of Meta's?
    is_metas: bool = True
    #: Of one that waits: the event as it is stored, with all that tells of the visitor.
    raw: msgspec.Raw | bytes = b""
    #: What the gateway changed of it.
    changes: tuple[Change, ...] = ()

    @property
    def cursor(self) -> str:
        """The entry's place, for the next page."""
        return encode_cursor(*self.place)

    @property
    def is_remembered(self) -> bool:
        """Was it completed with what its visitor had given before, and not by the page's address alone?"""
        added = {change.code for change in self.changes} & {REMEMBERED, FROM_ADDRESS}
        return self.enriched and added != {FROM_ADDRESS}

    @property
    def explanation(self) -> str:
        """What its error code means, where that is known: an HTTP destination's are its own."""
        return explain(self.code) if self.is_metas else ""


@dataclass(frozen=True, slots=True)
class Among:
    """Whose events are looked at: those of pixels, and those of gateway sources on their way to destinations."""

    pixels: Sequence[Pixel] = ()
    #: By key; None stands for any of the account's.
    destinations: tuple[int, ...] | None = ()
    #: The gateway source that they are of; None for any.
    source: int | None = None

    def is_to(self, destination: int) -> bool:
        """Are those on their way to the destination looked at?"""
        return self.destinations is None or destination in self.destinations

    def is_of(self, source: int) -> bool:
        """Are those of the gateway source?"""
        return self.source in (None, source)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which events are asked for; what is not named does not matter."""

    outcome: Delivery.Outcome | None = None
    road: Road | None = None
    event_name: str | None = None
    #: A part of the name, whatever the case.
    name_part: str = ""
    event_id: str | None = None
    website: str | None = None
    #: A domain: events of its website and of those below it.
    domain: str | None = None
    #: When it was decided, or came where it waits: from, and before.
    since: datetime | None = None
    until: datetime | None = None

    @property
    def may_wait(self) -> bool:
        """May events that wait be among them?"""
        return self.outcome in (None, Outcome.WAITING)

    @property
    def may_be_decided(self) -> bool:
        """May others be?"""
        return self.outcome is not Outcome.WAITING

    def is_name(self, name: str) -> bool:
        """Is it a name that is asked for?"""
        return self.event_name in (None, name) and self.name_part.casefold() in name.casefold()

    def is_kind(self, name: str, website: str, outcome: str, road: int) -> bool:
        """Are events like that asked for?"""
        return (
            self.outcome in (None, outcome)
            and self.road in (None, road)
            and self.website in (None, website)
            and (self.domain is None or self.domain in covering(website))
            and self.is_name(name)
        )

    def includes(self, entry: Delivered) -> bool:
        """Is the entry asked for?"""
        return (
            self.is_kind(entry.event_name, entry.website, entry.outcome, entry.road)
            and self.event_id in (None, entry.event_id)
            and (self.since is None or entry.at >= self.since)
            and (self.until is None or entry.at < self.until)
        )

    def check(self) -> None:
        """InvalidInput for what no event can be."""
        _check_text("eventName", self.event_name, EVENT_NAME_MAX_LENGTH)
        _check_text("eventId", self.event_id, EVENT_ID_MAX_LENGTH)
        _check_text("website", self.website, LABEL_MAX_LENGTH)


EVERYTHING = Wanted()


def newest_first(entries: Sequence[Delivered]) -> list[Delivered]:
    """The entries in the order of lists."""
    return sorted(entries, key=lambda entry: entry.place, reverse=True)


def _check_text(field: str, text: str | None, most: int) -> None:
    if text is None:
        return
    refuse_control_characters(field, text)
    if not 1 <= len(text) <= most:
        raise InvalidInput(field, "must have 1 to {limit:,} characters.", limit=most)

"""What senders are told of events that were taken: what was left out of them, and what was filled in."""

from __future__ import annotations

from collections import defaultdict

from django.utils import translation

from events.changes import FILLED, MORE, MOST, Change, write
from events.intake.left_out import LeftOut, Reason

#: Texts in an answer.
MESSAGES_MAX = 20


class Notes:
    """Of one request. However many events it has, they take little room; and they quote no value that was sent."""

    def __init__(self) -> None:
        #: How often each field was left out, and why.
        self.left_out: dict[LeftOut, int] = defaultdict(int)
        self._messages: list[str] = []
        self._number = 0
        self._place = ""
        #: By the event's index, each once, in their order.
        self._changes: dict[int, dict[Change, None]] = {}
        self._index: int | None = None

    def of_event(self, index: int) -> None:
        """What comes next is of this event."""
        self._index, self._place = index, f"data[{index}]."

    def leave_out(self, what: LeftOut, shown: str = "") -> None:
        """A value was left out. The sender is ``shown`` its whole path, where what is counted has a shorter one."""
        self.left_out[what] += 1
        self._change(what.field, what.reason.value)
        if self._has_room():
            self._messages.append(f"{self._place}{shown or what.field}: left out. {_in_english(what.reason)}")

    def fill(self, field: str, value: str) -> None:
        """A value was missing; what it is filled with is the gateway's word, and no personal datum."""
        self._change(field, FILLED)
        if self._has_room():
            self._messages.append(f"{self._place}{field}: missing. It is filled with {value}.")

    def _change(self, field: str, code: str) -> None:
        if self._index is None:  # it is of no event, but of the request
            return
        change, of_event = Change(field, code), self._changes.setdefault(self._index, {})
        if change not in of_event:
            of_event[change if len(of_event) < MOST - 1 else Change("", MORE)] = None

    def _has_room(self) -> bool:
        self._number += 1
        return self._number <= MESSAGES_MAX

    def changes(self, events: int) -> str | None:
        """What is stored beside so many events: what was left out of each, and filled in. None where nothing was."""
        if not self._changes:
            return None
        return write(self._changes.get(index, {}) for index in range(events))

    @property
    def messages(self) -> list[str]:
        """The first of them, and how many there are beside these."""
        if self._number <= MESSAGES_MAX:
            return self._messages
        told = MESSAGES_MAX - 1
        return [*self._messages[:told], f"{self._number - told:,} more values were left out or filled in."]


def _in_english(reason: Reason) -> str:
    """The sender is software, and this thread may have the language of the person whom it served before."""
    with translation.override("en"):
        return str(reason.label)

"""What the gateway changed of single events: left out, filled in, completed. Told by field; values are kept nowhere.

The intake writes it beside a request's events, and settling copies it into the delivery log. Each table has a column
for it, which is null where nothing was changed. Processes of the release before neither write nor read it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from functools import lru_cache
from typing import NamedTuple

import msgspec
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from events.intake.left_out import Reason

#: Of an event, so many changes are told; that there were more, by the last.
MOST = 20
#: What became of a field, beside the codes of ``Reason``, for which it was left out. They stand in the database.
FILLED, REMEMBERED, FROM_ADDRESS, MORE = "filled", "remembered", "from_address", "more"
_WORDS: dict[str, Promise] = {
    FILLED: gettext_lazy("It was missing, and the gateway filled it in."),
    REMEMBERED: gettext_lazy("It was completed with what the visitor had given before."),
    FROM_ADDRESS: gettext_lazy("It was made of the click id in the page's address."),
    MORE: gettext_lazy("More fields were changed; they are not told."),
}


class Change(NamedTuple):
    """A field that was changed, such as ``user_data.em``, and how: a code, of ``Reason`` where it was left out."""

    field: str
    code: str

    @property
    def explanation(self) -> str:
        """In words; a code that this version does not know is shown as it is."""
        if self.code in Reason.values:
            return _("Left out. %(reason)s") % {"reason": Reason(self.code).label}
        return str(_WORDS.get(self.code, self.code))


class Changes(NamedTuple):
    """Of some events: the lists of changes that they have, each once; and of each event the number of its list, from 1
    on, or 0 where it has none.
    """

    lists: list[list[Change]]
    numbers: list[int]

    def of(self, index: int) -> Sequence[Change]:
        """Those of the event in this place."""
        number = self.numbers[index] if index < len(self.numbers) else 0
        return self.lists[number - 1] if 0 < number <= len(self.lists) else ()


NONE = Changes([], [])


def at_most(changes: Sequence[Change]) -> Sequence[Change]:
    """As many as are told of one event; the last says that there were more."""
    return changes if len(changes) <= MOST else (*changes[: MOST - 1], Change("", MORE))


_decode = msgspec.json.Decoder(Changes).decode


def gather(of_events: Iterable[Iterable[Change]]) -> Changes | None:
    """The changes of each event in turn; None where there is none at all."""
    numbers: dict[tuple[Change, ...], int] = {(): 0}
    of_each = [numbers.setdefault(tuple(changes), len(numbers)) for changes in of_events]
    return Changes([list(changes) for changes in numbers if changes], of_each) if len(numbers) > 1 else None


def write(of_events: Iterable[Iterable[Change]]) -> str | None:
    """What stands beside the events of a request."""
    changes = gather(of_events)
    return msgspec.json.encode(changes).decode() if changes else None


def read(stored: str, event_count: int) -> Changes:
    """What stands beside so many events. Nothing, where it tells of another number: a process of the release before
    took some of them out, and left this as it was.
    """
    changes = _read_short(stored) if len(stored) <= _SHORT else _read(stored)
    return changes if len(changes.numbers) == event_count else NONE


def _read(stored: str) -> Changes:
    with suppress(msgspec.DecodeError):
        return _decode(stored)
    return NONE


#: A sender makes the same mistakes again and again: what stands beside its requests is mostly the same.
_SHORT = 200
_read_short = lru_cache(maxsize=1024)(_read)

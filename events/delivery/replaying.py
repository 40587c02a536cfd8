"""Turning dead letters into events that wait: they were received once, and have not failed any more."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

import msgspec
from django.db.models import Model
from django.utils import timezone

from common.errors import NotFound
from events.figures.books import Book
from events.figures.counting import Tally
from events.models import EVENT_MAX_AGE
from events.models.shared import RefusedEvent

#: One call replays so many of the dead letters of a pixel or destination; further ones wait for the next call.
REPLAYED_AT_ONCE = 10_000
#: So many events are held in memory.
_CHUNK = 200


class _Time(msgspec.Struct):
    event_time: float = math.inf


_decode_time = msgspec.json.Decoder(_Time, strict=False).decode

Letter = TypeVar("Letter", bound=RefusedEvent)


def put_back(
    letters: type[Letter], pks: Iterable[int], waiting: Callable[[Letter], Model], book: Book, owner_pk: int
) -> int:
    """Have those of the owner's letters that are not too old wait again, as the rows that ``waiting`` makes of them."""
    tally = Tally(book)
    count = 0
    for some in _in_chunks(letters, list(pks)):
        rows = [waiting(letter) for letter in some]
        if not rows:
            continue
        type(rows[0])._default_manager.bulk_create(rows)
        for letter in some:
            tally.add(letter.failed_at, letter.event_name, letter.website, "failed", -1, road=letter.road)
        letters._default_manager.filter(pk__in=[letter.pk for letter in some]).delete()
        count += len(some)
    if count:
        tally.write(owner_pk)
    return count


def request_of(letter: RefusedEvent) -> dict[str, Any]:
    """The columns of a request that holds the event alone."""
    return {
        "received_at": letter.received_at,
        "event_count": 1,
        "body": b"[%b]" % bytes(letter.event),
        "options": letter.options,
        "road": letter.road,
        "changes": letter.changes,
    }


def number_of(dead_letter_id: str) -> int:
    """A dead letter's number; NotFound where the id is none."""
    if not (dead_letter_id.isascii() and dead_letter_id.isdigit() and len(dead_letter_id) <= 18):
        raise no_such_letter()
    return int(dead_letter_id)


def no_such_letter() -> NotFound:
    """Of an unknown one, and of another account's alike."""
    return NotFound("id: this account has no such dead letter.", field="id")


def _in_chunks(letters: type[Letter], pks: list[int]) -> Iterator[list[Letter]]:
    for first in range(0, len(pks), _CHUNK):
        found = letters._default_manager.in_bulk(pks[first : first + _CHUNK])
        yield [found[pk] for pk in pks[first : first + _CHUNK] if pk in found and not _is_over(found[pk])]


def _is_over(letter: RefusedEvent) -> bool:
    """Would the event expire at once, or fail, and be gone?"""
    try:
        event_time = _decode_time(bytes(letter.event)).event_time
    except (msgspec.DecodeError, UnicodeDecodeError):
        return True
    return min(event_time, letter.received_at.timestamp()) <= (timezone.now() - EVENT_MAX_AGE).timestamp()

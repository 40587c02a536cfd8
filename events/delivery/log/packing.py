"""How a batch of the delivery log is stored: its kinds as JSON, the columns of its events packed, its ids' digests cut.

A digest is the CRC-32 of an event's id. Of a large batch, the digests that have their first bits in common are a row;
of a small one, each is. So a search for an id reads a row or two of each batch that may hold it.
"""

from __future__ import annotations

import struct
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from itertools import count, groupby
from operator import attrgetter
from typing import Any, NamedTuple

import msgspec

from events import changes
from events.changes import Changes
from events.delivery.batches import Event
from events.models import Road
from events.models.log import microseconds

#: From so many events on, a batch is large.
LARGE = 512
#: Of a large batch, digests are cut by so many bits. A row has so many digests at most: what is more stands alone.
CUT_BITS = 6
DIGESTS_IN_ROW = 256
_ALONE = 1 << CUT_BITS  # the first key of those that stand alone

_KIND = attrgetter("name", "website", "fate")
_ROAD = attrgetter("row.road")
_ENRICHED = attrgetter("enriched")
_EVENT_ID = attrgetter("event_id")
_CHANGES = attrgetter("row.changes")
_COMPLETED = attrgetter("completed")
#: Fast: of ids, little more can be gained.
_LEVEL = 1
#: Seconds from the epoch that no date is away, and milliseconds between two times that no dates are.
_FAR, _NEVER = 1e12, 2**62


class Kind(NamedTuple):
    """What many events of a batch have in common."""

    name: str
    website: str
    outcome: str
    detail: str
    code: str
    trace_id: str
    road: int
    enriched: bool


class Columns(NamedTuple):
    """Of each event a value: the place of its kind, its times in milliseconds before the batch's, its id."""

    kinds: list[int]
    times: list[int]
    received: list[int]
    ids: list[str]


class Packed(NamedTuple):
    """A batch as it is stored."""

    kinds: list[Kind]
    body: bytes


_decode_kinds: Callable[[str], list[Kind]] = msgspec.json.Decoder(list[Kind]).decode
_decode_columns: Callable[[bytes], Columns] = msgspec.msgpack.Decoder(Columns).decode
_decode_changes: Callable[[bytes], Changes] = msgspec.msgpack.Decoder(Changes).decode


def pack(events: Sequence[Event], now: datetime) -> Packed:
    """The events, each of which has its fate."""
    places: dict[tuple[object, ...], int] = defaultdict(count().__next__)
    kinds = list(map(places.__getitem__, _ways(events)))
    milliseconds = microseconds(now) // 1_000
    seconds = milliseconds // 1_000
    columns = (
        kinds,
        _before(milliseconds, [event.time for event in events]),
        [(seconds - event.row.second) * 1_000 for event in events],
        list(map(_EVENT_ID, events)),
    )
    return Packed(list(map(_kind, places)), zlib.compress(msgspec.msgpack.encode(columns), _LEVEL))


def pack_changes(events: Sequence[Event]) -> bytes | None:
    """What the gateway changed of them; None where it changed nothing."""
    if not any(map(_CHANGES, events)) and not any(map(_COMPLETED, events)):
        return None
    found = changes.gather(event.changes for event in events)
    return zlib.compress(msgspec.msgpack.encode(found), _LEVEL) if found else None


def _ways(events: Sequence[Event]) -> Iterable[tuple[object, ...]]:
    """What decides of each event's kind: less where all came by the server's road and were not enriched."""
    if not any(map(_ROAD, events)) and not any(map(_ENRICHED, events)):
        return map(_KIND, events)
    return zip(map(_KIND, events), map(_ROAD, events), map(bool, map(_ENRICHED, events)), strict=True)


def _before(milliseconds: int, times: list[float]) -> list[int]:
    """How long before they were. Events may say anything of their times; what is no date at all is told by none."""
    with suppress(ValueError):  # a time that is no number
        if max(times) < _FAR and min(times) > -_FAR:
            return [milliseconds - int(time * 1_000) for time in times]
    return [milliseconds - int(time * 1_000) if -_FAR < time < _FAR else _NEVER for time in times]


def _kind(way: tuple[Any, ...]) -> Kind:
    (name, website, fate), road, enriched = way if isinstance(way[0], tuple) else (way, Road.SERVER.value, False)
    return Kind(name, website, fate.outcome.value, fate.detail, fate.code, fate.trace_id, road, enriched)


def encode_kinds(kinds: Iterable[Kind]) -> str:
    """As JSON."""
    return msgspec.json.encode(list(kinds)).decode()


def read_kinds(stored: str) -> list[Kind]:
    """The batch's kinds."""
    return _decode_kinds(stored)


def read_columns(body: bytes) -> Columns:
    """The batch's columns."""
    return _decode_columns(zlib.decompress(body))


def read_changes(stored: bytes | None) -> Changes:
    """The batch's changes."""
    return _decode_changes(zlib.decompress(stored)) if stored else changes.NONE


def digest_of(event_id: str) -> int:
    """By which an id is looked for."""
    return zlib.crc32(event_id.encode())


def keys_of(digest: int) -> tuple[int, int]:
    """The keys under which a digest may be: of a large batch, of a small one."""
    return digest >> (32 - CUT_BITS), _ALONE + digest


def as_stored(*digests: int) -> bytes:
    """Digests as their row holds them."""
    return struct.pack(f">{len(digests)}I", *digests)


def cut(event_ids: Iterable[str]) -> Iterator[tuple[int, bytes]]:
    """The rows of the ids' digests: key and digests. However ids are chosen, a row has its own key, and is bounded."""
    digests = sorted(set(map(zlib.crc32, map(str.encode, event_ids))))
    if len(digests) < LARGE:
        yield from map(_alone, digests)
        return
    for key, group in groupby(digests, (32 - CUT_BITS).__rrshift__):
        of_key = list(group)
        yield key, as_stored(*of_key[:DIGESTS_IN_ROW])
        yield from map(_alone, of_key[DIGESTS_IN_ROW:])


def _alone(digest: int) -> tuple[int, bytes]:
    return _ALONE + digest, as_stored(digest)

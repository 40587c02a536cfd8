"""Which event ids came on which road: what the sample tells of them, and what is remembered (docs/decisions/0024).

Meta drops an event whose name and id the pixel has had within 48 hours, by whatever road. The gateway remembers ids for
as long, as digests, and so counts what Meta will drop.
"""

from __future__ import annotations

import random
from collections import Counter as Multiset
from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from operator import attrgetter
from typing import Any, NamedTuple

from django.db import connection, models

from common import bulk
from events.figures.counting import Tally
from events.figures.id_findings import Found, note_findings
from events.figures.id_sample import MAX_LEVEL, Levels, class_in, digest_of, digests_of, is_unpaid, level_of
from events.intake.event_ids import is_made
from events.models import IdFinding, Road
from events.retention import IDS_KEPT

#: A class of names with more ids is thinned out; one with fewer than a quarter of it is let have more.
MAX_IDS = 4_000
#: Where one road alone brings what nobody pays for, there is little to tell: it is what most events of most pixels are.
MAX_IDS_OF_ONE_ROAD = 500
#: Whether there are too many is looked at once for so many new ids, at random: nobody who makes ids up can know when.
LOOKED_AT_EVERY = 64
#: Shops send an event again where they got no answer: within this time, that is as it should be.
RETRIED_WITHIN = timedelta(hours=1)

#: Of what is remembered, the columns behind the owner and the digest.
_COLUMNS = ("server_at", "browser_at", "server_order", "browser_order")
_CHANGES = ", ".join(f"{column} = excluded.{column}" for column in _COLUMNS)
_NOTHING = [None] * len(_COLUMNS)
_FINDINGS = {"ids_repeated": IdFinding.Kind.REPEATED, "ids_of_other_orders": IdFinding.Kind.MANY_ORDERS}


class Arrival(NamedTuple):
    """An event came by a road, in a minute since the epoch; with an order, of which this is a hash."""

    name: str
    event_id: str
    road: int
    minute: int
    order: int | None = None


class _Kind(NamedTuple):
    """What is counted together."""

    name: str
    road: int
    minute: int
    column: str


_IN_MINUTE = attrgetter("name", "road", "minute")


class Owner(NamedTuple):
    """Whose ids they are: a pixel's, or a gateway source's."""

    pk: int
    #: The column that names it, and where its ids are remembered.
    column: str
    table: type[models.Model]

    @property
    def columns(self) -> tuple[str, ...]:
        """All columns of the table, but for the rows' numbers."""
        return self.column, "digest", *_COLUMNS

    @property
    def rows(self) -> str:
        """For SQL; takes the owner's key."""
        return f"FROM {self.table._meta.db_table} WHERE {self.column} = %s"


def remember(owner_pk: int, levels: Levels, arrivals: Mapping[Arrival, int], tally: Tally) -> Levels:
    """Count what the sampled arrivals of an owner's events tell, and remember them; the levels from then on.

    In the transaction that counts the events, by whoever has the pixel's lane, or the source: so each arrival is told
    once. The tally is of a book that has ids.
    """
    book = tally.book
    if book.ids is None:
        raise TypeError(book.counter)
    owner = Owner(owner_pk, book.owner, book.ids.seen)
    story = _Story(levels)
    first: dict[int, Arrival] = {}
    further: dict[int, list[tuple[Arrival, int]]] = {}
    for arrival, n in arrivals.items():
        if is_made(arrival.event_id):  # it is on no other road, and comes no second time
            story.tell(arrival, "ids_seen", n)
            continue
        digest = digest_of(arrival.name, arrival.event_id)
        others = n - (first.setdefault(digest, arrival) is arrival)
        if others:
            further.setdefault(digest, []).append((arrival, others))
    # Of a pixel that one road feeds nearly all are new: then one statement does it.
    new = _insert_new(owner, first)
    story.tell_new(first[digest] for digest in new)
    known = {digest: [(arrival, 1)] for digest, arrival in first.items() if digest not in new}
    for digest, of_id in further.items():
        known.setdefault(digest, []).extend(of_id)
    _note_known(owner, known, story)
    story.count(tally)
    note_findings(book.ids.findings, {book.owner: owner_pk}, story.found)
    return _adjusted(owner, levels, Multiset(map(class_in, new)))


class _Story:
    """What arrivals tell: how many events each column counts, by name, road and minute, and what is wrong."""

    def __init__(self, levels: Levels) -> None:
        self._levels = levels
        self._counts: Multiset[_Kind] = Multiset()
        self.found: list[Found] = []

    def tell_new(self, arrivals: Iterable[Arrival]) -> None:
        """Ids came for the first time."""
        for kind, n in Multiset(map(_IN_MINUTE, arrivals)).items():
            self._counts[_Kind(*kind, "ids_seen")] += n

    def tell(self, arrival: Arrival, column: str, n: int = 1) -> None:
        """So many of the arrival's events are counted in the column."""
        self._counts[_Kind(arrival.name, arrival.road, arrival.minute, column)] += n
        if column in _FINDINGS:
            n <<= level_of(self._levels, arrival.name)
            self.found.append(
                Found(_FINDINGS[column], arrival.name, n, _moment(arrival.minute), arrival.event_id),
            )

    def count(self, tally: Tally) -> None:
        """Add everything up: each id counts for all those of which it is the sample."""
        for (name, road, minute, column), n in self._counts.items():
            tally.add(_moment(minute), name, None, column, n << level_of(self._levels, name), road=road)


def _insert_new(owner: Owner, first: Mapping[int, Arrival]) -> set[int]:
    """Remember the ids that are not remembered yet; their digests."""
    rows = [_row(owner.pk, digest, arrival) for digest, arrival in first.items()]
    return set(bulk.insert_new(owner.table, owner.columns, rows, returned="digest"))


def _row(owner_pk: int, digest: int, arrival: Arrival) -> tuple[bulk.Value, ...]:
    at, order = _moment(arrival.minute), arrival.order
    if arrival.road == Road.SERVER:
        return (owner_pk, digest, at, None, order, None)
    return (owner_pk, digest, None, at, None, order)


def _note_known(owner: Owner, arrivals: Mapping[int, list[tuple[Arrival, int]]], story: _Story) -> None:
    """Events came with ids that are remembered."""
    changed: list[tuple[bulk.Value, ...]] = []
    remembered = {digest: columns for digest, *columns in _read(owner, arrivals.keys())}
    for digest, of_id in arrivals.items():
        columns = remembered.get(digest, _NOTHING)  # which retention has deleted this moment
        seen = _Seen(columns)
        for arrival, n in of_id:
            seen.note(arrival, n, story)
        if seen.columns != columns:
            changed.append((owner.pk, digest, *seen.columns))
    on_conflict = f"ON CONFLICT ({owner.column}, digest) DO UPDATE SET {_CHANGES}"  # nosec B608  # our columns
    bulk.insert(owner.table, owner.columns, changed, on_conflict=on_conflict)


def _read(owner: Owner, digests: Collection[int]) -> list[tuple[Any, ...]]:
    if not digests:
        return []
    among, parameter = bulk.are_among(digests)
    sql = f"SELECT digest, {', '.join(_COLUMNS)} {owner.rows} AND digest {among}"  # nosec B608  # our names
    return bulk.fetch(sql, [owner.pk, parameter])


class _Seen:
    """What is remembered of an id, by road: when it first came, and with which order."""

    def __init__(self, columns: list[Any]) -> None:
        self.columns = columns.copy()

    def note(self, arrival: Arrival, n: int, story: _Story) -> None:
        """So many events came with it."""
        at, road = _moment(arrival.minute), arrival.road
        first, other, order = self.columns[road], self.columns[1 - road], self.columns[2 + road]
        if first is None or at - first > IDS_KEPT:
            self.columns[road], self.columns[2 + road] = at, arrival.order
            story.tell(arrival, "ids_seen")
            if other is not None and abs(at - other) <= IDS_KEPT:
                story.tell(arrival, "ids_on_both")
            return
        if at - first > RETRIED_WITHIN:
            story.tell(arrival, "ids_repeated", n)
        if order is None:
            self.columns[2 + road] = arrival.order
        elif arrival.order is not None and arrival.order != order:
            story.tell(arrival, "ids_of_other_orders", n)


@lru_cache(maxsize=1024)
def _moment(minute: int) -> datetime:
    return datetime.fromtimestamp(minute * 60, UTC)


def _adjusted(owner: Owner, levels: Levels, new: Mapping[int, int]) -> Levels:
    """The levels, once classes with too many ids are thinned out, and those with few are let have more."""
    adjusted = dict(levels)
    for class_, n in new.items():
        if random.random() * LOOKED_AT_EVERY < n:  # noqa: S311  # nosec B311  # no secret
            adjusted[str(class_)] = _adjust(owner, class_, levels.get(str(class_), 0))
    return {class_: level for class_, level in adjusted.items() if level}


def _adjust(owner: Owner, class_: int, level: int) -> int:
    """The level that the class is to have; its ids beyond it are forgotten."""
    key = [owner.pk, *digests_of(class_)]
    of_class = f"{owner.rows} AND digest BETWEEN %s AND %s"
    counts = f"SELECT COUNT(*), COUNT(server_at), COUNT(browser_at) {of_class}"  # nosec B608
    ((count, of_servers, of_browsers),) = bulk.fetch(counts, key)
    most = MAX_IDS if (of_servers and of_browsers) or not is_unpaid(class_) else MAX_IDS_OF_ONE_ROAD
    if count < most // 4:
        return max(0, level - 1)
    if count <= most:
        return level
    while count > most:
        level, count = level + 1, count // 2
    # Whoever makes ids up for it may fill the highest level, too: then all are forgotten.
    mask = (1 << level) - 1 if level <= MAX_LEVEL else -1
    with connection.cursor() as cursor:
        cursor.execute(f"DELETE {of_class} AND digest & %s <> 0", [*key, mask])
    return min(level, MAX_LEVEL)

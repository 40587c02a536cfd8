"""Counting events: many additions, then one upsert of a few rows (``Counter``).

Whose events they are, the book tells: a pixel's, or a gateway source's. Their names and websites come from senders, so
their number is bounded: the first 500 of each that are
received on a day are counted apart, the others together under the empty label. The day on which an event was received
decides, whenever it is settled: what has waited takes no other day's room.
"""

from __future__ import annotations

from collections import Counter as Multiset
from collections.abc import Collection, Iterator
from datetime import date, datetime
from functools import lru_cache, partial
from typing import NamedTuple

from django.db import transaction
from django.utils import timezone

from common.bulk import insert
from events.figures.books import PIXELS, Book
from events.figures.windows import floor
from events.models import LABEL_MAX_LENGTH, OTHER, Counter, Road
from events.retention import counters_kept

LABELS_A_DAY = 500
#: Anybody can post what a browser may: the names and websites that came by that road alone take at most so many.
LABELS_OF_BROWSERS = LABELS_A_DAY // 2

#: What is counted of a pixel's events.
COLUMNS = PIXELS.columns

#: Where an event by the browser's road is counted besides, by the column of what became of it.
OF_BROWSERS = {
    column: "browser_dropped" if column.startswith("dropped_") else f"browser_{column}"
    for column in COLUMNS
    if f"browser_{column}" in COLUMNS or column.startswith("dropped_")
}


class Label(NamedTuple):
    """An event name or a website; the empty one stands for all that are not counted apart."""

    dimension: int
    text: str


class Cell(NamedTuple):
    """The key of a counter row, but for its owner."""

    span: int
    dimension: int
    start: datetime
    label: str


class _Entry(NamedTuple):
    minute: datetime
    name: str | None
    website: str | None
    column: str
    #: The day on which the event was received: it decides whether its labels are counted apart.
    day: datetime
    road: int

    def labels(self) -> Iterator[Label]:
        yield Label(Counter.Dimension.TOTAL, "")
        if self.name is not None:
            yield Label(Counter.Dimension.EVENT_NAME, self.name)
            if self.website:
                yield Label(Counter.Dimension.WEBSITE, self.website[:LABEL_MAX_LENGTH])

    def spans(self) -> Iterator[tuple[Counter.Span, datetime]]:
        yield Counter.Span.MINUTE, self.minute
        yield Counter.Span.HOUR, self.minute.replace(minute=0)
        yield Counter.Span.DAY, floor(self.minute, Counter.Span.DAY)


class Tally:
    """Counts of the events of one owner, a pixel unless the book differs; in memory until ``write``."""

    def __init__(self, book: Book = PIXELS) -> None:
        self.book = book
        self._entries: Multiset[_Entry] = Multiset()

    def add(
        self,
        at: datetime,
        name: str | None,
        website: str | None,
        column: str,
        n: int = 1,
        *,
        received_at: datetime | None = None,
        road: int = Road.SERVER,
    ) -> None:
        """Add ``n`` events that met a fate (a column of counters) at a time; without a name, to the total alone.

        They were received at ``received_at``, or then, by that ``road``. ``n`` below nought takes events out of the
        spans in which they were counted.
        """
        day = floor(received_at or at, Counter.Span.DAY)
        self._entries[_Entry(at.replace(second=0, microsecond=0), name, website, column, day, road)] += n

    def write(self, owner_pk: int) -> None:
        """Add everything to the owner's counters: one upsert. Once, in the transaction that settles what is counted."""
        cells: dict[Cell, Multiset[str]] = {}
        known = self._admit(owner_pk)
        places = _places(self.book, owner_pk, [entry for entry, n in self._entries.items() if n < 0])
        now = timezone.now()
        for entry, n in self._entries.items():
            for label in entry.labels():
                apart = label in known[entry.day] if n > 0 else (entry.day, entry.column, label) in places
                for span, start in entry.spans():
                    if n < 0 and start < now - counters_kept(span):
                        continue  # the row is pruned: nothing is left to take from
                    cell = Cell(span, label.dimension, start, label.text if apart else OTHER)
                    counts = cells.setdefault(cell, Multiset())
                    counts[entry.column] += n
                    if entry.road == Road.BROWSER and (of_browsers := OF_BROWSERS.get(entry.column)):
                        counts[of_browsers] += n
        _upsert(self.book, owner_pk, sorted((cell, counts) for cell, counts in cells.items() if any(counts.values())))

    def _admit(self, owner_pk: int) -> dict[datetime, set[Label]]:
        """By day, the labels that are counted apart."""
        labels: dict[datetime, set[Label]] = {}
        of_servers: set[tuple[datetime, Label]] = set()
        for entry, n in self._entries.items():
            if n > 0:
                labels.setdefault(entry.day, set()).update(entry.labels())
                if entry.road == Road.SERVER:
                    of_servers.update((entry.day, label) for label in entry.labels())
        return {
            day: _admit(
                self.book,
                owner_pk,
                day,
                labels[day],
                {label for label in labels[day] if (day, label) not in of_servers},
            )
            for day in sorted(labels)
        }


def _admit(book: Book, owner_pk: int, day: datetime, labels: set[Label], of_browsers: set[Label]) -> set[Label]:
    """Those of the labels that are counted apart on the day; new ones become known while there is room.

    Those ``of_browsers``, which no server has sent, come after the others, and take at most LABELS_OF_BROWSERS.

    The caller holds the owner's lane: nobody else admits labels at the same time. A restored backup does not: beside a
    worker it may let a few labels more than LABELS_A_DAY in, and no count is lost.
    """
    known = _known(book, owner_pk, day)
    new = labels - known
    if not any(_room(known, dimension) for dimension in {label.dimension for label in new if label.text}):
        return labels & known
    current = _counted_apart(book, owner_pk, day)
    admitted: list[Label] = []
    for dimension in {label.dimension for label in new}:
        candidates = sorted(label for label in new - current.keys() if label.dimension == dimension and label.text)
        room = _room(current, dimension)
        by_server = [label for label in candidates if label not in of_browsers][:room]
        taken = sum(by_browser for label, by_browser in current.items() if label.dimension == dimension)
        by_browser = [label for label in candidates if label in of_browsers]
        admitted += by_server + by_browser[: max(0, min(room - len(by_server), LABELS_OF_BROWSERS - taken))]
    _remember(book, owner_pk, admitted, day.date())
    apart = {*current, *admitted}
    # What is rolled back was not admitted.
    transaction.on_commit(partial(known.update, apart))
    return labels & (known | apart)


def _counted_apart(book: Book, owner_pk: int, day: datetime) -> dict[Label, bool]:
    """What has a counter of its own, of the events that were received on the day; did it come by browsers alone?"""
    rows = book.rows(owner_pk, span=Counter.Span.DAY, start=day, received__gt=0)
    labels = rows.filter(dimension__in=(Counter.Dimension.EVENT_NAME, Counter.Dimension.WEBSITE)).exclude(label=OTHER)
    columns = labels.values_list("dimension", "label", "received", "browser_received")
    return {Label(dimension, text): received == by_browser for dimension, text, received, by_browser in columns}


def _remember(book: Book, owner_pk: int, labels: list[Label], day: date) -> None:
    if book.labels is None:
        return
    table = book.labels._meta.db_table
    insert(
        book.labels,
        (book.owner, "dimension", "label", "last_seen"),
        [(owner_pk, *label, day) for label in labels],
        on_conflict=f"ON CONFLICT ({book.owner}, dimension, label) DO UPDATE SET last_seen = excluded.last_seen"
        f" WHERE {table}.last_seen < excluded.last_seen",  # nosec B608  # our names
    )


@lru_cache(maxsize=256)
def _known(book: Book, owner_pk: int, day: datetime) -> set[Label]:
    """The labels of the owner that this process has met on the day: a set to add to."""
    return set()


def _room(labels: Collection[Label], dimension: int) -> int:
    return max(0, LABELS_A_DAY - sum(label.dimension == dimension for label in labels))


def _places(book: Book, owner_pk: int, entries: list[_Entry]) -> set[tuple[datetime, str, Label]]:
    """Where, by day and column, labels have counts of their own: what is taken out is taken where it was put in."""
    places: set[tuple[datetime, str, Label]] = set()
    days = {entry.day for entry in entries}
    texts = {label.text for entry in entries for label in entry.labels()}
    for column in {entry.column for entry in entries}:
        rows = book.rows(owner_pk, span=Counter.Span.DAY, start__in=days, label__in=texts)
        for start, dimension, text in rows.exclude(**{column: 0}).values_list("start", "dimension", "label"):
            places.add((start, column, Label(dimension, text)))
    return places


def _upsert(book: Book, owner_pk: int, rows: list[tuple[Cell, Multiset[str]]]) -> None:
    """Add to the rows, which are sorted: two writers in one order do not wait for each other."""
    table = book.counter._meta.db_table
    added = [column for column in book.columns if any(counts[column] for _, counts in rows)]
    named = [column for column in book.columns if column in book.always_named or column in added]
    sums = ", ".join(f"{column} = {table}.{column} + excluded.{column}" for column in added)
    insert(
        book.counter,
        (*book.key, *named),
        [(owner_pk, *cell, *(counts[column] for column in named)) for cell, counts in rows],
        on_conflict=f"ON CONFLICT ({', '.join(book.key)}) DO UPDATE SET {sums}",  # nosec B608  # our columns
    )

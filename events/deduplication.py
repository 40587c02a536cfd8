"""How many event ids came on both roads, and what is wrong with ids: what Meta drops, and what it counts twice.

Told by counters of the last 48 hours: what is mended is soon told no more. Whoever asks has made sure that the
principal may look into the account of the pixel or source.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from math import sqrt
from typing import Any, NamedTuple

from django.db.models import QuerySet, Sum
from django.utils.translation import gettext_lazy as _

from common import budget
from events.delivery.entries import Wanted
from events.delivery.log.reading import Lines
from events.figures.books import PIXELS, SOURCES, Book
from events.figures.id_findings import MAX_EXAMPLES, masked
from events.figures.id_sample import level_of
from events.figures.metrics import OTHER_NAME, most_counters
from events.figures.windows import last_minutes, within
from events.intake.event_ids import is_made
from events.models import Counter, IdFinding, Lane, Road, SourceLane
from events.owners import Owner
from events.retention import IDS_KEPT
from pipelines.models import Source
from pixels.models import Pixel

Kind = IdFinding.Kind

#: Examples of a name are looked for among so many of its events, the newest.
LINES_LOOKED_AT = 1_000

#: From so many ids of the sample on it is told that both roads share hardly an id: fewer than this part of them. Where
#: one in five is shared, chance makes it look so less than once in 100,000 times.
SURE_FROM, HARDLY = 100, 0.05
#: Twice the standard error of a part of ``n`` is at most this over the root of ``n``: 19 times out of 20 it is less.
_MARGIN = 1.0

#: What is to be done.
REMEDIES = {
    Kind.REPEATED: _(
        "Meta drops them: a name and id count once in 48 hours. Give different events different ids. "
        "Send the same event again only where you got no answer."
    ),
    Kind.NEVER_ON_BOTH: _(
        "Meta takes them for different events and counts both. Give an event the same id in both places: as eventID in "
        "the page's fbq call, and as event_id from your server. If your server sends other events than the browser, "
        "such as sales in stores, nothing is wrong."
    ),
    Kind.MANY_ORDERS: _(
        "Meta keeps the first order and drops the others. Take the order's number for the id, not the visitor's, the "
        "page's or the day's."
    ),
}


class Example(NamedTuple):
    """An event's id; empty where none was sent. Where the roads differ, with the road."""

    event_id: str
    road: Road | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong with ids of one event name: with so many events, the last one at a time that may not be known."""

    kind: IdFinding.Kind
    count: int
    last_at: datetime | None
    examples: list[Example]

    @property
    def explanation(self) -> str:
        """What it is."""
        return str(self.kind.label)

    @property
    def remedy(self) -> str:
        """What is to be done about it."""
        return str(REMEDIES[self.kind])


@dataclass(slots=True, kw_only=True)
class Deduplicated:
    """The events of one name in the last 48 hours, and their ids; an empty label stands for those counted together."""

    label: str
    #: How many events came by either road.
    server: int
    browser: int
    #: How many ids came by either road, and by both; and events whose id had come. Told by a sample: see ``level``.
    server_ids: int
    browser_ids: int
    ids_on_both: int
    repeated: int
    other_orders: int
    #: The sample holds one in ``2 ** level`` ids.
    level: int = 0
    findings: list[Finding] = field(default_factory=list)

    @property
    def name(self) -> str:
        """How it is shown."""
        return self.label or OTHER_NAME

    @property
    def on_both(self) -> int:
        """Ids that came on both roads: of no more events than either brought."""
        return min(self.ids_on_both, self.server, self.browser)

    @property
    def share(self) -> float | None:
        """The part of the ids of the road with fewer that came on the other, too; None where one road brought none."""
        fewer = min(self.server_ids, self.browser_ids)
        return min(1.0, self.ids_on_both / fewer) if fewer else None

    @property
    def margin(self) -> float:
        """The share is off by less than this, 19 times out of 20: nought where all ids were compared."""
        return min(1.0, _MARGIN / sqrt(self._sampled)) if self.level and self._sampled else 0.0

    @property
    def shares_hardly_any(self) -> bool:
        """Did both roads bring enough to be sure that they share hardly an id?"""
        return self._sampled >= SURE_FROM and self.share is not None and self.share < HARDLY

    @property
    def _sampled(self) -> int:
        """The ids of the road with fewer that were compared."""
        return min(self.server_ids, self.browser_ids) >> self.level


@dataclass(frozen=True, slots=True)
class Deduplication:
    """The event names of a pixel or source, the busiest first."""

    names: list[Deduplicated]

    @property
    def on_both(self) -> list[Deduplicated]:
        """The names that both roads brought."""
        return [one for one in self.names if one.server and one.browser]

    @property
    def findings(self) -> list[tuple[Deduplicated, Finding]]:
        """What is wrong, with the name."""
        return [(one, finding) for one in self.names for finding in one.findings]


_COLUMNS = (
    *("received", "browser_received", "ids_seen", "browser_ids_seen"),
    *("ids_on_both", "ids_repeated", "ids_of_other_orders"),
)


def read_deduplication(owner: Owner, now: datetime | None = None) -> Deduplication:
    """The owner's events of the last 48 hours."""
    names = list(_read(owner, now))
    _add_findings(owner, names)
    return Deduplication(sorted(names, key=lambda one: (not one.label, -(one.server + one.browser), one.label)))


def _book_of(owner: Owner) -> Book:
    return PIXELS if isinstance(owner, Pixel) else SOURCES


def _read(owner: Owner, now: datetime | None) -> Iterator[Deduplicated]:
    stretches = last_minutes(IDS_KEPT // timedelta(minutes=1), now)
    dimension, book = Counter.Dimension.EVENT_NAME, _book_of(owner)
    budget.load_estimated(lambda: most_counters([owner.pk], [dimension], stretches, book), "eventDeduplication")
    counted = within(stretches, **{book.owner: owner.pk, "dimension": dimension})
    rows = book.counter._default_manager.filter(counted).values_list("label")
    levels = _lanes(owner).values_list("ids_levels", flat=True).first() or {}
    for label, received, browser, ids, browser_ids, on_both, repeated, other_orders in rows.annotate(
        *map(Sum, _COLUMNS)
    ):
        if received:
            yield Deduplicated(
                label=label,
                server=received - browser,
                browser=browser,
                server_ids=ids - browser_ids,
                browser_ids=browser_ids,
                ids_on_both=on_both,
                repeated=repeated,
                other_orders=other_orders,
                level=level_of(levels, label),
            )


def _lanes(owner: Owner) -> QuerySet[Any]:
    is_pixel = isinstance(owner, Pixel)
    return Lane.objects.filter(pixel=owner.pk) if is_pixel else SourceLane.objects.filter(source=owner.pk)


def _findings(owner: Owner) -> QuerySet[Any]:
    ids, column = _book_of(owner).ids, _book_of(owner).owner
    return ids.findings._default_manager.filter(**{column: owner.pk}) if ids else IdFinding.objects.none()


def _add_findings(owner: Owner, names: list[Deduplicated]) -> None:
    if any(one.repeated or one.other_orders for one in names):
        stored = {(row.kind, row.event_name): row for row in _findings(owner)}
        for one in names:
            for kind, count in ((Kind.REPEATED, one.repeated), (Kind.MANY_ORDERS, one.other_orders)):
                if count:
                    row = stored.get((kind, one.label))
                    examples = [Example(event_id) for event_id in row.examples] if row else []
                    one.findings.append(Finding(kind, count, row.last_at if row else None, examples))
    unshared = [one for one in names if one.label and one.shares_hardly_any]
    examples_of = _examples_of_roads(owner, [one.label for one in unshared])
    for one in unshared:
        count, examples = min(one.server, one.browser), examples_of.get(one.label, [])
        one.findings.insert(0, Finding(Kind.NEVER_ON_BOTH, count, None, examples))


def _examples_of_roads(owner: Owner, labels: list[str]) -> dict[str, list[Example]]:
    """By event name: the newest ids of both roads in the delivery log."""
    found: dict[str, list[Example]] = {}
    for label in labels:
        examples = found.setdefault(label, [])
        told: set[tuple[str, Road]] = set()
        for line in islice(_lines(owner, Wanted(event_name=label)), LINES_LOOKED_AT):
            of_road = sum(example.road == line.road for example in examples)
            is_told = isinstance(owner, Source) and (line.event_id, line.road) in told  # at another destination
            if not is_told and len(examples) < MAX_EXAMPLES and of_road < MAX_EXAMPLES - 1:
                told.add((line.event_id, line.road))
                examples.append(Example("" if is_made(line.event_id) else masked(line.event_id), line.road))
    return {name: sorted(examples, key=lambda example: -(example.road or 0)) for name, examples in found.items()}


def _lines(owner: Owner, wanted: Wanted) -> Lines:
    if isinstance(owner, Pixel):
        return Lines(owner.tenant_id, [owner.pk], wanted)
    return Lines(owner.tenant_id, (), wanted, destinations=None, source=owner.pk)

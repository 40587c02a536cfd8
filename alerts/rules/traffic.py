"""Rules over what is counted: the cost follows the pixels, sources and destinations with traffic."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import NamedTuple

from django.db.models import F, Sum

from alerts.rules.found import Found, Look, destinations, of_destination, of_pixel, of_source, pixels, sources
from events.figures import books
from events.figures.windows import floor
from events.models import Counter
from events.refused import reading

#: Of fewer events a share tells nothing.
ENOUGH = 20
#: This one and the last.
_HOURS = 2


class _Taken(NamedTuple):
    """How many events were taken, and how many failed."""

    taken: int
    failed: int

    @property
    def told(self) -> dict[str, int]:
        percent = int(100 * self.taken / (self.taken + self.failed))
        return {"value": percent, "percent": percent, "failed": self.failed}


def success_rates(look: Look) -> Iterator[Found]:
    """Pixels and destinations at which events have failed in this hour and the last: ``value`` is the percentage that
    was taken."""
    taken = _taken(books.PIXELS, look)
    for row in pixels(taken):
        yield of_pixel(row, **taken[row["pk"]].told)
    taken = _taken(books.DESTINATIONS, look)
    for row in destinations(taken):
        yield of_destination(row, **taken[row["pk"]].told)


def _taken(book: books.Book, look: Look) -> dict[int, _Taken]:
    since = floor(look.now, Counter.Span.HOUR) - timedelta(hours=_HOURS - 1)
    totals = book.counter._default_manager.filter(
        span=Counter.Span.HOUR, dimension=Counter.Dimension.TOTAL, start__gte=since
    )
    sums = totals.order_by().values_list(book.owner).annotate(ok=Sum("published"), bad=Sum(F("failed") + F("expired")))
    return {pk: _Taken(ok, bad) for pk, ok, bad in sums.filter(bad__gt=0) if ok + bad >= ENOUGH}


def refused_shares(look: Look) -> Iterator[Found]:
    """Pixels and gateway sources whose events were refused at intake in this hour and the last, for a sender's mistake:
    ``value`` is the percentage."""
    shares = _enough(reading.refused_shares(look.now, hours=_HOURS))
    for row in pixels(shares):
        yield of_pixel(row, **_refused(shares[row["pk"]]))
    shares = _enough(reading.refused_shares_of_sources(look.now, hours=_HOURS))
    for row in sources(shares):
        yield of_source(row, **_refused(shares[row["pk"]]))


def _enough(shares: dict[int, reading.Share]) -> dict[int, reading.Share]:
    return {pk: share for pk, share in shares.items() if share.refused + share.received >= ENOUGH}


def _refused(share: reading.Share) -> dict[str, int]:
    percent = int(100 * share.share)
    return {"value": percent, "percent": percent, "refused": share.refused}

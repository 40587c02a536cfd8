"""Which counter rows answer for a stretch of time: the coarsest ones that fit its ends."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from django.db.models import Q
from django.utils import timezone

from events.models import Counter
from events.retention import counters_kept

Span = Counter.Span

LENGTHS = {Span.MINUTE: timedelta(minutes=1), Span.HOUR: timedelta(hours=1), Span.DAY: timedelta(days=1)}
_COARSEST_FIRST = (Span.DAY, Span.HOUR, Span.MINUTE)


class Stretch(NamedTuple):
    """Counter rows of one span, from ``start`` up to and without ``end``."""

    span: Counter.Span
    start: datetime
    end: datetime


def floor(moment: datetime, span: Counter.Span) -> datetime:
    """The start of the minute, hour or day (of UTC) in which the moment lies."""
    whole = moment.astimezone(UTC).replace(second=0, microsecond=0)
    if span is Span.MINUTE:
        return whole
    return whole.replace(minute=0) if span is Span.HOUR else whole.replace(minute=0, hour=0)


def cover(start: datetime, end: datetime, spans: Sequence[Counter.Span] = _COARSEST_FIRST) -> list[Stretch]:
    """The fewest rows that are together the time from ``start`` to ``end``, which are whole minutes."""
    span, *finer = spans
    if not finer:
        return [Stretch(span, start, end)] if start < end else []
    first, last = floor(start, span), floor(end, span)
    if first < start:
        first += LENGTHS[span]
    if first >= last:
        return cover(start, end, finer)
    return [*cover(start, first, finer), Stretch(span, first, last), *cover(last, end, finer)]


def last_minutes(
    minutes: int,
    now: datetime | None = None,
    *,
    newest_apart: bool = False,
    coarsest: Counter.Span = Span.DAY,
) -> list[Stretch]:
    """The last ``minutes``, begun ones included, and this one, by rows of ``coarsest`` and finer ones.

    Since nothing lies in the future, the running hour and day are as good as whole ones; with ``newest_apart`` they are
    taken apart, so that the newest rows tell the minute. Where minutes are no longer kept, the window begins with an
    hour.
    """
    now = now or timezone.now()
    start = now - timedelta(minutes=minutes)
    last = Span.MINUTE if newest_apart else coarsest
    spans = _COARSEST_FIRST[_COARSEST_FIRST.index(coarsest) :]
    begin = floor(start, Span.HOUR if now - start >= counters_kept(Span.MINUTE) else Span.MINUTE)
    return cover(begin, floor(now, last) + LENGTHS[last], spans)


def within(stretches: Iterable[Stretch], *expressions: Any, **conditions: Any) -> Q:
    """The rows of the stretches that meet the conditions.

    The conditions stand with each stretch: only so does SQLite find every one of them in the index.
    """
    found = Q(pk__in=())
    for span, start, end in stretches:
        found |= Q(*expressions, span=span, start__gte=start, start__lt=end, **conditions)
    return found

"""Pixels that have fallen silent: nothing comes where the same hours of the last four weeks had something.

How much was to be expected is the least of the four weeks, cut down by how quiet the day before was: so neither a
weekend nor a holiday is taken for a fault. A quiet pixel is watched over a longer time, until enough was to be
expected.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime, timedelta

from alerts.rules.found import Found, Look, of_pixel, pixels
from events.figures.windows import floor
from events.models import Counter, OutboxRow

_HOUR, _WEEK = timedelta(hours=1), timedelta(days=7)
WEEKS = 4
#: So many events, and more, must have been expected, of which none came. Chance alone would leave 6 out once in 400
#: times, and 30 never: the rest is room for days on which a fifth comes, as on a holiday, before anybody knows.
ENOUGH = 30
#: Hours of silence that are looked at, besides the one that runs.
WINDOWS = (1, 2, 3, 4, 6, 8, 12, 18, 24)
#: Hours before them that tell how busy the pixel is now, beside the same hours of the weeks before.
_BEFORE = 24

#: Received events of a pixel by the hour in which they came.
Hours = Mapping[datetime, int]


def silent_pixels(look: Look) -> Iterator[Found]:
    """Pixels without an event in this hour and the last: ``value`` is how many events were to be expected.

    Where an incident is open it stays until something comes, whatever was to be expected by now.
    """
    this_hour = floor(look.now, Counter.Span.HOUR)
    known = {incident.pixel_id: incident for incident in look.open if incident.pixel_id}
    candidates = _heard(this_hour - WINDOWS[-1] * _HOUR - _WEEK, this_hour - _WEEK + _HOUR) | set(known)
    silent = candidates - _heard(this_hour - _HOUR, look.now + _HOUR)
    # Events that wait to be counted were received: the sender is well.
    silent -= set(OutboxRow.objects.filter(pixel__in=silent).order_by().values_list("pixel", flat=True).distinct())
    rows = list(pixels(silent).filter(event_bridge_active=True))
    hours = _hours([row["pk"] for row in rows if row["pk"] not in known], this_hour)
    for row in rows:
        if row["pk"] in known:
            yield of_pixel(row, float("inf"), **_figures_of(known[row["pk"]].facts))
        else:
            silent_for, expected = expectation(hours.get(row["pk"], {}), look.now)
            yield of_pixel(row, expected, expected=int(expected), hours=silent_for)


def _figures_of(facts: Mapping[str, int]) -> dict[str, int]:
    return {name: facts[name] for name in ("expected", "hours") if name in facts}


def expectation(hours: Hours, now: datetime) -> tuple[int, float]:
    """For how many whole hours nothing came, and how many events were to be expected, by the most telling window."""
    best = (0, 0.0)
    for length in WINDOWS:
        if _count(hours, now, length):
            break  # and something came in each longer window
        expected = _expected(hours, now, length)
        if expected > best[1]:
            best = (length, expected)
    return best


def _expected(hours: Hours, now: datetime, length: int) -> float:
    weeks = [now - week * _WEEK for week in range(1, WEEKS + 1)]
    least = min(_count(hours, week, length, partly=True) for week in weeks)
    before = now - length * _HOUR
    usual = sum(_count(hours, week - length * _HOUR, _BEFORE) for week in weeks) / WEEKS
    return least * min(1.0, _count(hours, before, _BEFORE) / usual) if usual else 0.0


def _count(hours: Hours, moment: datetime, length: int, *, partly: bool = False) -> float:
    """The events of so many whole hours before the moment's, and of that hour: with ``partly`` up to the moment."""
    hour = floor(moment, Counter.Span.HOUR)
    share = (moment - hour) / _HOUR if partly else 1
    return sum(hours.get(hour - back * _HOUR, 0) for back in range(1, length + 1)) + share * hours.get(hour, 0)


def _heard(start: datetime, end: datetime) -> set[int]:
    """The pixels with a counter of an hour in this time."""
    totals = Counter.objects.filter(span=Counter.Span.HOUR, dimension=Counter.Dimension.TOTAL, received__gt=0)
    return set(totals.filter(start__gte=start, start__lt=end).order_by().values_list("pixel_id", flat=True).distinct())


def _hours(silent: Collection[int], this_hour: datetime) -> dict[int, dict[datetime, int]]:
    """What each of the pixels received in the hours that its expectation asks for."""
    wanted = [
        this_hour - week * _WEEK - back * _HOUR
        for week in range(WEEKS + 1)
        for back in range(WINDOWS[-1] + _BEFORE + 1)
    ]
    found: dict[int, dict[datetime, int]] = {}
    totals = Counter.objects.filter(span=Counter.Span.HOUR, dimension=Counter.Dimension.TOTAL, start__in=wanted)
    for pixel, start, received in totals.filter(pixel__in=silent).values_list("pixel_id", "start", "received"):
        found.setdefault(pixel, {})[start] = received
    return found

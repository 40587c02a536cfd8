"""What accounts use: the snapshot of the last 24 hours, and received and published events by day, for billing.

Both are read from counters: the cost follows the pixels with traffic, not the events, nor the accounts that are still.
An event of a gateway source is received once, and published once by each destination that has it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, time
from itertools import chain, groupby
from operator import add, itemgetter
from typing import Any, NamedTuple

from django.db import connection, transaction
from django.db.models import Count, F, Model, Q, Sum, Value
from django.utils import timezone

from accounts.models import Tenant, UsageSnapshot
from accounts.principals import Principal
from common import bulk
from events.figures.books import DESTINATIONS, PIXELS, SOURCES, Book
from events.figures.windows import cover, last_minutes, within
from events.models import Counter, DestinationCounter, DisconnectedUsage, SourceCounter
from pipelines.models import Destination, Source
from pixels.models import Pixel

HOURS = 24
_REFRESHED = (
    "tenant_id",
    "total_events_received",
    "total_events_published",
    "total_events_failed",
    "total_pixels_with_traffic",
    "publish_error",
    "duration_in_hours",
    "refreshed_at",
)
_NOT_NOUGHT = Q(total_events_received__gt=0) | Q(publish_error=True)


@transaction.atomic
def refresh_usage(now: datetime | None = None) -> int:
    """Bring the snapshots up to date of all accounts with events or errors in the last 24 hours, and of those that
    have had some; the number of them. Five statements, whatever the number.
    """
    now = now or timezone.now()
    return _refresh_with_news(now) + _refresh_without(now)


def _refresh_with_news(now: datetime) -> int:
    news: dict[str, _News] = {}
    for tenant_id, *values in chain(_news_of_pixels(now), _news_of_sources(now), _news_of_destinations(now)):
        news[tenant_id] = _News(*map(add, news.get(tenant_id, _NOTHING), values))
    rows = [(tenant_id, *each[:4], each.errors > 0, HOURS, now) for tenant_id, each in news.items()]
    # By a statement of its own: joined to what is counted, PostgreSQL would read the snapshots of all accounts.
    return bulk.update(UsageSnapshot, _REFRESHED, rows)


class _News(NamedTuple):
    """What an account's pixels, sources and destinations have counted."""

    received: int
    published: int
    failed: int
    pixels: int
    errors: int


_NOTHING = _News(0, 0, 0, 0, 0)
_NOUGHT = Value(0)
_ERRORS = Sum(F("publish_errors") + F("failed"))


def _news_of_pixels(now: datetime) -> Any:
    pixels = Count("pixel_id", distinct=True, filter=Q(received__gt=0))
    return _recent(Counter, now, "pixel").annotate(
        Sum("received"), Sum("published"), Sum("failed"), pixels=pixels, errors=_ERRORS
    )


def _news_of_sources(now: datetime) -> Any:
    noughts = dict.fromkeys(_News._fields[1:], _NOUGHT)
    return _recent(SourceCounter, now, "source").annotate(Sum("received"), **noughts)


def _news_of_destinations(now: datetime) -> Any:
    return _recent(DestinationCounter, now, "destination").annotate(
        received_here=_NOUGHT, sent=Sum("published"), refused=Sum("failed"), pixels=_NOUGHT, errors=_ERRORS
    )


def _recent(counters: type[Model], now: datetime, owner: str) -> Any:
    recent = within(last_minutes(HOURS * 60, now), dimension=Counter.Dimension.TOTAL)
    return counters._default_manager.filter(recent).order_by().values_list(f"{owner}__tenant_id")


def _refresh_without(now: datetime) -> int:
    """Set to nought what has not just been refreshed."""
    return (
        UsageSnapshot.objects.filter(_NOT_NOUGHT)
        .exclude(refreshed_at__gte=now)
        .update(
            total_events_received=0,
            total_events_published=0,
            total_events_failed=0,
            total_pixels_with_traffic=0,
            publish_error=False,
            duration_in_hours=HOURS,
            refreshed_at=now,
        )
    )


class Passed(NamedTuple):
    """What passed through an account in a time."""

    received: int
    published: int
    failed: int


def passed_between(tenant: Tenant, start: datetime, end: datetime) -> Passed:
    """What passed through the account's pixels, sources and destinations from ``start`` to ``end``, whole minutes."""
    hours = within(cover(start, end), dimension=Counter.Dimension.TOTAL)
    sums = [
        _sums(Counter, hours & Q(pixel__tenant=tenant), Passed._fields),
        _sums(SourceCounter, hours & Q(source__tenant=tenant), ("received",)),
        _sums(DestinationCounter, hours & Q(destination__tenant=tenant), ("published", "failed")),
    ]
    return Passed(*(sum(each.get(name) or 0 for each in sums) for name in Passed._fields))


def _sums(counters: type[Model], of: Q, columns: Iterable[str]) -> dict[str, int | None]:
    return counters._default_manager.filter(of).aggregate(**{column: Sum(column) for column in columns})


#: What is told of a day: the same columns of both tables.
_COUNTED = ("received", "published", "browser_received", "browser_published")


class DailyUsage(NamedTuple):
    """An account's events on a day, and how many of them came from browsers."""

    tenant_id: str
    name: str
    day: date
    received: int
    published: int
    browser_received: int
    browser_published: int


def read_daily_usage(principal: Principal, first: date, last: date) -> Iterator[DailyUsage]:
    """The usage of every account whose usage the principal may see, by account and day (of UTC), from ``first`` to
    ``last``; days without events are left out. One query, read row by row.
    """
    seen = Q() if principal.sees_all_tenants else Q(tenant__in=Tenant.objects.visible_to(principal.borders))
    days = Q(start__gte=_midnight(first), start__lte=_midnight(last))
    counters = (
        (Counter, "pixel", _COUNTED),
        (SourceCounter, "source", ("received", None, "browser_received", None)),
        (DestinationCounter, "destination", (None, "published", None, "browser_published")),
    )
    of_pixels, *others = (_by_day(model, owner, columns).filter(days, seen) for model, owner, columns in counters)
    disconnected = DisconnectedUsage.objects.filter(days, seen).values_list(
        "tenant__name", "tenant_id", "start", *_COUNTED
    )
    # The first one's sums are read as numbers of Python.
    together = of_pixels.union(*others, disconnected, all=True)
    rows = together.order_by("pixel__tenant__name", "pixel__tenant_id", "start")
    for (name, tenant_id, start), parts in groupby(rows.iterator(), key=itemgetter(0, 1, 2)):
        sums = [sum(column) for column in zip(*(part[3:] for part in parts), strict=True)]
        if any(sums):
            yield DailyUsage(tenant_id, name, start.date(), *sums)


def _by_day(model: type[Model], owner: str, columns: Sequence[str | None]) -> Any:
    """An account's name and id, the day, and the sums of the columns; nought where there is none."""
    sums = {f"sum_{place}": Sum(column) if column else _NOUGHT for place, column in enumerate(columns)}
    counted = model._default_manager.annotate(tenant=F(f"{owner}__tenant"))
    days = counted.filter(span=Counter.Span.DAY, dimension=Counter.Dimension.TOTAL).order_by()
    return days.values_list(f"{owner}__tenant__name", f"{owner}__tenant_id", "start").annotate(**sums)


def keep_usage(owner: Pixel | Source | Destination) -> None:
    """Add its days to those of disconnected pixels: its counters are about to go with it."""
    with connection.cursor() as cursor:
        cursor.execute(_KEEP_USAGE[type(owner)], (owner.tenant_id, owner.pk))


def _keeping(book: Book, columns: Sequence[str]) -> str:
    table = DisconnectedUsage._meta.db_table
    return f"""
        INSERT INTO {table} (tenant_id, start, {", ".join(_COUNTED)})
        SELECT %s, start, {", ".join(columns)} FROM {book.counter._meta.db_table}
        WHERE {book.owner} = %s AND span = {Counter.Span.DAY} AND dimension = {Counter.Dimension.TOTAL}
        ON CONFLICT (tenant_id, start) DO UPDATE SET
            {", ".join(f"{column} = {table}.{column} + excluded.{column}" for column in _COUNTED)}
    """  # noqa: S608  # nosec B608  # constants


_KEEP_USAGE = {
    Pixel: _keeping(PIXELS, _COUNTED),
    Source: _keeping(SOURCES, ("received", "0", "browser_received", "0")),
    Destination: _keeping(DESTINATIONS, ("0", "published", "0", "browser_published")),
}


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, UTC)

"""What accounts use: the snapshot of the last 24 hours, and received and published events by day, for billing.

Both are read from counters: the cost follows the pixels with traffic, not the events, nor the accounts that are still.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple

from django.db import connection, transaction
from django.db.models import Count, F, Q, Sum
from django.utils import timezone

from accounts.models import Tenant, UsageSnapshot
from accounts.principals import Principal
from common import bulk
from events.figures.windows import last_minutes, within
from events.models import Counter, DisconnectedUsage
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
    have had some; the number of them. Three statements, whatever the number.
    """
    now = now or timezone.now()
    return _refresh_with_news(now) + _refresh_without(now)


def _refresh_with_news(now: datetime) -> int:
    news = (
        Counter.objects.filter(within(last_minutes(HOURS * 60, now), dimension=Counter.Dimension.TOTAL))
        .values_list("pixel__tenant_id")
        .annotate(
            events=Sum("received"),
            sent=Sum("published"),
            refused=Sum("failed"),
            pixels=Count("pixel_id", distinct=True, filter=Q(received__gt=0)),
            errors=Sum(F("publish_errors") + F("failed")),
        )
    )
    rows = [
        (tenant_id, events, sent, refused, pixels, errors > 0, HOURS, now)
        for tenant_id, events, sent, refused, pixels, errors in news
    ]
    # By a statement of its own: joined to what is counted, PostgreSQL would read the snapshots of all accounts.
    return bulk.update(UsageSnapshot, _REFRESHED, rows)


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


class DailyUsage(NamedTuple):
    """An account's events on a day."""

    tenant_id: str
    name: str
    day: date
    received: int
    published: int


def read_daily_usage(principal: Principal, first: date, last: date) -> Iterator[DailyUsage]:
    """The usage of every account whose usage the principal may see, by account and day (of UTC), from ``first`` to
    ``last``; days without events are left out. One query, read row by row.
    """
    seen = Q() if principal.sees_all_tenants else Q(tenant__in=Tenant.objects.visible_to(principal.borders))
    days = Q(start__gte=_midnight(first), start__lte=_midnight(last))
    connected = (
        Counter.objects.annotate(tenant=F("pixel__tenant"))
        .filter(days, seen, span=Counter.Span.DAY, dimension=Counter.Dimension.TOTAL)
        .values_list("pixel__tenant__name", "pixel__tenant_id", "start")
        .annotate(Sum("received"), Sum("published"))
    )
    disconnected = DisconnectedUsage.objects.filter(days, seen).values_list(
        "tenant__name", "tenant_id", "start", "received", "published"
    )
    rows = connected.union(disconnected, all=True).order_by("pixel__tenant__name", "pixel__tenant_id", "start")
    for (name, tenant_id, start), parts in groupby(rows.iterator(), key=itemgetter(0, 1, 2)):
        received, published = map(sum, zip(*(part[3:] for part in parts), strict=True))
        if received or published:
            yield DailyUsage(tenant_id, name, start.date(), received, published)


def keep_usage(pixel: Pixel) -> None:
    """Add the pixel's days to those of disconnected pixels: its counters are about to go with it."""
    with connection.cursor() as cursor:
        cursor.execute(_KEEP_USAGE, (pixel.tenant_id, pixel.pk))


_KEEP_USAGE = f"""
    INSERT INTO events_disconnectedusage (tenant_id, start, received, published)
    SELECT %s, start, received, published FROM events_counter
    WHERE pixel_id = %s AND span = {Counter.Span.DAY} AND dimension = {Counter.Dimension.TOTAL}
    ON CONFLICT (tenant_id, start) DO UPDATE SET
        received = events_disconnectedusage.received + excluded.received,
        published = events_disconnectedusage.published + excluded.published
"""  # noqa: S608  # nosec B608  # constants


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, UTC)

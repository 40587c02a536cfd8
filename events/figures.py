"""An account's figures for its pages, over the times that charts show.

Where there are many pixels, they are kept for some seconds: to add up hundreds of pixels' counters takes a while, and
several people may have the page open, which asks again and again.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import timedelta
from typing import TypeVar, cast

from django.core.cache import cache
from django.utils import timezone

from accounts.models import Tenant
from events.metrics import Chart, Metrics, Point, event_metrics, series
from events.windows import LENGTHS, floor

#: Fewer pixels are added up at once, every time.
MANY_PIXELS = 50
#: Shorter than the time between two requests of a page that is open.
KEPT_SECONDS = 10

_Figures = TypeVar("_Figures")


def minutes_of(chart: Chart) -> int:
    """How many minutes ago the chart begins, so that tables beside it count what it shows."""
    now = timezone.now()
    start = floor(now, chart.span) - (chart.points - 1) * LENGTHS[chart.span]
    return (now - start) // timedelta(minutes=1)


def chart_of(tenant: Tenant, pixels: Collection[int], chart: Chart) -> list[Point]:
    """What passed on the account's pixels, point by point."""
    return _kept(f"{tenant.pk}:{chart.name}:points", pixels, lambda: series(pixels, chart))


def activity_of(tenant: Tenant, pixels: Collection[int], chart: Chart, *, by_website: bool = False) -> Metrics:
    """What passed on the account's pixels in the chart's time, by event name and, if wanted, by website."""
    key = f"{tenant.pk}:{chart.name}:{by_website}"
    return _kept(key, pixels, lambda: event_metrics(pixels, minutes_of(chart), by_website=by_website))


def _kept(key: str, pixels: Collection[int], count: Callable[[], _Figures]) -> _Figures:
    if len(pixels) < MANY_PIXELS:
        return count()
    return cast(_Figures, cache.get_or_set(f"figures:{key}:{len(pixels)}", count, KEPT_SECONDS))

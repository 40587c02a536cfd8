"""An account's figures for its pages, over the times that charts show (docs/decisions/0008-web-pages.md).

Where there are many pixels, they are kept for some seconds: to add up hundreds of pixels' counters takes a while, and
several people may have the page open, which asks again and again.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TypeVar, cast

from django.core.cache import caches

from accounts.models import Tenant
from events.figures.metrics import Activity, activities
from events.figures.series import Chart, Series, series
from events.models import Counter

#: Fewer pixels are added up at once, every time.
MANY_PIXELS = 50
#: Shorter than the time between two requests of a page that is open.
KEPT_SECONDS = 10

_Figures = TypeVar("_Figures")


def chart_of(tenant: Tenant, pixels: Collection[int], chart: Chart) -> Series:
    """What passed on the account's pixels, point by point."""
    return _kept(f"{tenant.pk}:{chart.name}:points", pixels, lambda: series(pixels, chart))


def activity_of(tenant: Tenant, pixels: Collection[int], chart: Chart, dimension: Counter.Dimension) -> list[Activity]:
    """What passed on the account's pixels in the chart's time by event name or website, the busiest first."""
    key = f"{tenant.pk}:{chart.name}:{dimension}"
    return _kept(key, pixels, lambda: activities(pixels, chart.minutes, dimension))


def _kept(key: str, pixels: Collection[int], count: Callable[[], _Figures]) -> _Figures:
    if len(pixels) < MANY_PIXELS:
        return count()
    return cast(_Figures, caches["pages"].get_or_set(f"figures:{key}:{len(pixels)}", count, KEPT_SECONDS))

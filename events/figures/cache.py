"""An account's figures for its pages, over the times that charts show (docs/decisions/0008-web-pages.md).

Where there are many pixels, they are kept for some seconds: to add up hundreds of pixels' counters takes a while, and
several people may have the page open, which asks again and again.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TypeVar, cast

from django.core.cache import caches

from accounts.models import Tenant
from events.figures.accounts import Part, of_account, of_pixels
from events.figures.metrics import Activity, activities
from events.figures.series import Chart, Series, series
from events.models import Counter

#: Fewer pixels are added up at once, every time.
MANY_PIXELS = 50
#: Shorter than the time between two requests of a page that is open.
KEPT_SECONDS = 10

_Figures = TypeVar("_Figures")


def _parts_of(tenant: Tenant, pixels: Collection[int], *, with_gateway: bool) -> list[Part]:
    """What is added up: of the account's pixels, and of its gateway sources and destinations."""
    return of_account(tenant, pixels) if with_gateway else of_pixels(pixels)


def chart_of(tenant: Tenant, pixels: Collection[int], chart: Chart, *, with_gateway: bool = False) -> Series:
    """What passed on the account's pixels, point by point."""
    parts = _parts_of(tenant, pixels, with_gateway=with_gateway)
    return _kept(f"{tenant.pk}:{chart.name}:points:{with_gateway}", pixels, lambda: series(parts, chart))


def activity_of(
    tenant: Tenant, pixels: Collection[int], chart: Chart, dimension: Counter.Dimension, *, with_gateway: bool = False
) -> list[Activity]:
    """What passed on the account's pixels in the chart's time by event name or website, the busiest first."""
    parts = _parts_of(tenant, pixels, with_gateway=with_gateway)
    key = f"{tenant.pk}:{chart.name}:{dimension}:{with_gateway}"
    return _kept(key, pixels, lambda: activities(parts, chart.minutes, dimension))


def _kept(key: str, pixels: Collection[int], count: Callable[[], _Figures]) -> _Figures:
    if len(pixels) < MANY_PIXELS:
        return count()
    return cast(_Figures, caches["pages"].get_or_set(f"figures:{key}:{len(pixels)}", count, KEPT_SECONDS))

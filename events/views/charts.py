"""Charts of traffic: the time that the visitor has chosen, the points, and their sums."""

from __future__ import annotations

from collections.abc import Collection
from math import floor
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Tenant
from events.figures.cache import chart_of
from events.figures.metrics import Chart, Point
from events.figures.waiting import read_waiting
from events.figures.windows import Span

#: By what the address says (``?period=7d``): the times, with their names.
PERIODS = {
    "1h": (Chart.HOUR, gettext_lazy("1 hour")),
    "24h": (Chart.DAY, gettext_lazy("24 hours")),
    "7d": (Chart.WEEK, gettext_lazy("7 days")),
    "30d": (Chart.MONTH, gettext_lazy("30 days")),
}
DEFAULT_PERIOD = "24h"
#: By what charts.js writes the times, and how the table beside it does.
_UNITS = {Span.MINUTE: "minute", Span.HOUR: "hour", Span.DAY: "day"}
_FORMS = {Span.MINUTE: "H:i", Span.HOUR: "D j M, H:i", Span.DAY: "D j M"}


class Traffic:
    """What passed on some pixels in the chosen time, which ends ``as_of``, and what waits on them now.

    ``held``: those of the pixels whose waiting events are counted apart.
    """

    def __init__(
        self, request: HttpRequest, tenant: Tenant, pixels: Collection[int], *, held: Collection[int] = ()
    ) -> None:
        chosen = request.GET.get("period", "")
        self.period = chosen if chosen in PERIODS else DEFAULT_PERIOD
        self.time, self.period_name = PERIODS[self.period]
        self.unit, self.form = _UNITS[self.time.span], _FORMS[self.time.span]
        self.points, self.as_of = chart_of(tenant, pixels, self.time)
        self.received = sum(point.received for point in self.points)
        self.sent = sum(point.published for point in self.points)
        self.dropped = sum(point.dropped for point in self.points)
        self.failed = sum(point.failed for point in self.points)
        self.waiting = read_waiting(pixels, held=held)

    @property
    def periods(self) -> list[tuple[str, object]]:
        """The times to choose from."""
        return [(key, name) for key, (_chart, name) in PERIODS.items()]

    @property
    def attempted(self) -> int:
        """The events that Meta has decided about."""
        return self.sent + self.failed

    @property
    def success_rate(self) -> float | None:
        """The percentage of what was sent that Meta took; None where nothing was."""
        return success_rate(self.sent, self.failed)

    @property
    def rows(self) -> list[tuple[Point, str]]:
        """The points, the newest first, each with a remark where it counts part of its span only."""
        return [(point, self._remark(point)) for point in reversed(self.points)]

    @property
    def chart(self) -> dict[str, Any]:
        """The chart, as static/js/charts.js takes it."""
        return {
            "type": "line",
            "labels": [point.start.isoformat() for point in self.points],
            "unit": self.unit,
            "remarks": [self._remark(point) for point in self.points],
            "series": [
                {"label": _("Received"), "values": [point.received for point in self.points], "color": "blue"},
                {"label": _("Sent"), "values": [point.published for point in self.points], "color": "green"},
            ],
        }

    def _remark(self, point: Point) -> str:
        if point.is_whole:
            return ""
        return _("so far") if point is self.points[-1] else _("in part")


def success_rate(sent: int, failed: int) -> float | None:
    """Sent events in percent of all attempts, to a tenth; 100 and 0 only where that is exactly so."""
    if not sent + failed:
        return None
    tenths = floor(1_000 * sent / (sent + failed))
    return max(tenths, 1 if sent else 0) / 10

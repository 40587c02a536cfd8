"""Charts of traffic: the time that the visitor has chosen, the points, and their sums."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from itertools import chain
from typing import Any, NamedTuple

from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Tenant
from events.figures.cache import chart_of
from events.figures.roads import ByRoad
from events.figures.series import Chart, Point
from events.figures.waiting import read_waiting, read_waiting_of_account
from events.figures.windows import Span
from events.models import Road

#: By what the address says (``?period=7d``): the times, with their names.
PERIODS = {
    "1h": (Chart.HOUR, gettext_lazy("1 hour")),
    "24h": (Chart.DAY, gettext_lazy("24 hours")),
    "7d": (Chart.WEEK, gettext_lazy("7 days")),
    "30d": (Chart.MONTH, gettext_lazy("30 days")),
}
DEFAULT_PERIOD = "24h"
#: What the address says where browsers and servers are to be shown apart (``?by=road``).
BY_ROAD = "road"
#: By what charts.js writes the times, and how the table beside it does.
_UNITS = {Span.MINUTE: "minute", Span.HOUR: "hour", Span.DAY: "day"}
_FORMS = {Span.MINUTE: "H:i", Span.HOUR: "D j M, H:i", Span.DAY: "D j M"}
#: How roads are drawn: by colours that colour-blind people tell apart, and by lines that need no colour.
_LINES: dict[Road, dict[str, Any]] = {
    Road.BROWSER: {"color": "orange", "dash": [6, 4]},
    Road.SERVER: {"color": "blue"},
}


class TableRow(NamedTuple):
    """A point in the table beside a chart, with a remark where it counts part of its span only."""

    start: datetime
    remark: str
    values: list[int]


class Drawing(NamedTuple):
    """A chart, its title where there are several, and the table beside it, the newest first.

    ``data`` is what static/js/charts.js takes.
    """

    id: str
    title: str
    data: dict[str, Any]
    rows: list[TableRow]


class Traffic:
    """What passed on some pixels in the chosen time, which ends ``as_of``, and what waits on them now.

    With ``with_gateway``, of the account's gateway sources and destinations as well: an event of a source is received
    once, and sent to each destination. ``held``: those of the pixels whose waiting events are counted apart. ``counts``
    are those of each road and of both.
    """

    def __init__(
        self,
        request: HttpRequest,
        tenant: Tenant,
        pixels: Collection[int],
        *,
        held: Collection[int] = (),
        with_gateway: bool = False,
    ) -> None:
        chosen = request.GET.get("period", "")
        self.period = chosen if chosen in PERIODS else DEFAULT_PERIOD
        self.time, self.period_name = PERIODS[self.period]
        self.is_by_road = request.GET.get("by") == BY_ROAD
        self.form = _FORMS[self.time.span]
        self.points, self.as_of, parts = chart_of(tenant, pixels, self.time, with_gateway=with_gateway)
        #: Were there events of gateway sources, which are sent to each destination?
        self.has_gateway = bool(parts - {0})
        self.counts = ByRoad.added(self.points)
        self.waiting = (
            read_waiting_of_account(tenant, pixels, held=held) if with_gateway else read_waiting(pixels, held=held)
        )

    @property
    def periods(self) -> list[tuple[str, object]]:
        """The times to choose from."""
        return [(key, name) for key, (_chart, name) in PERIODS.items()]

    @property
    def begins_within(self) -> bool:
        """Does the first point leave out what came before the time that is shown?"""
        return not self.points[0].is_whole

    @property
    def drawings(self) -> list[Drawing]:
        """One chart of what was received and sent; or one of each, by road, on the same scale."""
        if not self.is_by_road:
            received = {"label": _("Received"), "values": [point.together.received for point in self.points]}
            sent = {"label": _("Sent"), "values": [point.together.published for point in self.points]}
            return [self._drawing("traffic", "", [{**received, "color": "blue"}, {**sent, "color": "green"}])]
        lines = {fate: self._lines_of_roads(fate) for fate in ("received", "published")}
        most = max(max(line["values"]) for line in chain(*lines.values()))
        return [
            self._drawing("traffic-received", _("Received"), lines["received"], most),
            self._drawing("traffic-sent", _("Sent"), lines["published"], most),
        ]

    def _lines_of_roads(self, fate: str) -> list[dict[str, Any]]:
        return [
            {"label": str(road.label), "values": [getattr(point.on(road), fate) for point in self.points], **line}
            for road, line in _LINES.items()
        ]

    def _drawing(self, name: str, title: str, lines: list[dict[str, Any]], most: int = 0) -> Drawing:
        remarks = [self._remark(point) for point in self.points]
        data = {
            "type": "line",
            "labels": [point.start.isoformat() for point in self.points],
            "unit": _UNITS[self.time.span],
            "remarks": remarks,
            "series": lines,
            "most": most,
        }
        values = zip(*(line["values"] for line in lines), strict=True)
        rows = [
            TableRow(point.start, remark, list(counts))
            for point, remark, counts in zip(self.points, remarks, values, strict=True)
        ]
        return Drawing(name, title, data, rows[::-1])

    def _remark(self, point: Point) -> str:
        if point.is_whole:
            return ""
        return _("so far") if point is self.points[-1] else _("in part")

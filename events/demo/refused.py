"""What the intake refused of a demo pixel: its server sends milliseconds for seconds, and sent an old export before."""

from __future__ import annotations

from datetime import datetime, timedelta

from events.demo.scenery import DemoPixel
from events.figures.windows import floor
from events.findings import ROADS
from events.intake.rules import Rule
from events.models import Counter, Finding, Road
from events.refused.samples import sample_of_event
from events.refused.writing import Cell, Count, Last, write
from pixels.models import Pixel

#: A row tells from which part of the internet a request came; the demo's all came from one.
_ORIGIN = 0


def write_refused(pixel: Pixel, demo: DemoPixel, now: datetime) -> None:
    """Count the requests, of one event each, and keep them to be shown."""
    if demo.is_refused:
        # So few that no alert tells of them, however little comes at this time of the day.
        old = now - timedelta(days=12)
        _write(pixel, demo, Rule.TIME_TOO_OLD, int(old.timestamp()), 3, now - timedelta(hours=9))
        _write(pixel, demo, Rule.TIME_MILLISECONDS, int(now.timestamp()) * 1_000, 1, now - timedelta(minutes=20))


def _write(pixel: Pixel, demo: DemoPixel, rule: Rule, event_time: int, requests: int, at: datetime) -> None:
    sample = sample_of_event(
        {
            "event_name": "Purchase",
            "event_time": event_time,
            "action_source": "website",
            "event_source_url": f"https://{next(iter(demo.websites))}/thanks",
            "custom_data": {"currency": "USD", "value": 59.9},
        }
    )
    hour = floor(at, Counter.Span.HOUR)
    cell = Cell(False, pixel.pk, hour, Finding.Kind.REFUSED, ROADS[Road.SERVER], "event_time", rule)
    last = Last(False, pixel.pk, at, Road.SERVER, "event_time", rule, 1, _ORIGIN, sample)
    write({cell: Count(requests, requests)}, [last] * requests)

"""What the intake left out of a demo pixel's or source's events: some numbers of telephones are none."""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Iterable

from events.changes import Change, write
from events.demo.traffic import Passed
from events.figures.windows import floor
from events.findings import ROADS, Cell
from events.findings import write as write_findings
from events.intake.left_out import LeftOut, Reason
from events.models import Counter, Road

LEFT_OUT = LeftOut("user_data.ph", Reason.NO_PHONE)
#: Of a server's events, one in so many.
_ONE_IN = 25


def loses_something(event: Passed) -> bool:
    """Was something left out of the event?"""
    return event.road is Road.SERVER and int(event.at.timestamp() * 1_000) % _ONE_IN == 0


def changes_of(event: Passed) -> str | None:
    """What stands beside a request with the event."""
    return write([[Change(LEFT_OUT.field, LEFT_OUT.reason.value)] if loses_something(event) else []])


def write_left_out(owner_pk: int, passed: Iterable[Passed], *, is_source: bool) -> None:
    """Count it by hour."""
    found: Tally[Cell] = Tally()
    for event in passed:
        if loses_something(event):
            hour, road = floor(event.at, Counter.Span.HOUR), ROADS[event.road]
            found[Cell(is_source, owner_pk, hour, road, LEFT_OUT.field, LEFT_OUT.reason.value)] += 1
    write_findings(found)

"""Events that wait, put into the outbox as the intake does, and sums of what became of them."""

from __future__ import annotations

import json
import time
from datetime import datetime
from itertools import count
from typing import Any

from django.db.models import QuerySet, Sum
from django.utils import timezone

from events.delivery.publishing import drain
from events.figures.counting import COLUMNS
from events.models import Counter, Lane, OutboxRow
from events.sandbox import Fault, Sandbox
from pixels.models import Pixel

_numbers = count(1)
OF_IDS = [column for column in COLUMNS if "ids_" in column]


def purchase(**changes: Any) -> dict[str, Any]:
    """An event that Meta takes, with an id of its own; what is None is left out."""
    event = {
        "event_name": "Purchase",
        "event_time": int(time.time()),
        "event_id": f"event-{next(_numbers)}",
        "action_source": "website",
        "event_source_url": "https://shop.example.com/thanks",
        "user_data": {"client_user_agent": "Mozilla/5.0"},
        "custom_data": {"currency": "EUR", "value": 9.5},
    }
    return {key: value for key, value in (event | changes).items() if value is not None}


def purchases(n: int, **changes: Any) -> list[dict[str, Any]]:
    return [purchase(**changes) for _ in range(n)]


def bad_purchase(**changes: Any) -> dict[str, Any]:
    """An event that the gateway lets through and Meta refuses."""
    return purchase(custom_data={"currency": "Euro", "value": 9.5}, **changes)


def put(pixel: Pixel, *events: dict[str, Any], received_at: datetime | None = None, **values: Any) -> OutboxRow:
    """One accepted request."""
    return OutboxRow.objects.create(
        pixel=pixel,
        received_at=received_at or timezone.now(),
        event_count=len(events),
        body=json.dumps(events).encode(),
        **values,
    )


def ids(events: list[dict[str, Any]]) -> list[str]:
    return [event["event_id"] for event in events]


def counted(
    pixel: Pixel,
    dimension: Counter.Dimension = Counter.Dimension.TOTAL,
    label: str | None = None,
    span: Counter.Span = Counter.Span.DAY,
) -> dict[str, int]:
    """What the pixel's counters say of events, those that are not nought."""
    rows = Counter.objects.filter(pixel=pixel, dimension=dimension, span=span)
    if label is not None:
        rows = rows.filter(label=label)
    return _sums(rows, [column for column in COLUMNS if column not in OF_IDS])


def counted_ids(pixel: Pixel, name: str | None = None) -> dict[str, int]:
    """What the pixel's counters say of event ids, of one name or in all; those that are not nought."""
    rows = Counter.objects.filter(pixel=pixel, span=Counter.Span.DAY)
    if name is None:
        return _sums(rows.filter(dimension=Counter.Dimension.TOTAL), OF_IDS)
    return _sums(rows.filter(dimension=Counter.Dimension.EVENT_NAME, label=name), OF_IDS)


def _sums(rows: QuerySet[Counter], columns: list[str]) -> dict[str, int]:
    sums = rows.aggregate(**{f"sum_{column}": Sum(column, default=0) for column in columns})
    return {column: sums[f"sum_{column}"] for column in columns if sums[f"sum_{column}"]}


def waiting(pixel: Pixel) -> int:
    """How many events wait that have been counted as received."""
    rows = OutboxRow.objects.filter(pixel=pixel, counted=True)
    return int(rows.aggregate(events=Sum("event_count", default=0))["events"])


def is_balanced(pixel: Pixel) -> bool:
    """Does every event that was received have one fate, or wait; in each span, by name, and by website?"""
    totals = [counted(pixel, span=span) for span in Counter.Span]
    by_name = counted(pixel, Counter.Dimension.EVENT_NAME)
    besides = ("received", "publish_errors", *(column for column in COLUMNS if column.startswith("browser_")))
    fates = sum(n for column, n in totals[0].items() if column not in besides)
    by_name_alone = {column: n for column, n in totals[0].items() if column != "publish_errors"}
    return (
        totals[0].get("received", 0) == fates + waiting(pixel)
        and all(total == totals[0] for total in totals)
        and by_name == by_name_alone
    )


def answers(sandbox: Sandbox, *codes: int) -> None:
    """The next requests are answered with these codes; 0 is none."""
    for code in codes:
        sandbox.fail(code=code, times=1) if code else sandbox.faults.add(Fault(times=1))


def again(pixel: Pixel) -> None:
    """Drain when the wait after a failure is over."""
    Lane.objects.filter(pixel=pixel).update(retry_at=None)
    drain(pixel.pk)


def lane(pixel: Pixel) -> Lane:
    return Lane.objects.get(pixel=pixel)

"""Writes a pixel's made-up traffic as the worker would have left it."""

from __future__ import annotations

import hashlib
from collections import Counter as Tally
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

import orjson

from events.demo.scenery import DemoPixel, Story
from events.demo.traffic import DEAD_LETTER_CODE, REJECTED_HOURS_AGO, Passed, traffic_of
from events.models import MINUTES_KEPT, Counter, DeadLetter, Delivery, Lane, OutboxRow, SeenLabel
from filters.reads import load_filter_set
from pixels.models import Pixel

LOGGED = timedelta(days=1)
LOGGED_AT_MOST = 1_000

_OUTCOMES = {"published": Delivery.Outcome.PUBLISHED, "failed": Delivery.Outcome.FAILED}


class Bucket(NamedTuple):
    """A row of Counter: a span of time, and what of it is counted."""

    span: Counter.Span
    dimension: Counter.Dimension
    start: datetime
    label: str


def write_traffic(pixel: Pixel, demo: DemoPixel, now: datetime) -> int:
    """Write the counters, the delivery log and what waits; the number of events."""
    passed = traffic_of(demo, load_filter_set(pixel), now)
    rejected_at = now - timedelta(hours=REJECTED_HOURS_AGO) if demo.story is Story.REJECTED_TOKEN else None
    _write_counters(pixel, passed, rejected_at, now)
    _write_deliveries(pixel, [event for event in passed if event.fate and event.at > now - LOGGED][-LOGGED_AT_MOST:])
    DeadLetter.objects.bulk_create(_dead_letter(pixel, event) for event in passed if event.fate == "failed")
    OutboxRow.objects.bulk_create(_waiting(pixel, event) for event in passed if not event.fate)
    Lane.objects.update_or_create(pixel=pixel, defaults={"held": rejected_at is not None})
    published = [event.at for event in passed if event.fate == "published"]
    Pixel.objects.filter(pk=pixel.pk).update(
        last_received=max((event.at for event in passed), default=None),
        last_published=max(published, default=None),
        bad_token=rejected_at is not None,
        api_error_code="190.460" if rejected_at else None,
    )
    return len(passed)


def _write_counters(pixel: Pixel, passed: Iterable[Passed], rejected_at: datetime | None, now: datetime) -> None:
    counts: dict[Bucket, Tally[str]] = {}
    seen: dict[tuple[Counter.Dimension, str], date] = {}
    for event in passed:
        fields = ("received", event.fate) if event.fate else ("received",)
        for bucket in _buckets(event.at, event.name, event.website, now):
            counts.setdefault(bucket, Tally()).update(fields)
            if bucket.dimension is not Counter.Dimension.TOTAL:
                seen[bucket.dimension, bucket.label] = event.at.date()
        if event.fate == "failed":
            _add_publish_error(counts, event.at, now)
    if rejected_at:
        _add_publish_error(counts, rejected_at, now)
    rows = (Counter(pixel=pixel, **bucket._asdict(), **counted) for bucket, counted in counts.items())
    Counter.objects.bulk_create(rows, batch_size=1_000)
    SeenLabel.objects.bulk_create(
        SeenLabel(pixel=pixel, dimension=dimension, label=label, last_seen=day)
        for (dimension, label), day in seen.items()
    )


def _add_publish_error(counts: dict[Bucket, Tally[str]], at: datetime, now: datetime) -> None:
    for span, start in _spans(at, now):
        counts.setdefault(Bucket(span, Counter.Dimension.TOTAL, start, ""), Tally())["publish_errors"] += 1


def _buckets(at: datetime, name: str, website: str, now: datetime) -> Iterator[Bucket]:
    for span, start in _spans(at, now):
        yield Bucket(span, Counter.Dimension.TOTAL, start, "")
        yield Bucket(span, Counter.Dimension.EVENT_NAME, start, name)
        if website:
            yield Bucket(span, Counter.Dimension.WEBSITE, start, website)


def _spans(at: datetime, now: datetime) -> Iterator[tuple[Counter.Span, datetime]]:
    hour = at.replace(minute=0, second=0, microsecond=0)
    yield Counter.Span.DAY, hour.replace(hour=0)
    yield Counter.Span.HOUR, hour
    if at > now - MINUTES_KEPT:
        yield Counter.Span.MINUTE, at.replace(second=0, microsecond=0)


def _write_deliveries(pixel: Pixel, passed: Iterable[Passed]) -> None:
    Delivery.objects.bulk_create(
        (
            Delivery(
                pixel=pixel,
                at=event.at + timedelta(seconds=1),
                outcome=_OUTCOMES.get(event.fate, Delivery.Outcome.DROPPED),
                event_name=event.name,
                event_id=_event_id(event),
                event_time=event.at.replace(microsecond=0),
                website=event.website,
                detail=event.detail,
                code=DEAD_LETTER_CODE if event.fate == "failed" else "",
                trace_id=_trace_id(event) if event.fate in _OUTCOMES else "",
            )
            for event in passed
        ),
        batch_size=1_000,
    )


def _dead_letter(pixel: Pixel, event: Passed) -> DeadLetter:
    """An order with a currency that Meta does not know; a replay shows the same answer again."""
    sent = _event(event)
    sent["custom_data"]["currency"] = "Euro"
    return DeadLetter(
        pixel=pixel,
        event_name=event.name,
        event_id=_event_id(event),
        website=event.website,
        event=orjson.dumps(sent),
        code=DEAD_LETTER_CODE,
        message=event.detail,
        trace_id=_trace_id(event),
        received_at=event.at,
        failed_at=event.at,
    )


def _waiting(pixel: Pixel, event: Passed) -> OutboxRow:
    body = orjson.dumps([_event(event)])
    return OutboxRow(pixel=pixel, received_at=event.at, counted=True, event_count=1, body=body)


def _event(event: Passed) -> dict[str, Any]:
    """The event as its sender would have sent it."""
    sent: dict[str, Any] = {
        "event_name": event.name,
        "event_time": int(event.at.astimezone(UTC).timestamp()),
        "event_id": _event_id(event),
        "action_source": "website" if event.website else "physical_store",
        "user_data": {"external_id": [_digest(event)], "client_user_agent": "Demo"},
    }
    if event.website:
        sent["event_source_url"] = f"https://{event.website}/"
    if event.name == "Purchase":
        sent["custom_data"] = {"value": 89.9, "currency": "EUR"}
    return sent


def _event_id(event: Passed) -> str:
    return f"demo-{_digest(event)[:16]}"


def _trace_id(event: Passed) -> str:
    return f"A{_digest(event)[16:38]}"


def _digest(event: Passed) -> str:
    return hashlib.sha256(f"{event.at.isoformat()} {event.name} {event.website}".encode()).hexdigest()

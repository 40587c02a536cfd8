"""Writes a pixel's made-up traffic as the worker would have left it."""

from __future__ import annotations

import hashlib
from collections import Counter as Tally
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

import orjson

from events.delivery.batches import Event, OutboxRecord
from events.delivery.entries import Outcome
from events.delivery.fates import Fate
from events.delivery.log.writing import Whose, write
from events.demo.left_out import changes_of, write_left_out
from events.demo.scenery import DemoPixel, Story
from events.demo.traffic import DEAD_LETTER_CODE, REJECTED_HOURS_AGO, Passed, traffic_of
from events.figures.counting import OF_BROWSERS
from events.models import Counter, DeadLetter, Lane, OutboxRow, Road, SeenLabel
from events.retention import FINDINGS_KEPT, MINUTES_KEPT
from filters.reads import load_filter_set
from pixels.models import Pixel

LOGGED = timedelta(days=1)
LOGGED_AT_MOST = 1_000

_OUTCOMES = {"published": Outcome.PUBLISHED, "failed": Outcome.FAILED}


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
    if demo.is_refused:
        write_left_out(pixel.pk, [event for event in passed if event.at > now - FINDINGS_KEPT], is_source=False)
    _write_deliveries(
        pixel, demo, [event for event in passed if event.fate and event.at > now - LOGGED][-LOGGED_AT_MOST:]
    )
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
    ids: set[tuple[str, str]] = set()
    for event in passed:
        fields, of_ids = _columns(event), _columns_of_id(event, ids)
        for bucket in _buckets(event.at, event.name, event.website, now):
            is_website = bucket.dimension is Counter.Dimension.WEBSITE
            counts.setdefault(bucket, Tally()).update(fields if is_website else fields + of_ids)
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


def _columns(event: Passed) -> list[str]:
    """Where it is counted."""
    return _on_its_road(event, ["received", event.fate] if event.fate else ["received"])


def _columns_of_id(event: Passed, ids: set[tuple[str, str]]) -> list[str]:
    """Where its id is counted; ``ids`` are those before it, with their names."""
    one = event.name, event_id_of(event)
    came_before = one in ids
    ids.add(one)
    return _on_its_road(event, ["ids_seen"]) + ["ids_on_both"] * came_before


def _on_its_road(event: Passed, columns: list[str]) -> list[str]:
    return [*columns, *map(OF_BROWSERS.__getitem__, columns)] if event.road is Road.BROWSER else columns


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


def _write_deliveries(pixel: Pixel, demo: DemoPixel, passed: Iterable[Passed]) -> None:
    whose = Whose(pixel.tenant_id, pixel=pixel.pk)
    for event in passed:
        write(whose, [settled(event, leaves_out=demo.is_refused)], event.at + timedelta(seconds=1))


def settled(event: Passed, code: str = DEAD_LETTER_CODE, *, is_metas: bool = True, leaves_out: bool = False) -> Event:
    """As the delivery log is told of it; ``code`` is what a refusal had. Only Meta gives its answers an id.

    ``leaves_out``: is it of a sender that sends what the intake leaves out?
    """
    fate = Fate(
        event.fate or "",
        _OUTCOMES.get(event.fate, Outcome.DROPPED),
        event.detail,
        code if event.fate == "failed" else "",
        trace_id_of(event) if is_metas and event.fate in _OUTCOMES else "",
    )
    row = OutboxRecord(0, event.at, 0, True, "", 1, b"", event.road, changes_of(event) if leaves_out else None)
    return Event(row, 0, event.name, event_id_of(event), int(event.at.timestamp()), event.website, fate)


def _dead_letter(pixel: Pixel, event: Passed) -> DeadLetter:
    """An order with a currency that Meta does not know; a replay shows the same answer again."""
    sent = sent_event(event)
    sent["custom_data"]["currency"] = "Euro"
    return DeadLetter(
        pixel=pixel,
        event_name=event.name,
        event_id=event_id_of(event),
        website=event.website,
        event=orjson.dumps(sent),
        road=event.road,
        code=DEAD_LETTER_CODE,
        message=event.detail,
        trace_id=trace_id_of(event),
        received_at=event.at,
        failed_at=event.at,
    )


def _waiting(pixel: Pixel, event: Passed) -> OutboxRow:
    body = orjson.dumps([sent_event(event)])
    return OutboxRow(pixel=pixel, received_at=event.at, counted=True, event_count=1, body=body, road=event.road)


def sent_event(event: Passed) -> dict[str, Any]:
    """The event as its sender would have sent it."""
    sent: dict[str, Any] = {
        "event_name": event.name,
        "event_time": int(event.at.astimezone(UTC).timestamp()),
        "event_id": event_id_of(event),
        "action_source": "website" if event.website else "physical_store",
        "user_data": {"external_id": [_digest(event)], "client_user_agent": "Demo"},
    }
    if event.website:
        sent["event_source_url"] = f"https://{event.website}/"
    if event.name == "Purchase":
        sent["custom_data"] = {"value": 89.9, "currency": "EUR"}
    return sent


def event_id_of(event: Passed) -> str:
    """Its id. Where the roads share no ids, the pixel makes one up, and the server counts orders."""
    if event.shares_id:
        return f"demo-{_digest(event)[:16]}"
    return f"ob3_plugin-set_{_digest(event)}" if event.road is Road.BROWSER else f"order-{_digest(event)[:8]}"


def trace_id_of(event: Passed) -> str:
    """Each request to Meta has one of its own."""
    return f"{'AB'[event.road]}{_digest(event)[16:38]}"


def _digest(event: Passed) -> str:
    return hashlib.sha256(f"{event.at.isoformat()} {event.name} {event.website}".encode()).hexdigest()

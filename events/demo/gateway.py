"""Writes a gateway source's made-up traffic: to Meta all is well; the warehouse refused an event, and is away now."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import orjson
from django.db.models import Q

from events.delivery.log.writing import Whose, write
from events.demo.left_out import changes_of, write_left_out
from events.demo.records import LOGGED, LOGGED_AT_MOST, event_id_of, sent_event, settled
from events.demo.scenery import SHOP, DemoPipeline, DemoPixel
from events.demo.traffic import DEAD_LETTER_HOURS_AGO, Passed, traffic_of
from events.figures.books import DESTINATIONS, SOURCES
from events.figures.counting import Tally
from events.gateway.lacking import Lack
from events.models import DestinationCursor, DestinationLane, DestinationLetter, Road, SourceLane, SourceRow
from events.retention import FINDINGS_KEPT
from filters.matching import FilterSet, Kind
from filters.reads import rules_of
from pipelines.models import Destination, DestinationType, Source

#: Since when the warehouse does not answer, and when it is tried next.
AWAY_MINUTES, NEXT_MINUTES = 20, 8
REFUSED_CODE, REFUSED_WORDS = "422", 'HTTP 422: {"error": "value: must be a number"}'
AWAY_WORDS = "No connection: the name is unknown, nobody is there, or the certificate is not valid."


def write_source_traffic(source: Source, demo: DemoPipeline, now: datetime) -> int:
    """Write figures, the delivery log, a dead letter and what waits; the number of events."""
    came = _came(source, demo, now)
    tally = Tally(SOURCES)
    _count_ids(tally, came)
    for number, event in enumerate(came):
        tally.add(event.at, event.name, event.website, "received", road=event.road)
        for lack in _lacks(number, event.name):
            tally.add(event.at, event.name, event.website, lack.value, road=event.road)
    tally.write(source.pk)
    write_left_out(source.pk, [event for event in came if event.at > now - FINDINGS_KEPT], is_source=True)
    away_since = now - timedelta(minutes=AWAY_MINUTES)
    _write_rows(source, [event for event in came if event.at >= away_since])
    for destination in Destination.objects.filter(pipeline_links__pipeline__source_links__source=source):
        if destination.type == DestinationType.META_CONVERSIONS_API:
            _write_fates(source, destination, came)
            DestinationCursor.objects.filter(source=source, destination=destination).update(place=_placed(source))
        else:
            _write_warehouse(source, destination, demo, [event for event in came if event.at < away_since], now)
    return len(came)


def _came(source: Source, demo: DemoPipeline, now: datetime) -> list[Passed]:
    """What visitors' browsers sent, and the shop's server; the last is an order, so that one waits at any hour."""
    rules = [rule for kind in Kind for rule in rules_of(source.tenant_id, kind, Q(pixel=None))]
    as_pixel = DemoPixel(demo.source_id, demo.website, demo.events_a_day, SHOP, {demo.website: 1})
    passed = traffic_of(as_pixel, FilterSet.of(rules, ()), now)
    order = Passed(now - timedelta(minutes=5), "Purchase", demo.website, "published", road=Road.BROWSER)
    return [*(event for event in passed if event.at < order.at), order]


def _count_ids(tally: Tally, came: Iterable[Passed]) -> None:
    """How many ids came on either road, and on both."""
    ids: set[tuple[str, str]] = set()
    for event in came:
        one = event.name, event_id_of(event)
        for column in ("ids_seen", "ids_on_both")[: 1 + (one in ids)]:
            tally.add(event.at, event.name, None, column, road=event.road)
        ids.add(one)


def _lacks(number: int, name: str) -> Iterator[Lack]:
    """Few visitors have said who they are before they order, and some browsers keep no cookie."""
    if name != "Purchase" and number % 5:
        yield Lack.CONTACT
    if number % 12 == 0:
        yield Lack.BROWSER_ID


def _write_warehouse(
    source: Source, destination: Destination, demo: DemoPipeline, came: list[Passed], now: datetime
) -> None:
    """What it got before it went away, past its filter; and the event that it refused."""
    fates = [
        replace(event, fate="dropped_by_event_filter", detail=f"Destination's filter for {event.name}")
        if event.fate == "published" and event.name in demo.kept_from_warehouse
        else event
        for event in came
    ]
    before = now - timedelta(hours=DEAD_LETTER_HOURS_AGO)
    index = max(n for n, event in enumerate(fates) if event.fate == "published" and event.at < before)
    refused = fates[index] = replace(fates[index], name="Purchase", fate="failed", detail=REFUSED_WORDS)
    _write_fates(source, destination, fates)
    sent = sent_event(refused)
    sent["custom_data"]["value"] = "89,90"
    DestinationLetter.objects.create(
        destination=destination,
        source=source,
        event_name=refused.name,
        event_id=event_id_of(refused),
        website=refused.website,
        event=orjson.dumps(sent),
        road=refused.road,
        code=REFUSED_CODE,
        message=REFUSED_WORDS,
        received_at=refused.at,
        failed_at=refused.at,
    )
    waits = {"failures": 4, "retry_at": now + timedelta(minutes=NEXT_MINUTES), "message": AWAY_WORDS}
    DestinationLane.objects.update_or_create(destination=destination, defaults=waits)


def _write_fates(source: Source, destination: Destination, events: list[Passed]) -> None:
    tally = Tally(DESTINATIONS)
    for event in events:
        for column in ("received", event.fate):
            tally.add(event.at, event.name, event.website, column, road=event.road)
    tally.write(destination.pk)
    published = [event.at for event in events if event.fate == "published"]
    if published:
        DestinationLane.objects.update_or_create(destination=destination, defaults={"last_published": published[-1]})
    whose = Whose(destination.tenant_id, source=source.pk, destination=destination.pk)
    logged = [event for event in events if event.at > events[-1].at - LOGGED][-LOGGED_AT_MOST:]
    is_metas = destination.type == DestinationType.META_CONVERSIONS_API
    for event in logged:
        # At a moment of its own: an event's lines of two destinations would have one id.
        at = event.at + timedelta(seconds=1, microseconds=destination.pk)
        write(whose, [settled(event, REFUSED_CODE, is_metas=is_metas, leaves_out=True)], at)


def _write_rows(source: Source, waiting: Iterable[Passed]) -> None:
    """The requests that the warehouse has still to get; each has its place."""
    rows = [
        SourceRow(
            source=source,
            place=place,
            received_at=event.at,
            event_count=1,
            body=orjson.dumps([sent_event(event)]),
            road=event.road,
            changes=changes_of(event),
        )
        for place, event in enumerate(waiting, 1)
    ]
    SourceRow.objects.bulk_create(rows)
    SourceLane.objects.update_or_create(source=source, defaults={"placed": len(rows)})


def _placed(source: Source) -> int:
    return SourceLane.objects.get(source=source).placed

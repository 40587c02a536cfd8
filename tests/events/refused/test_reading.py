"""How much was refused: in the last 24 hours, and as a share of an hour's events."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from events import pruning
from events.models import (
    Counter,
    Finding,
    RefusedRequest,
    SourceCounter,
    SourceFinding,
    SourceRefusedRequest,
)
from events.refused.reading import read_refused, read_refused_of, refused_shares, refused_shares_of_sources
from pixels.models import Pixel
from tests.base import Cast
from tests.events.gateway.stage import source_of
from tests.events.refused.stage import NOT_LET_IN, REFUSED
from tests.factories import PixelFactory

pytestmark = pytest.mark.django_db

HOUR = datetime(2026, 3, 2, 14, tzinfo=UTC)


def found(pixel: Pixel, n: int = 1, events: int = 1, **changes: object) -> None:
    told = {"hour": HOUR, "kind": REFUSED, "field": "event_time", "reason": "time_too_old"} | changes
    Finding.objects.create(pixel=pixel, count=n, events=events, **told)


def received(pixel: Pixel, n: int) -> None:
    for span, hour in (
        (Counter.Span.HOUR, HOUR),
        (Counter.Span.DAY, HOUR),
        (Counter.Span.HOUR, HOUR - timedelta(hours=1)),
    ):
        Counter.objects.create(pixel=pixel, span=span, dimension=0, start=hour, received=n)


def test_the_share_is_of_events_and_of_the_hour() -> None:
    pixel, healthy, silent = (PixelFactory.create() for _ in range(3))
    found(pixel, 3, 20)
    found(pixel, 1, 10, road="browser")
    found(pixel, 9, 90, hour=HOUR - timedelta(hours=1))
    received(pixel, 70)
    received(healthy, 70)
    found(silent, 2, 2)

    with CaptureQueriesContext(connection) as captured:
        shares = refused_shares(HOUR + timedelta(minutes=59))
    assert len(captured) == 2
    assert {pk: (one.refused, one.received, one.share) for pk, one in shares.items()} == {
        pixel.pk: (30, 70, 0.3),
        silent.pk: (2, 0, 1.0),
    }
    assert refused_shares(HOUR, [silent.pk]).keys() == {silent.pk}
    assert refused_shares(HOUR + timedelta(hours=1)) == {}


def test_what_was_not_let_in_or_comes_again_is_no_part_of_it() -> None:
    pixel = PixelFactory.create()
    found(pixel, 100, 100, kind=NOT_LET_IN)
    found(pixel, 100, 100, reason="rate_limit")
    found(pixel, 100, 0, kind=Finding.Kind.LEFT_OUT)

    assert refused_shares(HOUR) == {}


def test_sources_have_a_share_too() -> None:
    source = source_of()
    SourceFinding.objects.create(
        source=source, hour=HOUR, kind=REFUSED, field="event", reason="no_object", count=1, events=1
    )
    SourceCounter.objects.create(source=source, span=1, dimension=0, start=HOUR, received=3)

    assert refused_shares_of_sources(HOUR)[source.pk].share == 0.25


def test_a_day_is_added_up_the_most_frequent_first_and_strangers_last(cast: Cast) -> None:
    pixel = PixelFactory.create(tenant=cast.shoes)
    other = PixelFactory.create(tenant=cast.books)
    found(pixel, 2, 2, field="event_name", reason="length")
    found(pixel, 3, 30)
    found(pixel, 4, 40, road="browser", hour=HOUR - timedelta(hours=1))
    found(pixel, 99, 99, hour=HOUR - timedelta(hours=25))
    found(pixel, 50, 50, kind=NOT_LET_IN, field="accessKey", reason="key_wrong")
    found(other, 9)

    assert [(one.field, one.is_let_in, one.requests, one.browser, one.events) for one in read_refused(pixel, HOUR)] == [
        ("event_time", True, 7, 4, 70),
        ("event_name", True, 2, 0, 2),
        ("accessKey", False, 50, 0, 50),
    ]
    assert [(one.owner, one.requests) for one in read_refused_of(cast.shoes, HOUR)] == [(pixel, 9)]


def test_all_of_it_is_kept_for_a_week_and_goes_with_its_pixel_or_source() -> None:
    pixel, source, now = PixelFactory.create(), source_of(), HOUR
    told = {"field": "event", "reason": "no_object", "event_count": 1, "origin": 1}
    for days in (0, 6, 8):
        at = now - timedelta(days=days)
        RefusedRequest.objects.create(pixel=pixel, at=at, **told)
        SourceRefusedRequest.objects.create(source=source, at=at, **told)
        SourceFinding.objects.create(source=source, hour=at, kind=REFUSED, field="event", reason="no_object", count=1)
    # Of a pixel that a process of the last release deleted.
    RefusedRequest.objects.create(pixel_id=pixel.pk + 1, at=now - timedelta(days=8), **told)

    pruning.prune(now)
    tables = (RefusedRequest, SourceRefusedRequest, SourceFinding)
    assert [table.objects.count() for table in tables] == [2, 2, 2]
    pixel.delete()
    source.delete()
    assert not any(table.objects.exists() for table in tables)

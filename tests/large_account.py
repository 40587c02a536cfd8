"""A large account to look at: 500 pixels, each with a year of counters; of hours and minutes what pages can reach.

One pixel's counters are written, and copied to the others by the database.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import NamedTuple

from django.db import connection
from django.utils import timezone

from accounts.models import Tenant
from events.figures.windows import LENGTHS, floor
from events.models import Counter, DestinationCursor, DestinationRow, Lane, SeenLabel, SourceRow
from pixels.models import Pixel
from tests.factories import (
    WAITING_ID,
    DeadLetterFactory,
    DeliveryFactory,
    DestinationLetterFactory,
    DomainFilterFactory,
    EventFilterFactory,
    MembershipFactory,
    OutboxRowFactory,
    PipelineDestinationFactory,
    PipelineFactory,
    PipelineSourceFactory,
    PixelFactory,
    waiting_body,
)

PIXELS = 500
#: Names and websites that the account has filters for; and of these, how many each pixel has seen.
NAMES = 60
NAMES_A_PIXEL = 8
#: Of what pages list one by one, on the pixel that is looked at.
ENTRIES = 60
#: Pipelines from a source to a destination, each with events that wait.
PIPELINES = 12

Span, Dimension = Counter.Span, Counter.Dimension


class Size(NamedTuple):
    """How many rows each pixel has: of its total, and of each of its names and websites, by span."""

    totals: dict[Counter.Span, int]
    labels: dict[Counter.Span, int]


#: Of pixels that are never still, all that pages read: charts reach back over a month by day and a week by hour;
#: minutes stand at the ends of a time.
WHOLE = Size({Span.DAY: 366, Span.HOUR: 8 * 24, Span.MINUTE: 25 * 60}, {Span.DAY: 31, Span.HOUR: 48, Span.MINUTE: 120})
#: Enough to count queries.
SMALL = Size({Span.DAY: 366, Span.HOUR: 25}, {Span.DAY: 1, Span.HOUR: 1})


def fill(tenant: Tenant, size: Size) -> Pixel:
    """Make the account large; the pixel to look at."""
    pixels = PixelFactory.create_batch(PIXELS, tenant=tenant)
    pixel = pixels[0]
    Counter.objects.bulk_create(_counters(pixel, size), batch_size=2_000)
    today = timezone.now().date()
    SeenLabel.objects.bulk_create(
        SeenLabel(pixel=pixel, dimension=dimension, label=label, last_seen=today)
        for dimension, label in _labels(NAMES_A_PIXEL)
    )
    for model in (Counter, SeenLabel):
        _copy_to_others(model, pixel)
    Lane.objects.bulk_create(Lane(pixel=each) for each in pixels)
    DeliveryFactory.create_batch(ENTRIES, pixel=pixel)
    DeadLetterFactory.create_batch(ENTRIES, pixel=pixel)
    OutboxRowFactory.create_batch(ENTRIES, pixel=pixel)
    for number in range(NAMES):
        EventFilterFactory.create(pixel=pixels[number], event_name=f"Event {number}")
        DomainFilterFactory.create(tenant=tenant, domain=f"shop-{number}.example.com")
    MembershipFactory.create_batch(ENTRIES, tenant=tenant)
    DeadLetterFactory.create(pixel=pixel, event_id=WAITING_ID)
    DeliveryFactory.create(pixel=pixel, event_id=WAITING_ID)
    for other in pixels[1:PIPELINES]:
        OutboxRowFactory.create(pixel=other)
    for _ in range(PIPELINES):
        _add_pipeline(tenant)
    return pixel


def _add_pipeline(tenant: Tenant) -> None:
    """Add a pipeline with events that wait: not taken in yet, behind its destination's cursor, and apart."""
    pipeline = PipelineFactory.create(tenant=tenant)
    source = PipelineSourceFactory.create(pipeline=pipeline).source
    destination = PipelineDestinationFactory.create(pipeline=pipeline).destination
    DestinationCursor.objects.update_or_create(destination=destination, source=source, defaults={"place": 0})
    now = timezone.now()
    request = {"received_at": now, "event_count": 1, "body": waiting_body(now)}
    SourceRow.objects.create(source=source, place=1, **request)
    SourceRow.objects.create(source=source, **request)
    DestinationRow.objects.create(destination=destination, source=source, **request)
    DestinationLetterFactory.create(destination=destination, source=source, event_id=WAITING_ID)
    DeliveryFactory.create(source=source, destination=destination, event_id=WAITING_ID)


def _labels(count: int) -> list[tuple[Counter.Dimension, str]]:
    names = [(Dimension.EVENT_NAME, f"Event {number}") for number in range(count)]
    return names + [(Dimension.WEBSITE, f"shop-{number}.example.com") for number in range(count)]


def _counters(pixel: Pixel, size: Size) -> Iterator[Counter]:
    now = timezone.now()
    chance = random.Random(1)
    for labels, points in (([(Dimension.TOTAL, "")], size.totals), (_labels(NAMES_A_PIXEL), size.labels)):
        for dimension, label in labels:
            for span, count in points.items():
                for point in range(count):
                    yield Counter(
                        pixel=pixel,
                        span=span,
                        dimension=dimension,
                        label=label,
                        start=floor(now, span) - point * LENGTHS[span],
                        received=chance.randint(1, 500),
                        published=chance.randint(1, 500),
                    )


def _copy_to_others(model: type[Counter] | type[SeenLabel], pixel: Pixel) -> None:
    columns = ", ".join(
        each.column for each in model._meta.concrete_fields if each.column not in (None, "id", "pixel_id")
    )
    table = model._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            INSERT INTO {table} (pixel_id, {columns})
            SELECT other.id, {columns} FROM pixels_pixel AS other CROSS JOIN {table} AS own
            WHERE own.pixel_id = %s AND other.tenant_id = %s AND other.id <> %s
            """,  # noqa: S608  # constants
            (pixel.pk, pixel.tenant_id, pixel.pk),
        )

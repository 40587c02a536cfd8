"""No page of a large account asks the database more than twelve times: 500 pixels, a year of counters, 60 names."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Tenant
from events.models import Counter, Lane, SeenLabel
from events.windows import LENGTHS, floor
from pixels.models import Pixel
from tests.addresses import address
from tests.base import Cast, login
from tests.factories import (
    DeadLetterFactory,
    DeliveryFactory,
    DomainFilterFactory,
    EventFilterFactory,
    MembershipFactory,
    PixelFactory,
)
from tests.permissions.test_pages import PAGES

BUDGET = 12
PIXELS = 500
NAMES = 60
#: The days of a year, and of each span that which a page may draw.
POINTS = {Counter.Span.DAY: 366, Counter.Span.HOUR: 24 * 7, Counter.Span.MINUTE: 60}
#: Pixels with traffic of the whole year and every name; the others have a day's.
BUSY = 5

SHOWN = [page.name for page in PAGES if page.rights["GET"]]


def fill(tenant: Tenant) -> Pixel:
    """Make the account large; its busiest pixel."""
    pixels = PixelFactory.create_batch(PIXELS, tenant=tenant)
    rows = [row for pixel in pixels[:BUSY] for row in _counters(pixel)]
    Counter.objects.bulk_create(rows, batch_size=2_000)
    names = [f"Event {number}" for number in range(NAMES)]
    sites = [f"shop-{number}.example.com" for number in range(NAMES)]
    today = timezone.now().date()
    SeenLabel.objects.bulk_create(
        SeenLabel(pixel=pixel, dimension=dimension, label=label, last_seen=today)
        for pixel in pixels[:BUSY]
        for dimension, labels in ((Counter.Dimension.EVENT_NAME, names), (Counter.Dimension.WEBSITE, sites))
        for label in labels
    )
    Lane.objects.bulk_create(Lane(pixel=pixel) for pixel in pixels)
    DeliveryFactory.create_batch(60, pixel=pixels[0])
    DeadLetterFactory.create_batch(60, pixel=pixels[0])
    for number in range(NAMES):
        EventFilterFactory.create(pixel=pixels[number], event_name=names[number])
        DomainFilterFactory.create(tenant=tenant, domain=sites[number])
    MembershipFactory.create_batch(60, tenant=tenant)
    return pixels[0]


def _counters(pixel: Pixel) -> list[Counter]:
    now = timezone.now()
    chance = random.Random(pixel.pk)
    rows = []
    for span, points in POINTS.items():
        start = floor(now, span)
        for point in range(points):
            labels = [(Counter.Dimension.TOTAL, "")]
            if point < 2:
                labels += [(Counter.Dimension.EVENT_NAME, f"Event {n}") for n in range(NAMES)]
                labels += [(Counter.Dimension.WEBSITE, f"shop-{n}.example.com") for n in range(NAMES)]
            rows += [
                Counter(
                    pixel=pixel,
                    span=span,
                    dimension=dimension,
                    label=label,
                    start=start - point * LENGTHS[span],
                    received=chance.randint(1, 500),
                    published=chance.randint(1, 500),
                )
                for dimension, label in labels
            ]
    return rows


@pytest.fixture
def host(cast: Cast) -> Client:
    return login(cast.hanna)


def test_every_page_keeps_to_its_budget(cast: Cast, host: Client, subtests: pytest.Subtests) -> None:
    pixel = fill(cast.shoes)
    people = (cast.vic.pk, cast.vera.pk)
    for name in SHOWN:
        with subtests.test(name):
            path = address(name, pixel, *people)
            with CaptureQueriesContext(connection) as captured:
                answer = host.get(path)
            assert answer.status_code in (200, 302)  # the latter where a form is part of another page
            assert len(captured) <= BUDGET, "\n".join(query["sql"][:300] for query in captured.captured_queries)


def test_a_year_is_a_year() -> None:
    assert LENGTHS[Counter.Span.DAY] * POINTS[Counter.Span.DAY] > timedelta(days=365)

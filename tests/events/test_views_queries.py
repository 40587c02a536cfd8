"""An account's pages ask the database at most 12 times, however many pixels, names and filters there are."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.cache import caches
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.principals import OPERATOR
from events.figures.counting import Tally
from filters.models import EventFilter
from pixels.imports import start_import
from pixels.models import Pixel
from tests.base import Cast, login
from tests.factories import DeadLetterFactory, DeliveryFactory, DomainFilterFactory, OutboxRowFactory, PixelFactory
from tests.pages import address

PIXELS = 500
MOST = 12


@pytest.fixture
def pixel(cast: Cast) -> Pixel:
    """The account's first pixel, which has something of everything; the others have filters and counters."""
    template = PixelFactory.build(tenant=cast.shoes)
    Pixel.objects.bulk_create(
        Pixel(
            tenant=cast.shoes,
            pixel_id=str(7_000_000 + n),
            business_id="1",
            api_version="v24.0",
            access_token=template.access_token,
            bad_token=n % 50 == 0,
            last_received=timezone.now(),
        )
        for n in range(PIXELS)
    )
    pixels = list(Pixel.objects.order_by("pixel_id"))
    EventFilter.objects.bulk_create(
        EventFilter(tenant=cast.shoes, pixel=pixel, event_name=f"Event{n % 40}", state="DROP")
        for n, pixel in enumerate(pixels)
    )
    for n, pixel in enumerate(pixels[:20]):
        tally = Tally()
        for name in range(30):
            moment = timezone.now() - timedelta(hours=n)
            tally.add(moment, f"Event{name}", f"shop{name}.example.com", "received", 5)
        tally.write(pixel.pk)
    first = pixels[0]
    DeliveryFactory.create_batch(60, pixel=first)
    DeadLetterFactory.create_batch(60, pixel=first)
    OutboxRowFactory.create_batch(5, pixel=first)
    DomainFilterFactory.create_batch(30, tenant=cast.shoes)
    return first


def test_no_page_asks_more_often_than_that(cast: Cast, pixel: Pixel, subtests: pytest.Subtests) -> None:
    batch = start_import(
        principal=OPERATOR, tenant_id=cast.shoes.pk, content=b"pixel_id,business_id,access_token\n1,1,t\n"
    )
    pages = [
        address("account_overview", cast.shoes),
        address("account_overview", cast.shoes, period="30d", page=7),
        address("pixels:list", cast.shoes),
        address("pixels:list", cast.shoes, search="7", state="token-rejected"),
        address("pixels:connect", cast.shoes),
        address("pixels:import", cast.shoes),
        address("pixels:import_show", cast.shoes, batch.pk),
        *(
            address(f"pixels:{name}", cast.shoes, pixel.pixel_id)
            for name in ("detail", "token", "deliveries", "dead_letters", "sending", "remove")
        ),
        address("filters:events", cast.shoes),
        address("filters:websites", cast.shoes),
        address("filters:event", cast.shoes, name="Event1"),
        address("filters:website", cast.shoes, name="shop1.example.com"),
    ]
    client = login(cast.max)
    for page in pages:
        caches["pages"].clear()
        with subtests.test(page):
            with CaptureQueriesContext(connection) as captured:
                assert client.get(page).status_code == 200
            statements = [query["sql"] for query in captured.captured_queries]
            assert len(statements) <= MOST, "\n".join(statements)


def test_while_the_page_is_open_the_counters_of_many_pixels_are_added_up_once(cast: Cast, pixel: Pixel) -> None:
    caches["pages"].clear()
    client = login(cast.max)
    path = address("account_overview", cast.shoes)
    client.get(path)
    with CaptureQueriesContext(connection) as captured:
        client.get(path, headers={"HX-Request": "true"})
    counted = [query["sql"] for query in captured.captured_queries if 'FROM "events_counter"' in query["sql"]]
    assert sum("GROUP BY" in sql for sql in counted) == 1  # of the pixels that are shown

"""What is billed of gateway sources: each event once as received, and as published once by each destination."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import UsageSnapshot
from accounts.principals import OPERATOR
from accounts.services.tenants import delete_tenant
from events.delivery.destinations.answers import Refused
from events.figures.usage import read_daily_usage, refresh_usage
from events.models import DisconnectedUsage, Road
from pipelines.models import Destination, Source
from tests.base import tenant
from tests.events.gateway.conftest import Receivers, answering
from tests.events.gateway.stage import pipeline, purchases, put, run, source_of
from tests.events.outbox import put as put_for_pixel
from tests.factories import PixelFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def sent(in_one_minute: None, receivers: Receivers) -> tuple[Source, list[Destination]]:
    """Five events to two destinations, of which one refuses all; two of them from browsers."""
    source = source_of(tenant("Shoes"))
    _, destinations = pipeline(source, destinations=2)
    receivers[destinations[1].settings["name"]] = answering(lambda batch: Refused("422", "No"))
    put(source, *purchases(3))
    put(source, *purchases(2), road=Road.BROWSER)
    run(source)
    return source, destinations


def days() -> list[tuple[int, int, int, int]]:
    today = timezone.now().date()
    found = read_daily_usage(OPERATOR, today - timedelta(days=1), today)
    return [(day.received, day.published, day.browser_received, day.browser_published) for day in found]


def test_an_account_is_told_what_its_sources_received_and_destinations_published(
    sent: tuple[Source, list[Destination]],
) -> None:
    assert days() == [(5, 5, 2, 2)]


def test_pixels_and_sources_are_added_up(sent: tuple[Source, list[Destination]]) -> None:
    from events.delivery.publishing import drain

    source, _ = sent
    pixel = PixelFactory.create(tenant=source.tenant, publishing_enabled=False)
    put_for_pixel(pixel, *purchases(4))
    drain(pixel.pk)

    assert days() == [(9, 5, 2, 2)]
    refresh_usage()
    snapshot = UsageSnapshot.objects.get()
    assert (snapshot.total_events_received, snapshot.total_events_published, snapshot.total_events_failed) == (9, 5, 5)
    assert snapshot.total_pixels_with_traffic == 1
    assert snapshot.publish_error


def test_what_was_counted_is_billed_when_its_source_and_destinations_are_gone(
    sent: tuple[Source, list[Destination]],
) -> None:
    source, destinations = sent
    source.delete()
    for destination in destinations:
        destination.delete()

    assert days() == [(5, 5, 2, 2)]
    delete_tenant(principal=OPERATOR, tenant_id=source.tenant_id)
    assert not DisconnectedUsage.objects.exists()

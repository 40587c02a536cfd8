"""The staff's first page tells how the instance is doing."""

from __future__ import annotations

from datetime import timedelta

from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from accounts.models import TenantStatus
from accounts.principals import principal_of_user
from events import dashboard
from events.dashboard import read_dashboard
from events.figures.books import DESTINATIONS
from events.figures.counting import Tally
from events.figures.roads import Counts
from events.gateway.taking_in import take_in
from events.models import DeadLetter, Lane, OutboxRow, Road
from pixels.models import Pixel
from tests.base import Cast, login, tenant
from tests.events.gateway.stage import pipeline, purchase, put, source_of
from tests.factories import DestinationLetterFactory, PixelFactory


def fill(pixel: Pixel, *, failures: int = 0, bad_token: bool = False) -> None:
    """A minute's traffic, a request that waits, an event that was refused."""
    now = timezone.now()
    tally = Tally()
    tally.add(now, "Purchase", "", "received", 7)
    tally.add(now, "Purchase", "", "published", 5)
    tally.add(now, "Purchase", "", "received", 2, road=Road.BROWSER)
    tally.add(now, "Purchase", "", "published", 1, road=Road.BROWSER)
    tally.write(pixel.pk)
    OutboxRow.objects.create(pixel=pixel, received_at=now - timedelta(hours=3), event_count=2, body=b"[]")
    DeadLetter.objects.create(
        pixel=pixel, event_name="Purchase", event_id="1", event=b"{}", code="100", message="no", received_at=now,
        failed_at=now,
    )  # fmt: skip
    Lane.objects.update_or_create(pixel=pixel, defaults={"failures": failures})
    Pixel.objects.filter(pk=pixel.pk).update(bad_token=bad_token, api_error_code="190" if bad_token else None)


def test_the_figures(cast: Cast) -> None:
    tenant("New", status=TenantStatus.PENDING)
    failing, fine = PixelFactory.create_batch(2, tenant=cast.shoes)
    fill(failing, failures=3, bad_token=True)
    fill(fine)

    shown = read_dashboard(principal_of_user(cast.hanna))

    assert [(status.label, status.accounts) for status in shown.statuses] == [
        ("Active", 3), ("Setup in progress", 1), ("Deactivated", 0),
    ]  # fmt: skip
    assert shown.passed.together == Counts(received=18, published=12)
    assert shown.passed.browser == Counts(received=4, published=2)
    assert (shown.waiting_requests, shown.dead_letters) == (2, 2)
    assert shown.oldest_waiting is not None
    assert timezone.now() - shown.oldest_waiting > timedelta(hours=2)
    assert [(pixel.pk, pixel.failures, pixel.state) for pixel in shown.failing] == [(failing.pk, 3, "token-rejected")]
    assert "Events Manager" in shown.failing[0].explanation


def test_the_failing_pixels_are_those_of_the_lists(cast: Cast) -> None:
    """Refused by Meta though no attempt is to be repeated; without an answer; and, before both, a rejected token."""
    refused, silent, rejected, _fine = PixelFactory.create_batch(4, tenant=cast.shoes)
    Pixel.objects.filter(pk=refused.pk).update(api_error_code="100")
    Lane.objects.create(pixel=silent, failures=2, silence="ReadTimeout")
    Pixel.objects.filter(pk=rejected.pk).update(bad_token=True)

    shown = read_dashboard(principal_of_user(cast.hanna)).failing

    assert [(pixel.pk, pixel.state, pixel.failures) for pixel in shown] == [
        (rejected.pk, "token-rejected", 0), (silent.pk, "publishing-fails", 2), (refused.pk, "publishing-fails", 0),
    ]  # fmt: skip


def test_pixels_of_closed_accounts_are_not_named(cast: Cast) -> None:
    fill(PixelFactory.create(tenant=cast.books), failures=3, bad_token=True)

    shown = read_dashboard(principal_of_user(cast.hanna))

    assert shown.failing == []
    assert shown.passed.together.received == 9


def test_sources_and_destinations_are_told_beside_pixels(cast: Cast) -> None:
    source = source_of(cast.shoes)
    pipeline(source, destinations=1)
    put(source, purchase(), purchase(), road=Road.BROWSER)
    take_in(source.pk)
    destination = DestinationLetterFactory.create(destination__tenant=cast.shoes).destination
    tally = Tally(DESTINATIONS)
    for fate, n in (("received", 5), ("published", 4), ("failed", 1)):
        tally.add(timezone.now(), "Lead", None, fate, n)
    tally.write(destination.pk)

    told = read_dashboard(principal_of_user(cast.hanna))

    assert told.passed.together == Counts()
    assert (told.gateway.received.together.received, told.gateway.received.browser.received) == (2, 2)
    assert told.gateway.fates.together == Counts(received=5, published=4, failed=1)
    assert (told.gateway.waiting_requests, told.gateway.dead_letters) == (1, 1)
    page = login(cast.hanna).get("/admin/").content.decode()
    assert "Received at data sources, last 24 hours" in page


def test_counting_ends_somewhere(cast: Cast) -> None:
    pixel = PixelFactory.create(tenant=cast.shoes)
    now = timezone.now()
    OutboxRow.objects.bulk_create(
        OutboxRow(pixel=pixel, received_at=now, event_count=1, body=b"[]") for _ in range(dashboard.COUNTED + 5)
    )

    assert read_dashboard(principal_of_user(cast.hanna)).waiting_requests == dashboard.COUNTED


def test_the_page(cast: Cast) -> None:
    pixel = PixelFactory.create(tenant=cast.shoes)
    fill(pixel, failures=3, bad_token=True)
    staff = login(cast.hanna)

    with CaptureQueriesContext(connection) as captured:
        page = staff.get("/admin/").content.decode()

    assert len(captured) <= 12, [each["sql"][:90] for each in captured]
    assert pixel.pixel_id in page
    assert "Token rejected" in page
    assert all(words in page for words in ("Browser 2", "Server 7", "Browser 1", "Server 5"))
    assert pixel.access_key not in page


def test_what_is_wrong_is_told_in_the_readers_language(cast: Cast) -> None:
    PixelFactory.create(tenant=cast.shoes, api_error_code="4")

    page = login(cast.hanna).get("/admin/", headers={"Accept-Language": "es"}).content.decode()

    assert "La publicación falla (4): Meta limita" in page
    assert "Meta limits the rate" not in page


def test_the_delivery_log_is_shown_with_what_it_takes_and_may_take(cast: Cast, settings: Settings) -> None:
    settings.DELIVERY_LOG_MAX_BYTES = 5 * 1024**3
    settings.DELIVERY_LOG_DAYS = 7
    assert "of 5.0\xa0GB at the most" in login(cast.hanna).get("/admin/").content.decode()

    settings.DELIVERY_LOG_DAYS = 0
    assert "DELIVERY_LOG_DAYS=0" in login(cast.hanna).get("/admin/").content.decode()


def test_an_idle_instance(cast: Cast) -> None:
    page = login(cast.hanna).get("/admin/").content.decode()

    assert "Browser 0" in page
    assert "nothing waits" in page
    assert "Every pixel publishes." in page

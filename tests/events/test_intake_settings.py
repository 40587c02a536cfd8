"""What the intake remembers of pixels: a change is seen at once, and no forgotten one comes back."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from cachetools import TTLCache
from django.db import connection, transaction
from pytest_django import DjangoAssertNumQueries, Settings

from accounts.principals import Principal, principal_of_api_account
from accounts.services.tenants import delete_tenant, update_tenant
from events.intake import pixel_settings
from events.intake.pixel_settings import MAX_UNKNOWN, REREAD_INTERVAL, get_pixel_settings
from pixels import services
from pixels.models import Pixel
from tests.base import Cast
from tests.events.sending import purchase, send
from tests.factories import PixelFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def pixel(cast: Cast) -> Pixel:
    """A pixel of Shoes, which the intake knows already."""
    pixel: Pixel = PixelFactory.create(tenant=cast.shoes)
    assert get_pixel_settings(pixel.pixel_id)
    return pixel


def test_a_pixel_is_asked_for_once(pixel: Pixel, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    with django_assert_num_queries(0):
        assert get_pixel_settings(pixel.pixel_id)


def test_an_unknown_pixel_is_asked_for_once(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    with django_assert_num_queries(1):
        assert get_pixel_settings("404") is None
        assert get_pixel_settings("404") is None


def test_what_cannot_be_an_id_is_not_asked_for(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    with django_assert_num_queries(0):
        assert get_pixel_settings("'; DROP") is None


def test_after_a_moment_it_is_asked_for_anew(pixel: Pixel, monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    """As another process has changed it."""
    Pixel.objects.update(require_access_key=True)
    assert send(pixel, purchase()).status == 202

    later = time.monotonic() + settings.PIXEL_SETTINGS_TTL_SECONDS + 0.1
    monkeypatch.setattr("time.monotonic", lambda: later)

    assert send(pixel, purchase()).status == 401


@pytest.mark.parametrize("required", [False, True])
def test_a_new_access_key_is_good_at_once_though_another_process_made_it(pixel: Pixel, required: bool) -> None:
    Pixel.objects.update(access_key="new", require_access_key=required)

    assert send(pixel, purchase(), accessKey="new").status == 202


def test_a_key_that_is_asked_for_no_more_is_not_missed(cast: Cast) -> None:
    pixel: Pixel = PixelFactory.create(tenant=cast.shoes, require_access_key=True)
    assert send(pixel, purchase()).status == 401
    pixel_settings._cache._reread.clear()  # as a second later

    Pixel.objects.update(require_access_key=False)

    assert send(pixel, purchase()).status == 202


def test_who_guesses_keys_costs_a_query_a_second(
    pixel: Pixel, django_assert_num_queries: DjangoAssertNumQueries, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 0.0
    reread = TTLCache[str, bool](10, REREAD_INTERVAL, timer=lambda: now)
    monkeypatch.setattr(pixel_settings._cache, "_reread", reread)
    with django_assert_num_queries(1):
        for number in range(20):
            assert send(pixel, purchase(), accessKey=f"guess {number}").status == 401

    now += 1
    with django_assert_num_queries(1):
        assert send(pixel, purchase(), accessKey="guess").status == 401


def test_a_wrong_key_of_a_pixel_that_another_process_removed_is_not_found(pixel: Pixel) -> None:
    Pixel.objects.all()._raw_delete("default")

    assert send(pixel, purchase(), accessKey="wrong").status == 404


CHANGES: dict[str, Callable[[Principal, Pixel], object]] = {
    "switch": lambda who, pixel: services.set_receiving(
        principal=who, tenant_id=pixel.tenant_id, pixel_id=pixel.pixel_id, status=0
    ),
    "new key": lambda who, pixel: services.regenerate_access_key(
        principal=who, tenant_id=pixel.tenant_id, pixel_id=pixel.pixel_id
    ),
    "key required": lambda who, pixel: services.set_access_key_required(
        principal=who, tenant_id=pixel.tenant_id, pixel_id=pixel.pixel_id, required=True
    ),
    "disconnected": lambda who, pixel: services.disconnect_pixel(
        principal=who, tenant_id=pixel.tenant_id, pixel_id=pixel.pixel_id
    ),
    "account deactivated": lambda who, pixel: update_tenant(principal=who, tenant_id=pixel.tenant_id, status=2),
    "events enhanced": lambda who, pixel: update_tenant(
        principal=who, tenant_id=pixel.tenant_id, event_enrichment=True
    ),
    "account deleted": lambda who, pixel: delete_tenant(principal=who, tenant_id=pixel.tenant_id),
}


@pytest.mark.parametrize("change", CHANGES)
def test_every_change_is_seen_at_once(cast: Cast, pixel: Pixel, change: str) -> None:
    before = get_pixel_settings(pixel.pixel_id)

    CHANGES[change](principal_of_api_account(cast.robot), pixel)

    assert get_pixel_settings(pixel.pixel_id) != before


def test_a_pixel_that_was_unknown_is_known_once_it_is_connected() -> None:
    assert get_pixel_settings("4711") is None

    PixelFactory.create(pixel_id="4711")

    assert get_pixel_settings("4711")


@pytest.mark.django_db(transaction=True)
def test_a_change_is_seen_though_it_was_read_before_its_commit() -> None:
    """Another thread's request reads the pixel while the change is under way."""
    pixel: Pixel = PixelFactory.create()

    def read_in_another_thread() -> None:
        get_pixel_settings(pixel.pixel_id)
        connection.close()

    with transaction.atomic():
        pixel.event_bridge_active = False
        pixel.save(update_fields=["event_bridge_active"])
        reader = threading.Thread(target=read_in_another_thread)
        reader.start()
        reader.join()

    found = get_pixel_settings(pixel.pixel_id)
    assert found is not None
    assert not found.receives


def test_what_was_read_before_a_change_is_not_kept_after_it(pixel: Pixel, monkeypatch: pytest.MonkeyPatch) -> None:
    """The change comes between the query and the moment at which its answer would be kept."""
    pixel_settings.forget_pixel_settings()
    load = pixel_settings._load

    def load_slowly(pixel_id: str) -> pixel_settings.PixelSettings | None:
        found = load(pixel_id)
        Pixel.objects.update(event_bridge_active=False)
        pixel_settings.forget_pixel_settings()
        return found

    with monkeypatch.context() as patched:
        patched.setattr(pixel_settings, "_load", load_slowly)
        get_pixel_settings(pixel.pixel_id)

    found = get_pixel_settings(pixel.pixel_id)
    assert found is not None
    assert not found.receives


def test_unknown_ids_do_not_fill_the_memory() -> None:
    cache = pixel_settings._Cache()
    for number in range(MAX_UNKNOWN + 10):
        cache._put(str(number), None, 1e12, 0)

    assert list(cache._unknown) == [str(number) for number in range(10, MAX_UNKNOWN + 10)]


def test_of_unknown_ids_the_one_asked_for_longest_ago_is_forgotten() -> None:
    cache = pixel_settings._Cache()
    for number in [*range(MAX_UNKNOWN), 0, MAX_UNKNOWN]:
        cache._put(str(number), None, 1e12, 0)

    assert "0" in cache._unknown
    assert "1" not in cache._unknown


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("what", ["pixel", "account"])
def test_events_that_come_while_a_pixel_goes_do_not_keep_it(what: str) -> None:
    """They come when the tables that point to the pixel have been cleared, by a process that does not know of it."""
    pixel: Pixel = PixelFactory.create()
    known = get_pixel_settings(pixel.pixel_id)
    assert known
    statuses: list[int] = []

    def send_events() -> None:
        statuses.append(send(pixel, purchase()).status)
        connection.close()

    def send_meanwhile(execute: Any, sql: str, *args: Any) -> Any:
        if sql.startswith('DELETE FROM "pixels_pixel"'):
            pixel_settings._cache._known[pixel.pixel_id] = time.monotonic() + 60, known
            sender.start()
            sender.join(1)
        return execute(sql, *args)

    sender = threading.Thread(target=send_events)
    with transaction.atomic(), connection.execute_wrapper(send_meanwhile):
        (pixel if what == "pixel" else pixel.tenant).delete()
    sender.join()

    assert statuses == [404]
    assert not Pixel.objects.exists()

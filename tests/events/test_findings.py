"""What is left out of events is counted in the background, shown on the pixel's page, and forgotten in time."""

from __future__ import annotations

import threading
from datetime import timedelta
from unittest.mock import patch

import pytest
from django.conf import settings
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from events import findings, owners, pruning
from events.findings import Cell, Findings, read_left_out
from events.intake.left_out import LeftOut, Reason
from events.intake.pixel_settings import PixelSettings, get_pixel_settings
from events.models import Finding, Road, SourceFinding
from pipelines.models import Source
from pixels.models import Pixel
from tests.base import Cast, login
from tests.events.browser_posting import post as post_as_browser
from tests.events.gateway.stage import source_of
from tests.events.sending import purchase, send
from tests.factories import PixelFactory
from tests.pages import address

FBP = LeftOut("user_data.fbp", Reason.NO_BROWSER_ID)


def rows(pixel: Pixel) -> list[tuple[str, str, int]]:
    return list(Finding.objects.filter(pixel=pixel).order_by("field").values_list("field", "reason", "count"))


def settings_of(pixel_id: str) -> PixelSettings:
    found = get_pixel_settings(pixel_id)
    assert found is not None
    return found


def numbered(pk: int, *, is_source: bool = False) -> PixelSettings:
    """A pixel or source that is in no database."""
    return PixelSettings(pk, str(pk), "", True, False, "", False, False, [], is_source)


@pytest.mark.django_db
def test_what_is_left_out_is_counted_by_field_and_reason() -> None:
    pixel: Pixel = PixelFactory.create()
    bad = purchase(opt_out="maybe", user_data={"fbp": "secret-value", "client_user_agent": "x"})
    for _ in range(3):
        send(pixel, bad, bad)
        findings._findings.flush()

    assert rows(pixel) == [("opt_out", "no_flag", 6), ("user_data.fbp", "no_browser_id", 6)]


@pytest.mark.django_db
def test_of_a_source_it_is_counted_alike_by_road() -> None:
    source = source_of()
    send(source.source_id, purchase(opt_out="maybe"), purchase())
    post_as_browser({"event_name": "PageView", "fb.pixel_id": source.source_id, "fb.fbp": "secret-value"})
    nobody = {"address": "10.0.0.1", "User-Agent": ""}
    post_as_browser({"event_name": "PageView", "fb.pixel_id": source.source_id}, **nobody)
    findings._findings.flush()

    found = SourceFinding.objects.filter(source=source, kind=SourceFinding.Kind.LEFT_OUT).order_by("field", "road")
    assert list(found.values_list("field", "reason", "road", "count")) == [
        ("event", "nobody", "browser", 1),
        ("opt_out", "no_flag", "", 1),
        ("user_data.fbp", "no_browser_id", "browser", 1),
    ]
    assert not Finding.objects.exists()


@pytest.mark.django_db
def test_a_pixel_and_a_source_with_one_key_are_told_apart() -> None:
    pixel, source = PixelFactory.create(pk=4711), source_of(pk=4711)
    findings.count_left_out(settings_of(pixel.pixel_id), {FBP: 1})
    findings.count_left_out(settings_of(source.source_id), {FBP: 2})
    findings._findings.flush()

    assert [read_left_out(owner)[0].times for owner in (pixel, source)] == [1, 2]


@pytest.mark.django_db
def test_a_request_pays_nothing_for_it() -> None:
    pixel: Pixel = PixelFactory.create()
    send(pixel, purchase())
    with CaptureQueriesContext(connection) as good:
        send(pixel, purchase())
    with CaptureQueriesContext(connection) as bad:
        send(pixel, purchase(opt_out="maybe"))

    assert len(bad) == len(good)
    assert not Finding.objects.exists()


@pytest.mark.django_db
def test_what_is_refused_is_not_counted_as_left_out() -> None:
    pixel: Pixel = PixelFactory.create()

    assert send(pixel, purchase(opt_out="maybe"), purchase(event_name="")).status == 400
    findings._findings.flush()
    assert rows(pixel) == []


def test_while_the_database_is_away_counts_wait_and_are_written_once() -> None:
    written: list[dict[Cell, int]] = []
    held = Findings(lambda found: written.append(dict(found)))
    held.count(numbered(1), {FBP: 2})
    with patch.object(held, "_write", side_effect=OperationalError("away")):
        assert not held.flush()
    held.count(numbered(1), {FBP: 3})

    assert held.flush()
    assert [list(found.values()) for found in written] == [[5]]
    assert held.flush()
    assert len(written) == 1


def test_what_is_held_is_bounded() -> None:
    held = Findings(lambda found: None)
    with patch("events.findings.MAX_HELD", 10):
        for pixel in range(100):
            held.count(numbered(pixel), {FBP: 1})
        held.count(numbered(0), {FBP: 1})

    assert len(held._held) == 10
    assert sum(held._held.values()) == 11


@pytest.mark.django_db(transaction=True)
def test_what_fails_half_way_is_written_once() -> None:
    pixel, source = PixelFactory.create(), source_of()
    for owner in (settings_of(pixel.pixel_id), settings_of(source.source_id)):
        findings.count_left_out(owner, {FBP: 1})
    upsert = findings._upsert

    def fail(tables: owners.Tables, found: dict[Cell, int]) -> None:
        if tables is owners.SOURCES:
            raise OperationalError("away")
        upsert(tables, found)

    with patch.object(findings, "_upsert", fail):
        assert not findings._findings.flush()

    assert findings._findings.flush()
    assert [read_left_out(owner)[0].times for owner in (pixel, source)] == [1, 1]


@pytest.mark.django_db(transaction=True)
def test_a_pixel_that_has_gone_takes_no_others_counts_with_it() -> None:
    here, gone = PixelFactory.create(), PixelFactory.create()
    gone_source = source_of()
    for owner_id in (here.pixel_id, gone.pixel_id, gone_source.source_id):
        findings.count_left_out(settings_of(owner_id), {FBP: 1})
    Pixel.objects.filter(pk=gone.pk).delete()
    Source.objects.filter(pk=gone_source.pk).delete()

    assert findings._findings.flush()
    assert rows(here) == [("user_data.fbp", "no_browser_id", 1)]
    assert Finding.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_thread_of_its_own_writes_and_gives_its_connection_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()  # the thread that tests do without
    monkeypatch.setattr("events.findings.INTERVAL", 0.01)
    pixel: Pixel = PixelFactory.create()
    done = threading.Event()

    def write(found: object) -> None:
        findings.write(found)  # type: ignore[arg-type]
        done.set()

    Findings(write).count(settings_of(pixel.pixel_id), {FBP: 1})

    assert done.wait(20)
    assert rows(pixel) == [("user_data.fbp", "no_browser_id", 1)]


@pytest.mark.django_db
def test_findings_are_kept_for_a_week_and_go_with_their_pixel() -> None:
    pixel: Pixel = PixelFactory.create()
    now = timezone.now()
    for days in (0, 6, 8):
        Finding.objects.create(pixel=pixel, hour=now - timedelta(days=days), field="opt_out", reason="no_flag", count=1)

    pruning.prune(now)
    assert Finding.objects.count() == 2
    pixel.delete()
    assert not Finding.objects.exists()


@pytest.mark.django_db
def test_the_last_24_hours_are_added_up_the_most_frequent_first() -> None:
    pixel: Pixel = PixelFactory.create()
    other: Pixel = PixelFactory.create()
    now = timezone.now()
    for hours, of, field, road, count in (
        (0, pixel, "opt_out", "", 1),
        (1, pixel, "opt_out", "", 2),
        (2, pixel, "user_data.fbp", "", 5),
        (2, pixel, "user_data.fbp", "browser", 4),
        (25, pixel, "opt_out", "browser", 50),
        (1, other, "opt_out", "browser", 70),
    ):
        hour = now - timedelta(hours=hours)
        Finding.objects.create(pixel=of, hour=hour, field=field, reason="new_code", road=road, count=count)

    assert [(shown.field, shown.times, shown.browser) for shown in read_left_out(pixel, now)] == [
        ("user_data.fbp", 9, 4),
        ("opt_out", 3, 0),
    ]
    assert read_left_out(pixel, now)[0].explanation == "new_code"


@pytest.mark.parametrize(
    ("language", "texts"),
    [
        ("en", ["Left out, last 24 hours", "It is no browser id", "1,555", "Browser 321"]),
        ("es", ["Omitido, últimas 24 horas", "Navegador 321"]),
    ],
)
def test_the_pixels_page_shows_them(cast: Cast, language: str, texts: list[str]) -> None:
    pixel = PixelFactory.create(tenant=cast.shoes)
    page = address("pixels:detail", cast.shoes, pixel.pixel_id)
    client = login(cast.ada)
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = language

    assert texts[0] not in client.get(page).content.decode()

    findings.count_left_out(settings_of(pixel.pixel_id), {FBP: 1_234})
    findings.count_left_out(settings_of(pixel.pixel_id), {FBP: 321}, Road.BROWSER)
    findings._findings.flush()
    shown = client.get(page).content.decode()
    assert all(text in shown for text in [*texts, "user_data.fbp"])

"""Events of browsers and servers are told apart: in the figures, the log and the dead letters."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from accounts.principals import OPERATOR
from events.delivery.publishing import drain
from events.delivery.services import replay_dead_letter
from events.figures import counting
from events.figures.counting import Tally
from events.models import Counter, DeadLetter, Road, SeenLabel
from events.sandbox import Sandbox
from pixels.models import Pixel
from tests.events.browser_posting import page_view, post
from tests.events.logged import logged
from tests.events.outbox import bad_purchase, counted, is_balanced, purchase, put
from tests.factories import EventFilterFactory, PixelFactory

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 21, 12, 30, tzinfo=UTC)


@pytest.fixture
def pixel() -> Pixel:
    return PixelFactory.create()


def test_figures_tell_how_many_came_by_browsers(pixel: Pixel, sandbox: Sandbox) -> None:
    EventFilterFactory.create(pixel=pixel, event_name="Blocked")
    put(pixel, purchase(), purchase())
    put(pixel, purchase(), purchase(event_name="Blocked"), road=Road.BROWSER)
    put(pixel, bad_purchase(), road=Road.BROWSER)
    put(pixel, purchase(event_time=1), road=Road.BROWSER)
    drain(pixel.pk)

    assert counted(pixel) == {
        "received": 6,
        "published": 3,
        "dropped_by_event_filter": 1,
        "failed": 1,
        "expired": 1,
        "publish_errors": counted(pixel)["publish_errors"],
        "browser_received": 4,
        "browser_published": 1,
        "browser_dropped": 1,
        "browser_failed": 1,
        "browser_expired": 1,
    }
    assert counted(pixel, Counter.Dimension.EVENT_NAME, "Blocked")["browser_received"] == 1
    assert is_balanced(pixel)


def test_the_log_tells_the_road(pixel: Pixel, sandbox: Sandbox) -> None:
    put(pixel, purchase(event_id="by server"))
    post(page_view(pixel, event_id="by browser"))
    drain(pixel.pk)

    assert {line.event_id: line.road for line in logged()} == {
        "by server": Road.SERVER,
        "by browser": Road.BROWSER,
    }


def test_what_is_replayed_stays_on_its_road(pixel: Pixel, sandbox: Sandbox) -> None:
    put(pixel, bad_purchase(), road=Road.BROWSER)
    drain(pixel.pk)
    letter = DeadLetter.objects.get()
    assert letter.road == Road.BROWSER

    replay_dead_letter(principal=OPERATOR, tenant_id=pixel.tenant_id, dead_letter_id=str(letter.pk))
    assert counted(pixel).get("browser_failed", 0) == 0
    drain(pixel.pk)

    assert counted(pixel)["browser_failed"] == counted(pixel)["failed"] == 1
    assert counted(pixel)["browser_received"] == 1
    assert DeadLetter.objects.get().road == Road.BROWSER


def count(pixel: Pixel, road: Road, *names: str) -> None:
    tally = Tally()
    for name in names:
        tally.add(NOW, name, "", "received", road=road)
    tally.write(pixel.pk)


def names_of(pixel: Pixel) -> set[str]:
    return set(SeenLabel.objects.filter(pixel=pixel, dimension=1).values_list("label", flat=True))


@pytest.mark.parametrize("restarted", [False, True])
def test_browsers_take_at_most_half_of_the_names(
    pixel: Pixel, monkeypatch: pytest.MonkeyPatch, restarted: bool
) -> None:
    monkeypatch.setattr(counting, "LABELS_A_DAY", 4)
    monkeypatch.setattr(counting, "LABELS_OF_BROWSERS", 2)
    for number in range(5):
        count(pixel, Road.BROWSER, f"Junk{number}", f"More{number}")
        if restarted:
            counting._known.cache_clear()
    assert names_of(pixel) == {"Junk0", "More0"}

    count(pixel, Road.SERVER, "Lead", "Purchase", "Refund")
    assert names_of(pixel) == {"Junk0", "More0", "Lead", "Purchase"}
    assert counted(pixel, Counter.Dimension.EVENT_NAME, "")["browser_received"] == 8
    assert counted(pixel)["received"] == 13


def test_a_server_takes_the_room_before_browsers_of_the_same_moment(
    pixel: Pixel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counting, "LABELS_A_DAY", 2)
    tally = Tally()
    for name, road in (("Z", Road.SERVER), ("A", Road.BROWSER), ("Y", Road.SERVER), ("Y", Road.BROWSER)):
        tally.add(NOW, name, "", "received", road=road)
    tally.write(pixel.pk)

    assert names_of(pixel) == {"Y", "Z"}

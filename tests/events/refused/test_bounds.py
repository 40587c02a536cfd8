"""Junk from strangers fills nothing: each network has its bounds, each pixel, and each process."""

from __future__ import annotations

from collections import Counter as Multiset
from dataclasses import replace
from datetime import timedelta
from typing import Any
from unittest.mock import Mock

import pytest
import time_machine
from django.utils import timezone

from common.errors import InvalidInput
from events.intake.pixel_settings import PixelSettings, get_pixel_settings
from events.models import Finding, RefusedRequest, Road
from events.refused import counting
from events.refused.counting import Refusal, count_refused
from events.refused.writing import KEPT, Cell, Count, Last, write
from tests.events.refused.stage import last, written
from tests.factories import PixelFactory

pytestmark = pytest.mark.django_db

ERROR = InvalidInput("data[0].event_time", "must be at most 7 days ago.")


@pytest.fixture
def pixel() -> PixelSettings:
    found = get_pixel_settings(PixelFactory.create().pixel_id)
    assert found
    return found


def refuse(pixel: PixelSettings, n: int = 1, network: str = "192.0.2.1", **changes: Any) -> None:
    for _ in range(n):
        count_refused(Refusal(pixel, ERROR, network)._replace(**changes))


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("COUNTED_OF_SERVERS", {}),
        ("COUNTED_OF_BROWSERS", {"road": Road.BROWSER}),
        ("COUNTED_NOT_LET_IN", {"is_let_in": False}),
    ],
)
def test_of_a_network_so_many_are_counted_within_an_hour(
    pixel: PixelSettings, monkeypatch: pytest.MonkeyPatch, name: str, changes: dict[str, Any]
) -> None:
    monkeypatch.setattr(counting, name, 3)
    with time_machine.travel(timezone.now().replace(minute=30)) as clock:
        refuse(pixel, 5, **changes)
        refuse(pixel, 1, "198.51.100.1", **changes)
        assert [count for *_, count, _ in written()] == [4]

        clock.shift(timedelta(hours=1))
        refuse(pixel, 1, **changes)
        assert [count for *_, count, _ in written()] == [4, 1]


def test_whoever_has_the_key_is_counted_whole(pixel: PixelSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "COUNTED_OF_SERVERS", 3)
    refuse(pixel, 5, is_known=True)
    assert [count for *_, count, _ in written()] == [5]


def test_few_samples_are_made_however_many_requests_come(pixel: PixelSettings) -> None:
    sample = Mock(return_value="{}")
    refuse(pixel, 50, sample=sample)
    assert sample.call_count == counting.LAST_OF_NETWORK
    assert len(last()) == counting.LAST_OF_NETWORK


def test_a_process_holds_so_much(pixel: PixelSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "MAX_HELD", 2)
    monkeypatch.setattr(counting, "MAX_LAST", 3)
    for pk in range(5):
        refuse(replace(pixel, pk=pk), 1, f"192.0.2.{pk}")
    held = counting._refused._held
    assert len(held.counts) == 2
    assert sum(map(len, held.last.values())) == 3


def keep(pixel: PixelSettings, origin: int, n: int) -> None:
    moment = timezone.now()
    cell = Cell(False, pixel.pk, moment.replace(minute=0), Finding.Kind.REFUSED, "", "event", "no_object")
    some = [Last(False, pixel.pk, moment, 0, "event", "no_object", number, origin, "") for number in range(n)]
    write({cell: Count(n, n)}, some)


def kept(pixel: PixelSettings) -> Multiset[int]:
    return Multiset(RefusedRequest.objects.filter(pixel=pixel.pk).values_list("origin", flat=True))


def test_the_last_hundred_are_kept_of_a_sender_that_is_alone(pixel: PixelSettings) -> None:
    keep(pixel, 1, KEPT + 20)
    assert kept(pixel) == {1: KEPT}
    numbers = RefusedRequest.objects.order_by("pk").values_list("event_count", flat=True)
    assert list(numbers) == list(range(20, KEPT + 20))


def test_a_stranger_pushes_out_its_own_and_not_what_others_sent(pixel: PixelSettings) -> None:
    keep(pixel, 1, 30)
    for _ in range(3):
        keep(pixel, 2, KEPT)
    assert kept(pixel) == {1: 30, 2: 70}

    keep(pixel, 3, 40)
    assert kept(pixel) == {1: 30, 2: 35, 3: 35}


def test_each_pixel_has_its_own_hundred(pixel: PixelSettings) -> None:
    other = get_pixel_settings(PixelFactory.create().pixel_id)
    assert other
    keep(pixel, 1, KEPT)
    keep(other, 1, KEPT)
    assert RefusedRequest.objects.count() == 2 * KEPT

"""Pixels that fall silent are found within two hours, and quiet ones, weekends and holidays are no matter."""

from __future__ import annotations

import math
import random
from datetime import UTC, datetime, timedelta

import pytest

from alerts.looking import look_at
from alerts.models import Incident, RuleName
from alerts.rules.silence import expectation
from alerts.rules.table import RULE_OF
from events.models import Counter
from pixels.models import Pixel
from tests.base import Cast
from tests.factories import OutboxRowFactory, PixelFactory

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
RULE = RULE_OF[RuleName.SILENCE]
#: A Wednesday.
STOP = datetime(2026, 3, 4, 10, tzinfo=UTC)


def write(pixel: Pixel, start: datetime, end: datetime, an_hour: int) -> None:
    hours = [start + n * HOUR for n in range(int((end - start) / HOUR))]
    Counter.objects.bulk_create(
        Counter(pixel=pixel, span=Counter.Span.HOUR, dimension=0, start=hour, received=an_hour) for hour in hours
    )


def is_open(now: datetime) -> bool:
    look_at(RULE, now)
    return Incident.objects.filter(rule="silence", closed_at=None).exists()


def test_a_busy_pixel_is_found_within_two_hours_and_closes_when_something_comes(cast: Cast) -> None:
    pixel = PixelFactory.create(tenant=cast.shoes)
    write(pixel, STOP - 30 * DAY, STOP, 40)

    assert not is_open(STOP + HOUR / 2)
    assert is_open(STOP + 2 * HOUR)
    assert is_open(STOP + 5 * DAY)  # nothing is to be expected any more, and nothing comes
    write(pixel, STOP + 5 * DAY, STOP + 5 * DAY + HOUR, 1)
    assert not is_open(STOP + 5 * DAY + HOUR / 2)


@pytest.mark.parametrize(("an_hour", "not_yet", "found"), [(10, 3, 4), (3, 11, 12), (2, 17, 18)])
def test_a_quieter_pixel_takes_longer(cast: Cast, an_hour: int, not_yet: int, found: int) -> None:
    write(PixelFactory.create(tenant=cast.shoes), STOP - 30 * DAY, STOP, an_hour)

    assert not is_open(STOP + not_yet * HOUR)
    assert is_open(STOP + found * HOUR)


def test_too_few_events_raise_no_alarm(cast: Cast) -> None:
    write(PixelFactory.create(tenant=cast.shoes), STOP - 30 * DAY, STOP, 1)

    assert not any(is_open(STOP + hours * HOUR) for hours in range(2, 50, 4))


def test_a_pixel_that_is_silent_at_this_hour_every_week_is_left_alone(cast: Cast) -> None:
    pixel = PixelFactory.create(tenant=cast.shoes)
    for week in range(5):
        monday = STOP - week * 7 * DAY - 2 * DAY
        write(pixel, monday, monday + DAY, 400)

    assert not is_open(STOP + 2 * HOUR)


@pytest.mark.parametrize("kept", ["waits", "switched off"])
def test_a_pixel_that_is_well_is_no_silent_one(cast: Cast, kept: str) -> None:
    pixel = PixelFactory.create(tenant=cast.shoes, event_bridge_active=kept != "switched off")
    write(pixel, STOP - 30 * DAY, STOP, 40)
    if kept == "waits":
        OutboxRowFactory.create(pixel=pixel, counted=False)

    assert not is_open(STOP + 2 * HOUR)


def chance(rng: random.Random, mean: float) -> int:
    """A number of Poisson's distribution."""
    limit, n, product = math.exp(-mean), 0, rng.random()
    while product > limit:
        n, product = n + 1, product * rng.random()
    return n


def year_of(rng: random.Random, an_hour: float, start: datetime) -> dict[datetime, int]:
    """Traffic of a shop: nights are quiet, weekends a third, and on ten holidays a fifth comes."""
    holidays = set(rng.sample(range(365), 10))
    hours = {}
    for n in range(365 * 24):
        hour = start + n * HOUR
        mean = an_hour * (1 - 0.9 * math.cos(2 * math.pi * hour.hour / 24))
        mean *= (1 / 3 if hour.weekday() >= 5 else 1) * (0.2 if n // 24 in holidays else 1)
        if count := chance(rng, mean):
            hours[hour] = count
    return hours


def alarms(hours: dict[datetime, int], start: datetime, first_day: int, days: int) -> list[datetime]:
    moments = [start + first_day * DAY + n * HOUR + HOUR / 2 for n in range(days * 24)]
    quiet = [m for m in moments if not (hours.get(m - HOUR / 2) or hours.get(m - 3 * HOUR / 2))]
    return [moment for moment in quiet if RULE.is_broken(expectation(hours, moment)[1], RULE.threshold)]


@pytest.mark.slow
def test_a_year_of_thirty_quiet_pixels_raises_no_false_alarm() -> None:
    rng, start = random.Random(19), datetime(2025, 1, 6, tzinfo=UTC)
    for number in range(30):
        hours = year_of(rng, 0.2 + number / 3, start)
        assert alarms(hours, start, 29, 336) == [], number


@pytest.mark.slow
def test_on_any_working_day_a_busy_pixel_that_stops_is_found_within_two_hours() -> None:
    """Also on holidays, and on the days after them."""
    rng, start = random.Random(19), datetime(2025, 1, 6, tzinfo=UTC)
    hours = year_of(rng, 250, start)
    for stop in (start + day * DAY + hour * HOUR for day in range(29, 365) for hour in (9, 15)):
        until = {hour: count for hour, count in hours.items() if hour < stop}
        looks = [stop + half * HOUR / 2 for half in range(1, 5)]
        if stop.weekday() < 5:
            found = [look for look in looks if not until.get(look.replace(minute=0) - HOUR)]
            assert any(RULE.is_broken(expectation(until, look)[1], RULE.threshold) for look in found), stop


@pytest.mark.slow
@pytest.mark.parametrize(("an_hour", "hours"), [(80, 2), (20, 6), (5, 24)])
def test_how_long_it_takes_is_as_the_rules_page_says(an_hour: float, hours: int) -> None:
    rng, start = random.Random(19), datetime(2025, 1, 6, tzinfo=UTC)
    year = year_of(rng, an_hour, start)
    stops = [start + day * DAY + hour * HOUR for day in range(29, 360) for hour in (9, 15)]
    stops = [stop for stop in stops if stop.weekday() < 5]
    found = 0
    for stop in stops:
        until = {hour: count for hour, count in year.items() if stop - 40 * DAY < hour < stop}
        looks = [stop + part * hours * HOUR / 4 for part in (2, 3, 4)]
        found += any(RULE.is_broken(expectation(until, look)[1], RULE.threshold) for look in looks)

    assert found >= 0.85 * len(stops)


@pytest.mark.slow
@pytest.mark.django_db
def test_among_thirty_quiet_pixels_the_one_that_stops_is_found_and_no_other(cast: Cast) -> None:
    """Looked at every hour, from a Friday to a Tuesday; on Tuesday noon the busy one stops."""
    rng, start = random.Random(19), datetime(2026, 1, 12, tzinfo=UTC)
    first, stop = start + 32 * DAY, start + 36 * DAY + 12 * HOUR
    busy, *quiet = PixelFactory.create_batch(31, tenant=cast.shoes)
    years = {pixel: year_of(rng, 0.2 + number / 3, start) for number, pixel in enumerate(quiet)}
    years[busy] = {hour: count for hour, count in year_of(rng, 250, start).items() if hour < stop}

    def receive(since: datetime, until: datetime) -> None:
        Counter.objects.bulk_create(
            Counter(pixel=pixel, span=Counter.Span.HOUR, dimension=0, start=hour, received=count)
            for pixel, hours in years.items()
            for hour, count in hours.items()
            if since <= hour < until
        )

    receive(start, first)
    for n in range(int((stop - first) / HOUR)):
        receive(first + n * HOUR, first + (n + 1) * HOUR)
        assert not is_open(first + n * HOUR + HOUR / 2), n
    receive(stop, stop + 2 * HOUR)
    assert is_open(stop + 2 * HOUR)
    assert Incident.objects.get().pixel == busy


def test_a_month_of_quiet_pixels_raises_no_false_alarm() -> None:
    rng, start = random.Random(19), datetime(2025, 1, 6, tzinfo=UTC)
    for an_hour in (1, 5):
        assert alarms(year_of(rng, an_hour, start), start, 29, 30) == []

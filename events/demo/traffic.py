"""A week of events that never were: what the counters, the delivery log and the outbox would hold after them."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from events.demo.scenery import DemoPixel, Story
from events.models import Road
from filters.matching import FilterSet, Kind

DAYS = 7
#: How long ago Meta rejected the token of the pixel with that story, and how long its last switch was turned off.
REJECTED_HOURS_AGO = 3
OFF_DAYS_AGO = 2
DEAD_LETTER_HOURS_AGO = 5
DEAD_LETTER_CODE = "100"
DEAD_LETTER_MESSAGE = "(#100) param data[0]['custom_data']['currency'] must be a currency code of ISO 4217."


@dataclass(frozen=True, slots=True)
class Passed:
    """An event and what became of it: ``fate`` is a column of Counter, or empty while it waits.

    What differs in ``road`` alone is one event that came twice, under one id where the roads share them.
    """

    at: datetime
    name: str
    website: str
    fate: str
    detail: str = ""
    road: Road = Road.SERVER
    shares_id: bool = True


def traffic_of(pixel: DemoPixel, filters: FilterSet, now: datetime) -> list[Passed]:
    """The pixel's events of the last days, oldest first; the same ones for the same pixel and time."""
    passed = sorted(_happened(pixel, filters, now), key=lambda event: event.at)
    if pixel.story is Story.DEAD_LETTER:
        before = now - timedelta(hours=DEAD_LETTER_HOURS_AGO)
        index = max(n for n, event in enumerate(passed) if event.fate == "published" and event.at < before)
        passed[index] = replace(passed[index], name="Purchase", fate="failed", detail=DEAD_LETTER_MESSAGE)
    return passed


def _happened(pixel: DemoPixel, filters: FilterSet, now: datetime) -> Iterator[Passed]:
    chance = random.Random(pixel.pixel_id)  # noqa: S311  # nosec B311  # made-up traffic
    names, name_weights = list(pixel.mix), list(pixel.mix.values())
    websites, website_weights = list(pixel.websites) or [""], list(pixel.websites.values()) or [1]
    minute = now.replace(second=0, microsecond=0) - timedelta(days=DAYS)
    while minute < now - timedelta(minutes=1):
        for _ in range(_how_many(chance, pixel.events_a_day / 1_440 * _busyness(minute))):
            at = minute + timedelta(seconds=chance.random() * 60)
            name = chance.choices(names, name_weights)[0]
            website = chance.choices(websites, website_weights)[0]
            fate, detail = _fate(pixel, filters, name, website, now - at)
            for road in pixel.roads(name):
                yield Passed(at, name, website, fate, detail, road, pixel.shares_ids)
        minute += timedelta(minutes=1)


def _busyness(at: datetime) -> float:
    """Evenings are busy, nights are quiet, weekends lie above the other days; 1 at the most."""
    hour = at.hour + at.minute / 60
    daily = 0.55 + 0.45 * math.cos((hour - 19) / 24 * 2 * math.pi)
    return daily * (1.0 if at.weekday() >= 5 else 0.8)


def _how_many(chance: random.Random, expected: float) -> int:
    """A number from the Poisson distribution: Knuth's method, which does for small expectations."""
    limit, product, count = math.exp(-expected), chance.random(), 0
    while product > limit:
        product *= chance.random()
        count += 1
    return count


def _fate(pixel: DemoPixel, filters: FilterSet, name: str, website: str, age: timedelta) -> tuple[str, str]:
    """The column that counts it and the words of the delivery log, as the worker would decide."""
    off = age < timedelta(days=OFF_DAYS_AGO)
    if pixel.story is Story.RECEIVING_OFF and off:
        return "dropped_receiving_off", "Receiving was off"
    if pixel.story is Story.PUBLISHING_OFF and off:
        return "dropped_publishing_off", "Publishing was off"
    if pixel.story is Story.REJECTED_TOKEN and age < timedelta(hours=REJECTED_HOURS_AGO):
        return "", ""
    rule = filters.dropped_by(name, website or None)
    if rule is not None and rule.kind is Kind.EVENT:
        return "dropped_by_event_filter", f"Event filter for {rule.name}"
    if rule is not None:
        return "dropped_by_domain_filter", f"Website filter for {rule.name}"
    return "published", ""

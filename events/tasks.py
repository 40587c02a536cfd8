"""What the worker does. A task takes ids and calls a function; what fails leaves its rows, and ``sweep`` finds them."""

from __future__ import annotations

import random

from celery import shared_task, signals

from events import pruning
from events.delivery import lanes, publishing, rounds, turns
from events.figures import usage
from events.gateway import delivering, taking_in
from events.gateway.lanes import waiting_destinations
from events.intake.wakeups import DELIVER_MANY, DRAIN_MANY, MESSAGE_EXPIRES, TAKE_IN
from events.models import Registration, Removal
from events.registration import leases, registrar, removing, telling

SWEEP_MAX = 500


@shared_task(expires=MESSAGE_EXPIRES)
def drain(pixel_pk: int) -> None:
    """Publish what waits for a pixel; one with more to do than its share queues up again."""
    if publishing.drain(pixel_pk):
        drain.delay(pixel_pk)


@shared_task(name=DRAIN_MANY, expires=MESSAGE_EXPIRES)
def drain_many(pixel_pks: list[int]) -> None:
    """Publish what waits for the pixels, each in a task of its own: none waits for another."""
    waiting = lanes.waiting_pixels(pixel_pks)
    for pixel_pk in waiting[1:]:
        drain.delay(pixel_pk)
    for pixel_pk in waiting[:1]:
        drain(pixel_pk)


@shared_task(name=TAKE_IN, expires=MESSAGE_EXPIRES)
def take_in(source_pks: list[int]) -> None:
    """Take in what is new of gateway sources, and have it sent."""
    with turns.at_work():
        reached = [destination_pk for source_pk in source_pks for destination_pk in taking_in.take_in(source_pk)]
    if destination_pks := set(reached):
        deliver_many(sorted(destination_pks))


@shared_task(expires=MESSAGE_EXPIRES)
def deliver(destination_pk: int) -> None:
    """Send what waits for a destination; one with more to do than its share queues up again."""
    if delivering.deliver(destination_pk):
        deliver.delay(destination_pk)


@shared_task(name=DELIVER_MANY, expires=MESSAGE_EXPIRES)
def deliver_many(destination_pks: list[int]) -> None:
    """Send what waits for the destinations, each in a task of its own: none waits for another."""
    waiting = waiting_destinations(destination_pks)
    for destination_pk in waiting[1:]:
        deliver.delay(destination_pk)
    for destination_pk in waiting[:1]:
        deliver(destination_pk)


@shared_task(expires=MESSAGE_EXPIRES)
def sweep() -> None:
    """Wake all that somebody should look at: lost wake-ups, waits that are over, leases of the dead."""
    for pixel_pk in _some(lanes.waiting_pixels()):
        drain.delay(pixel_pk)
    for source_pk in _some(taking_in.sources_with_news()):
        take_in.delay([source_pk])
    for destination_pk in _some(waiting_destinations()):
        deliver.delay(destination_pk)


def _some(waiting: list[int]) -> list[int]:
    """Where there are more than workers can begin with, some, at random: each has the same chance."""
    return random.sample(waiting, min(len(waiting), SWEEP_MAX))  # nosec B311  # no secret


@shared_task(expires=MESSAGE_EXPIRES)
def keep_registered() -> None:
    """Have Meta told what is due; two threads tell, one removes."""
    if registrar.obstacle() is None:
        pixels = leases.due(Registration)
        for some in filter(None, (pixels[::2], pixels[1::2])):
            tell_meta.delay(some)
    if registrar.hold() is None and (pixel_ids := leases.due(Removal)):
        remove_from_meta.delay(pixel_ids)


@shared_task(expires=MESSAGE_EXPIRES)
def tell_meta(pixel_pks: list[int]) -> None:
    """Tell Meta what it shall know of the pixels, one after the other."""
    leases.in_turn(telling.tell, pixel_pks)


@shared_task(expires=MESSAGE_EXPIRES)
def remove_from_meta(pixel_ids: list[str]) -> None:
    """Have Meta forget the pixels, one after the other."""
    leases.in_turn(removing.remove, pixel_ids)


@shared_task
def refresh_usage() -> None:
    """Bring the accounts' usage up to date."""
    usage.refresh_usage()


@shared_task
def prune() -> None:
    """Delete what has been kept long enough."""
    pruning.prune()


@signals.worker_shutting_down.connect
def _finish(**kwargs: object) -> None:
    """SIGTERM: settle what is under way, then stop."""
    rounds.stopping.set()

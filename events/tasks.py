"""What the worker does. A task takes ids and calls a function; what fails leaves its rows, and ``sweep`` finds them."""

from __future__ import annotations

import random

from celery import shared_task, signals

from events import retention
from events.delivery import lanes, publishing
from events.figures import usage
from events.intake.wakeups import DRAIN_MANY, MESSAGE_EXPIRES

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


@shared_task(expires=MESSAGE_EXPIRES)
def sweep() -> None:
    """Wake every pixel that somebody should look at: lost wake-ups, waits that are over, leases of the dead."""
    waiting = lanes.waiting_pixels()
    # Where there are more than workers can begin with, some, at random: each has the same chance.
    for pixel_pk in random.sample(waiting, min(len(waiting), SWEEP_MAX)):  # nosec B311  # no secret
        drain.delay(pixel_pk)


@shared_task
def refresh_usage() -> None:
    """Bring the accounts' usage up to date."""
    usage.refresh_usage()


@shared_task
def prune() -> None:
    """Delete what has been kept long enough."""
    retention.prune()


@signals.worker_shutting_down.connect
def _finish(**kwargs: object) -> None:
    """SIGTERM: settle what is under way, then stop."""
    publishing.stopping.set()

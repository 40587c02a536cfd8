"""What the worker does about trouble. The rows are the truth: what is lost is done in the next turn."""

from __future__ import annotations

from celery import shared_task

from alerts import looking, pruning, telling

#: Seconds after which a message is not worth acting upon: the next one has been sent.
_EXPIRES = 60


@shared_task(expires=_EXPIRES)
def look() -> None:
    """Look at every rule."""
    looking.look()


@shared_task(expires=_EXPIRES)
def tell() -> None:
    """Tell of what is due."""
    telling.tell()


@shared_task
def prune() -> None:
    """Forget what need not be kept any longer."""
    pruning.prune()

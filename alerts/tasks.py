"""What the worker does about trouble. The rows are the truth: what is lost is done in the next turn."""

from __future__ import annotations

from threading import BoundedSemaphore
from uuid import UUID

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from alerts import digests, looking, pruning, telling

#: Seconds after which a message is not worth acting upon: the next one has been sent.
_EXPIRES = 60
#: However many receivers are slow, half of the threads are left for events.
_posting = BoundedSemaphore(max(settings.CELERY_WORKER_CONCURRENCY // 2, 1))


@shared_task(expires=_EXPIRES)
def look() -> None:
    """Look at every rule."""
    looking.look()


@shared_task(expires=_EXPIRES)
def tell() -> None:
    """Tell of what is due: posts beside each other, mails here."""
    telling.hand_over(timezone.now())
    for receiver_id in telling.receivers_due():
        post.delay(str(receiver_id))
    telling.tell()


@shared_task(expires=_EXPIRES)
def post(receiver_id: str) -> None:
    """Post what is due to one receiver, where a thread is left for that: else it is its turn again soon."""
    if _posting.acquire(blocking=False):
        try:
            telling.post(UUID(receiver_id))
        finally:
            _posting.release()


@shared_task(expires=_EXPIRES)
def digest() -> None:
    """Write the daily digests whose hour has come, and send what is written."""
    digests.write_due()
    digests.send_due()


@shared_task
def prune() -> None:
    """Forget what need not be kept any longer."""
    pruning.prune()

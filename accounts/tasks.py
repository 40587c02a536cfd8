"""What the worker does for people."""

from __future__ import annotations

from celery import shared_task

from accounts.services import forgetting


@shared_task
def prune() -> None:
    """Forget what need not be kept any longer."""
    forgetting.prune()

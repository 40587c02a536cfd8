"""What the worker does for people."""

from __future__ import annotations

from celery import shared_task

from accounts.services import forgetting, routing_checks


@shared_task
def prune() -> None:
    """Forget what need not be kept any longer."""
    forgetting.prune()


@shared_task
def check_domains() -> None:
    """Ask DNS every day whether accounts' own domains still lead here."""
    routing_checks.check_domains()

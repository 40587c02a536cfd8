"""What the worker does for pixels."""

from __future__ import annotations

from celery import shared_task

from pixels import imports


@shared_task
def forget_imports() -> None:
    """Delete what is left of uploaded files."""
    imports.forget_imports()

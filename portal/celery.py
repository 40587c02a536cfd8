"""The Celery application: ``celery --app portal worker --beat``. It is configured by the CELERY_ settings."""

from __future__ import annotations

import os

from celery import Celery, signals

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

app = Celery("portal")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@signals.setup_logging.connect
def _leave_logging_alone(**kwargs: object) -> None:
    """Django's LOGGING holds for the worker too: with a receiver here, Celery sets up none of its own."""

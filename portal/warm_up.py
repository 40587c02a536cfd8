"""What a process loads before it serves.

A module that is imported by the first requests, many at once, may be used by one while another still loads it: the
``limits`` library answers such a request with an error. And whoever comes first waits for it.
"""

from __future__ import annotations

import encodings.unicode_escape  # noqa: F401  # Python itself loads it late

import qrcode.image.svg  # noqa: F401  # allauth imports it in a view
from celery import current_app
from django.conf import settings
from django.contrib.auth import get_backends
from django.contrib.auth.hashers import get_hashers
from django.core.cache import caches
from django.template import engines
from django.urls import get_resolver
from django.utils.module_loading import import_string

from common.rate_limits import limiter


def load_before_serving() -> None:
    """Load what Django and the libraries would load when it is asked for first; connects to nothing."""
    _ = get_resolver().url_patterns  # and so all views
    for engine in engines.all():
        _ = engine.engine.template_libraries  # type: ignore[attr-defined]
    get_backends()
    get_hashers()
    import_string(settings.MESSAGE_STORAGE)
    import_string(settings.EMAIL_BACKEND)
    _ = caches["default"]
    limiter()
    _load_celery()


def _load_celery() -> None:
    current_app.loader.import_default_modules()
    current_app.finalize()
    current_app.connection_for_write().get_transport_cls()
    _ = current_app.amqp.send_task_message

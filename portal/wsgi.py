"""The WSGI application that a production server runs."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

_django = get_wsgi_application()

from django.conf import settings  # noqa: E402  # nothing of Django's may be read before it is set up

from events import door  # noqa: E402
from portal import machines  # noqa: E402
from portal.client_address import behind_proxies  # noqa: E402

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


def _choose_door(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Events have a door of their own, and software is not led past what is for browsers.

    Where https is asked for, Django sends those who come without it there.
    """
    if not (settings.SECURE_SSL_REDIRECT and environ["wsgi.url_scheme"] != "https"):
        if environ["PATH_INFO"].startswith(door.PREFIX):
            return door.application(environ, start_response)
        if machines.is_machine(environ):
            return machines.application(environ, start_response)
    return _django(environ, start_response)


# The caller's address is what the last trusted proxy saw; what a caller writes into X-Forwarded-For is not believed.
application = behind_proxies(_choose_door, settings.TRUSTED_PROXIES)

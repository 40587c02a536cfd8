"""The WSGI application that a production server runs."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

_django = get_wsgi_application()

from django.conf import settings  # noqa: E402  # nothing of Django's may be read before it is set up

from common.answers import send  # noqa: E402
from common.client_address import behind_proxies  # noqa: E402
from portal import addresses  # noqa: E402

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


def _choose_door(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Software is answered at the door of its address, and not led past what is for browsers.

    Where https is asked for, Django sends those who come without it there.
    """
    if not (settings.SECURE_SSL_REDIRECT and environ["wsgi.url_scheme"] != "https"):
        answer = addresses.answer(environ)
        if answer is not None:
            return send(environ, start_response, answer)
    return _django(environ, start_response)


# The caller's address is what the last trusted proxy saw; what a caller writes into X-Forwarded-For is not believed.
application = behind_proxies(_choose_door, settings.TRUSTED_PROXIES)

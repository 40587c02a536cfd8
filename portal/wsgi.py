"""The WSGI application that a production server runs."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

_django = get_wsgi_application()

from django.conf import settings  # noqa: E402  # nothing of Django's may be read before it is set up

from common.wsgi import behind_proxies, read_request, send  # noqa: E402
from portal import addresses  # noqa: E402

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


def _answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Answer at the door of the request's address, which leads software past what is for browsers; else by Django."""
    request = read_request(environ)
    found = environ[addresses.FOUND] = addresses.find(request.path)
    response = addresses.answer(request, found)
    if response is None:
        return _django(environ, start_response)
    return send(response, request.scheme, start_response)


# The caller's address is what the last trusted proxy saw; what a caller writes into X-Forwarded-For is not believed.
application = behind_proxies(_answer, settings.TRUSTED_PROXIES)

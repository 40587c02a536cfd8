"""The WSGI application that a production server runs."""

from __future__ import annotations

import os

from django.core.wsgi import get_wsgi_application
from granian.utils.proxies import wrap_wsgi_with_proxy_headers

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

_django = get_wsgi_application()

from django.conf import settings  # noqa: E402  # nothing of Django's may be read before it is set up

# The caller's address is what the last trusted proxy saw; what a caller writes into X-Forwarded-For is not believed.
application = wrap_wsgi_with_proxy_headers(_django, settings.TRUSTED_PROXIES)

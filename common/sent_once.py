"""A form that must not be done twice: a second click and a reload send the very same text."""

from __future__ import annotations

import hashlib

from django.core.cache import caches
from django.http import HttpRequest

#: Seconds for which a form that was sent is known.
_KNOWN_FOR = 24 * 60 * 60


def is_sent_first(request: HttpRequest) -> bool:
    """Has the person not sent this form before? Every page that is drawn has a form of its own, by its CSRF token.

    The cache tells, of two at once as well: all processes know of it where they share one (RATE_LIMIT_STORAGE_URL).
    """
    return bool(caches["pages"].add(_key(request), True, _KNOWN_FOR))


def may_be_sent_again(request: HttpRequest) -> None:
    """The form was refused, and did nothing."""
    caches["pages"].delete(_key(request))


def _key(request: HttpRequest) -> str:
    sent = f"{request.user.pk} {request.path} {request.POST.urlencode()}"
    return f"sent:{hashlib.sha256(sent.encode()).hexdigest()}"

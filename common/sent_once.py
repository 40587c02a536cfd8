"""A form that must not be done twice: a second click and a reload send the very same text."""

from __future__ import annotations

import hashlib

from django.core.cache import caches
from django.http import HttpRequest

#: Seconds for which a form that was sent is known.
_KNOWN_FOR = 24 * 60 * 60


def claim_submission(request: HttpRequest) -> bool:
    """Claim this form; False where the person has sent it before. Every page has a form of its own, by its CSRF token.

    The cache tells, of two at once as well: all processes know of it where they share one (RATE_LIMIT_STORAGE_URL).
    """
    return bool(caches["pages"].add(_key(request), True, _KNOWN_FOR))


def release_submission(request: HttpRequest) -> None:
    """Let the form be sent again: it was refused, and did nothing."""
    caches["pages"].delete(_key(request))


def _key(request: HttpRequest) -> str:
    sent = f"{request.user.pk} {request.path} {request.POST.urlencode()}"
    return f"sent:{hashlib.sha256(sent.encode()).hexdigest()}"

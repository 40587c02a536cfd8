"""The Content-Security-Policy: the portal's own files, and under /admin/ what the theme cannot do without.

The portal's host serves advertisers' code as well, for websites (events/script). So scripts and styles come from under
/static/ alone, where nobody puts any.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from csp.middleware import CSPMiddleware, PolicyParts
from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.urls import reverse

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponseBase


class PolicyMiddleware(CSPMiddleware):
    """django-csp's, with what holds for the host that was asked."""

    def get_policy_parts(
        self, request: HttpRequest, response: HttpResponseBase, report_only: bool = False
    ) -> PolicyParts:
        parts = super().get_policy_parts(request, response, report_only)
        static = _address(request, settings.STATIC_URL)
        own = {"script-src": [static], "style-src": [static]}
        if request.path.startswith("/admin/"):
            # Django's forms there read their words as a script.
            own["script-src"] += [_address(request, reverse("admin:jsi18n")), *settings.ADMIN_SCRIPT_SOURCES]
            own["style-src-attr"] = settings.ADMIN_STYLE_SOURCES
        parts.replace = own | (parts.replace or {})
        return parts


def _address(request: HttpRequest, path: str) -> str:
    """The whole one: 'self' has no path, so the host is named, as the page was asked for."""
    try:
        return request.build_absolute_uri(path)
    except DisallowedHost:  # the page says so
        return f"{settings.BASE_URL}{path}"

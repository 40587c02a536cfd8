"""The site of Django admin."""

from __future__ import annotations

from typing import Any

from django.core.paginator import InvalidPage
from django.http import Http404, HttpRequest, HttpResponse
from unfold.sites import UnfoldAdminSite


class AdminSite(UnfoldAdminSite):  # type: ignore[misc]  # the theme has no types
    """The theme's. Its search takes ``page`` as it comes: here, what is no page of the results is not found."""

    def search(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        try:
            response: HttpResponse = super().search(request, extra_context)
        except (InvalidPage, ValueError) as error:
            raise Http404 from error
        return response

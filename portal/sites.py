"""The site of Django admin."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.core.paginator import InvalidPage
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from unfold.sites import UnfoldAdminSite

from common.replica_pages import read_page

View = Callable[..., HttpResponseBase]


class AdminSite(UnfoldAdminSite):  # type: ignore[misc]  # the theme has no types
    """The theme's. Its search takes ``page`` as it comes: here, what is no page of the results is not found."""

    def search(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        try:
            response: HttpResponse = super().search(request, extra_context)
        except (InvalidPage, ValueError) as error:
            raise Http404 from error
        return response

    def admin_view(self, view: View, cacheable: bool = False) -> View:
        """The view for those who may open it, which is found out before; what it reads, a replica may tell."""

        @wraps(view)
        def page(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            return read_page(request, lambda: view(request, *args, **kwargs))

        wrapped: View = super().admin_view(page, cacheable)
        return wrapped

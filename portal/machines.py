"""Django for software that signs in with a token: without what only browsers need."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.handlers.exception import convert_exception_to_response
from django.core.handlers.wsgi import WSGIHandler
from django.utils import translation
from django.utils.module_loading import import_string

if TYPE_CHECKING:
    from collections.abc import Callable

    from _typeshed.wsgi import StartResponse, WSGIEnvironment
    from django.http import HttpRequest, HttpResponse, HttpResponseBase

#: The others of MIDDLEWARE are about sessions, languages, forms and pages. Of these, every answer needs what they add.
_MIDDLEWARE = (
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "portal.machines.nothing_to_show",
)
#: A browser's own. Software that sends these passes through all of MIDDLEWARE.
_BROWSERS = frozenset({"HTTP_COOKIE", "HTTP_ACCEPT_LANGUAGE"})
_ADDRESSES = frozenset({"/hub/graphql/", "/capig/graphql/"})


def is_machine(environ: WSGIEnvironment) -> bool:
    """Does the request ask GraphQL with a token, and with nothing that is a browser's?"""
    return (
        environ["PATH_INFO"] in _ADDRESSES
        and environ.get("HTTP_AUTHORIZATION", "")[:7].lower() == "bearer "
        and _BROWSERS.isdisjoint(environ)
    )


def nothing_to_show(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware: should a browser show the answer after all, it loads nothing."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        response["Content-Security-Policy"] = "default-src 'none'; frame-ancestors 'none'"
        return response

    return middleware


class MachineHandler(WSGIHandler):
    """Django with a few of its middleware, in English."""

    _get_response: Callable[[HttpRequest], HttpResponse]

    def load_middleware(self, is_async: bool = False) -> None:
        """Put the chain together, as Django does from MIDDLEWARE; none of these has hooks for views and templates."""
        chain = convert_exception_to_response(self._get_response)
        for path in reversed(_MIDDLEWARE):
            chain = convert_exception_to_response(import_string(path)(chain))
        self._view_middleware: list[Any] = []
        self._template_response_middleware: list[Any] = []
        self._exception_middleware: list[Any] = []
        self._middleware_chain = chain

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> HttpResponseBase:
        """Answer a request. A page before it may have left its language to this thread."""
        translation.deactivate()
        return super().__call__(environ, start_response)

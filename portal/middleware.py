"""Middleware of the web pages."""

from __future__ import annotations

import sys
from collections.abc import Callable

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseNotAllowed
from django.shortcuts import redirect, render
from django.template.loader import get_template
from django.utils.translation import gettext as _
from django.views.defaults import page_not_found

from accounts.models import User
from accounts.second_factors import lacks_second_factor
from accounts.web import principal_of_request
from common.client_address import client_network
from common.errors import TooManyRequests, unavailable
from common.query_timeout import limited_reads
from common.rate_limits import count_request
from events.intake.addresses import GATEWAY
from portal.addresses import is_page, nothing_here, reads_pages
from portal.health import ALIVE_PATH, HEALTH_PATH, REFERENCE_PATH

GetResponse = Callable[[HttpRequest], HttpResponseBase]

#: Where pages are that wait for the second factor; /auth/ has those on which it is set up. GraphQL asks by itself.
_WAITING = ("/hub/", "/admin/", "/see-as/")

#: The APIs, which count their callers, and what load balancers ask.
_COUNTED_OTHERWISE = (
    *("/hub/graphql/", "/capig/graphql/", "/clients/", "/api/usage", f"{GATEWAY}/"),
    *(HEALTH_PATH, ALIVE_PATH, REFERENCE_PATH),
)


def rate_limit_addresses(get_response: GetResponse) -> GetResponse:
    """Middleware: answer 429 to an address that asks for more pages than ADDRESS_RATE_LIMIT, signed in or not."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        if not request.path.startswith(_COUNTED_OTHERWISE):
            try:
                count_request("ADDRESS", client_network(request))
            except TooManyRequests as error:
                return too_many_requests(request, error.retry_after)
        return get_response(request)

    return middleware


def limit_read_time(get_response: GetResponse) -> GetResponse:
    """Middleware: what a page reads ends after READ_TIMEOUT_SECONDS; GraphQL comes by POST and sees to that itself."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        if request.method not in ("GET", "HEAD"):
            return get_response(request)
        with limited_reads():
            return get_response(request)

    return middleware


def too_many_requests(request: HttpRequest, retry_after: int = 60) -> HttpResponse:
    """The page that says so; allauth shows it too, to those who try too many passwords."""
    page = render(request, "429.html", status=429) if is_page(request) else HttpResponse(status=429)
    page["Retry-After"] = str(retry_after)
    return page


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """The page for an address where nothing is. For software, ``portal.addresses`` writes the answer."""
    if not is_page(request):
        return HttpResponse(status=404)
    if request.resolver_match is None and not reads_pages(request):
        return nothing_here()
    return page_not_found(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    """The page for an error that nobody foresaw, or for a database that is away."""
    away = unavailable(sys.exception())
    status, template = (away.code, "503.html") if away else (500, "500.html")
    # For software, ``portal.addresses`` writes the answer.
    page = HttpResponse(get_template(template).render() if is_page(request) else b"", status=status)
    if away:
        page["Retry-After"] = str(away.retry_after)
    return page


def no_store(get_response: GetResponse) -> GetResponse:
    """Middleware: browsers must not show from their store, once the person has signed out, what they were answered.

    Sessions are not read for it: the database may be what failed.
    """

    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        if settings.SESSION_COOKIE_NAME in request.COOKIES:
            response.headers.setdefault("Cache-Control", "private, no-store")
        return response

    return middleware


def render_method_not_allowed(get_response: GetResponse) -> GetResponse:
    """Middleware: a page for whoever reloads what was posted, or types its address; APIs use their own words."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        if not isinstance(response, HttpResponseNotAllowed) or not is_page(request):
            return response
        page = render(request, "405.html", status=response.status_code)
        page["Allow"] = response.headers["Allow"]
        return page

    return middleware


def require_second_factor(get_response: GetResponse) -> GetResponse:
    """Middleware: send the host's people to set up a second factor, where REQUIRE_MFA_FOR_HOST asks for one."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        if not request.path.startswith(_WAITING) or not is_page(request):
            return get_response(request)
        if not isinstance(request.user, User) or not lacks_second_factor(principal_of_request(request)):
            return get_response(request)
        if request.method != "GET":
            return render(request, "403_second_factor.html", status=403)
        messages.warning(request, _("Set up a second factor first: your host asks for one."))
        return redirect("mfa_index")

    return middleware

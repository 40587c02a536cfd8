"""The addresses of software: one table of who answers there, and in which form. All other addresses are pages.

Software reads no pages, and a permanent redirect (301) makes it repeat a POST as a GET. So a slash too many or too few
is put right here, and what Django would refuse with a page is told in the form that callers of the address read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import NamedTuple
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse
from django.urls import is_valid_path

from accounts.own_domains import is_own_domain
from common import refusals
from common.http import Request, Response, from_django, security_headers
from events.intake import browser_door, graph_answers
from events.intake import door as events_door
from events.intake.addresses import GATEWAY, events_path
from portal import tls_check
from portal.graphql import door as graphql_door

#: Answers a request itself, or None where Django does.
Door = Callable[[Request], Response | None]
GetResponse = Callable[[HttpRequest], HttpResponse]
#: Writes a refusal as callers of an address read it: from an HTTP status and a sentence.
Form = Callable[[int, str], bytes]


def _django(request: Request) -> None:
    return None


class Software(NamedTuple):
    """Addresses of software."""

    #: How the path begins. Before it is compared, slashes too many and spaces beside slashes are taken out.
    pattern: str
    #: For tests, which try all of them.
    example: str
    form: Form
    door: Door = _django
    #: May be asked under any host name: by load balancers, and by accounts' own domains (data routing).
    any_host: bool = False
    #: A door of events: it is all that answers at accounts' own domains.
    events: bool = False
    #: For what stands beside the portal, which asks by http, also where all others are sent to https.
    internal: bool = False


#: Whose address a path is, and the path put right.
Found = tuple[Software, str]

#: The first that matches holds. A new address of software is a line here.
TABLE = (
    Software(GATEWAY, events_path(17), graph_answers.as_graph_api, events_door.answer, any_host=True, events=True),
    # The Meta Pixel in visitors' browsers.
    Software(r"/events", "/events", graph_answers.as_graph_api, browser_door.answer, any_host=True, events=True),
    # Meta's SDKs, with this portal in the Graph API's place.
    Software(
        r"/v[0-9]+(\.[0-9]+)?",
        "/v24.0/17/events",
        graph_answers.as_graph_api,
        events_door.answer,
        any_host=True,
        events=True,
    ),
    Software(
        r"/[0-9]+(\.[0-9]+)?", "/17/events", graph_answers.as_graph_api, events_door.answer, any_host=True, events=True
    ),
    Software(r"(/hub)?/graphql(\.[a-z]+)?", "/hub/graphql", refusals.as_graphql, graphql_door.answer),
    Software(r"/capig", "/capig/graphql", refusals.as_graphql, graphql_door.answer),
    Software(r"/clients", "/clients/token", refusals.as_oauth),
    Software(r"/oauth2?", "/oauth/token", refusals.as_oauth),
    Software(r"/\.well-known", "/.well-known/oauth-authorization-server", refusals.as_oauth),
    Software(r"/api", "/api/usage", refusals.as_rest),
    Software(r"/healthz", "/healthz", refusals.as_rest, any_host=True),
    Software(r"/hub/health", "/hub/health", refusals.as_rest, any_host=True),
    Software(r"/internal", tls_check.PATH, refusals.as_rest, tls_check.answer, any_host=True, internal=True),
)
_COMPILED = tuple((re.compile(f"{each.pattern}(/.*)?", re.DOTALL | re.IGNORECASE), each) for each in TABLE)
#: What a browser's form is sent as.
_FORMS = frozenset(("application/x-www-form-urlencoded", "multipart/form-data", "text/plain"))
_SLASHES = re.compile(r"\s*/[/\s]*")


def find(path: str) -> Found | None:
    """Whose address the path is, and the path put right; None for pages."""
    tidy = _SLASHES.sub("/", path).rstrip("/ \t\r\n")
    return next(((software, tidy) for pattern, software in _COMPILED if pattern.fullmatch(tidy)), None)


def answer(request: Request) -> Response | None:
    """The response of the door at the request's address; None where Django answers.

    Where https is asked for, Django sends those who come without it there.
    """
    found = find(request.path)
    if _is_closed(request.headers["host"], found):
        return _closed(request, found)
    if found is None:
        return None
    software, path = found
    if settings.SECURE_SSL_REDIRECT and request.scheme != "https" and not software.internal:
        return None
    return software.door(request if path == request.path else request._replace(path=path))


def _is_closed(host: str, found: Found | None) -> bool:
    """An account's own domain serves its events alone: no page or sign-in, where whose they are could be mistaken."""
    return not (found and found[0].events) and is_own_domain(host)


def _closed(request: Request, found: Found | None) -> Response:
    if found is None and "html" in request.headers.get("accept", ""):
        page = f"<!doctype html><title>404</title><p>{_sentence(404, {})}"
        return Response(404, [("Content-Type", "text/html; charset=utf-8")], page.encode())
    form = found[0].form if found else refusals.as_rest
    return Response(404, [("Content-Type", "application/json")], form(404, _sentence(404, {})))


def api_conventions(get_response: GetResponse) -> GetResponse:
    """Middleware: put the addresses of APIs right, and write refusals in their form. It goes before all others."""

    def middleware(request: HttpRequest) -> HttpResponse:
        found = find(request.path_info)
        if _is_closed(request.META.get("HTTP_HOST", ""), found):
            return _as_django(request, _closed(from_django(request), found))
        if found is None:
            return get_response(request)
        software, path = found
        request.path = request.path_info = request.META["PATH_INFO"] = _as_served(path)
        if software.any_host:
            _accept_host(request)
        asked = request.method
        if asked == "HEAD":  # answered as GET; the server leaves the body out
            request.method = "GET"
        response = get_response(request)
        request.method = asked
        if response.status_code == HTTPStatus.MOVED_PERMANENTLY:  # to https
            response.status_code = HTTPStatus.PERMANENT_REDIRECT
        if response.status_code >= 300 and "json" not in response.headers.get("Content-Type", ""):
            _rewrite(request, response, software.form)
        return response

    return middleware


def _as_django(request: HttpRequest, response: Response) -> HttpResponse:
    headers = [*response.headers, *security_headers(request.scheme or "http")]
    return HttpResponse(response.body, status=response.status, headers=dict(headers))


def is_page(request: HttpRequest) -> bool:
    """Is the address one for people?"""
    return find(request.path_info) is None


def _as_served(path: str) -> str:
    """The address with a slash at its end, where the URLconf has it so."""
    return f"{path}/" if not is_valid_path(path) and is_valid_path(f"{path}/") else path


def reads_pages(request: HttpRequest) -> bool:
    """Is it a browser that asks, to show somebody the answer? Browsers name HTML in ``Accept``; software does not."""
    if "html" not in request.headers.get("Accept", "") and "HX-Request" not in request.headers:
        return False
    return request.method != "POST" or request.content_type in _FORMS


def nothing_here() -> HttpResponse:
    """The answer to software, at an address that nobody knows."""
    body = refusals.as_rest(404, _sentence(404, {}))
    return HttpResponse(body, content_type="application/json", status=404)


def _accept_host(request: HttpRequest) -> None:
    """Nobody could list these hosts in ALLOWED_HOSTS. No answer depends on them, so the portal's own stands in."""
    if not _is_own_host(request):
        request.META["HTTP_HOST"] = urlsplit(settings.BASE_URL).netloc


def _is_own_host(request: HttpRequest) -> bool:
    try:
        request.get_host()
    except DisallowedHost:
        return False
    return True


def _rewrite(request: HttpRequest, response: HttpResponse, form: Form) -> None:
    status = response.status_code
    if status == HTTPStatus.BAD_REQUEST and not _is_own_host(request):
        sentence = "This portal has another host name: ALLOWED_HOSTS lists those by which it is asked."
    else:
        sentence = _sentence(status, response.headers)
    response.content = form(status, sentence)
    response.headers["Content-Type"] = "application/json"
    response.headers["Content-Length"] = str(len(response.content))


def _sentence(status: int, headers: Mapping[str, str]) -> str:
    match status:
        case 308:
            return "This portal is asked by https."
        case 404:
            return "There is nothing at this address."
        case 405:
            return f"This address takes {headers.get('Allow', 'other methods')}."
        case 429:
            return "Too many requests: wait as long as Retry-After says."
        case 503:
            return "The portal cannot answer now. Please try again in a moment."
    return f"{HTTPStatus(status).phrase}."

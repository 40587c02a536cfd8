"""The addresses of software: one table of who answers there, and in which form. All other addresses are pages.

Software reads no pages, and a permanent redirect (301) makes it repeat a POST as a GET. So a slash too many or too few
is put right here, and what Django would refuse with a page is told in the form that callers of the address read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import NamedTuple
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse
from django.urls import is_valid_path

from accounts import token_door
from accounts.own_domains import is_own_domain
from common import refusals
from common.http import Request, Response, from_django, security_headers
from events.intake import browser_door, cors, graph_answers
from events.intake import door as events_door
from events.intake.addresses import GATEWAY, events_path
from events.intake.bodies import most_bytes
from events.intake.outbox import Storing, store, store_together
from events.script import door as script_door
from portal import health, metrics, tls_check
from portal.graphql import door as graphql_door

#: Answers a request itself, or None where Django does.
Door = Callable[[Request], Response | None]
#: Answers a request that brings events; those of a moment share a commit.
EventsDoor = Callable[[Request], Storing[Response]]
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
    #: Where events come in, in the door's place.
    events: EventsDoor | None = None
    #: Of a body no more is kept; where nothing is said, as much as the longest may have.
    most_bytes: int | None = None
    #: Answers at accounts' own domains, too.
    own_domains: bool = False
    #: For what stands beside the portal, which asks by http, also where all others are sent to https.
    internal: bool = False
    #: Answers from memory, whatever the database does: no thread is waited for.
    at_once: bool = False


#: Whose address a path is, and the path put right.
Found = tuple[Software, str]

#: Under this name Django's requests say whose address theirs is, so that it is looked for once.
FOUND = "portal.found"

#: The first that matches holds. A new address of software is a line here.
TABLE = (
    Software(GATEWAY, events_path(17), graph_answers.as_graph_api, any_host=True, events=events_door.storing),
    # The gateway's script in visitors' browsers; what is served is its own account's at accounts' own domains.
    Software(r"/sdk", "/sdk/17/events.js", refusals.as_rest, script_door.answer, any_host=True, own_domains=True),
    Software(
        r"/[0-9]+/events\.js", "/17/events.js", refusals.as_rest, script_door.answer, any_host=True, own_domains=True
    ),
    # The Meta Pixel in visitors' browsers.
    Software(
        r"/events",
        "/events",
        graph_answers.as_graph_api,
        any_host=True,
        events=browser_door.storing,
        most_bytes=most_bytes(browser_door.MAX_BODY_BYTES),
    ),
    # Meta's SDKs, with this portal in the Graph API's place.
    Software(
        r"/v[0-9]+(\.[0-9]+)?",
        "/v24.0/17/events",
        graph_answers.as_graph_api,
        any_host=True,
        events=events_door.storing,
    ),
    Software(
        r"/[0-9]+(\.[0-9]+)?", "/17/events", graph_answers.as_graph_api, any_host=True, events=events_door.storing
    ),
    Software(r"(/hub)?/graphql(\.[a-z]+)?", "/hub/graphql", refusals.as_graphql, graphql_door.answer),
    Software(r"/capig", "/capig/graphql", refusals.as_graphql, graphql_door.answer),
    Software(r"/clients", "/clients/token", refusals.as_oauth, token_door.answer),
    Software(r"/oauth2?", "/oauth/token", refusals.as_oauth),
    Software(r"/\.well-known", "/.well-known/oauth-authorization-server", refusals.as_oauth),
    Software(r"/api", "/api/usage", refusals.as_rest),
    Software(r"/healthz", "/healthz", refusals.as_rest, health.answer, any_host=True, internal=True),
    Software(r"/livez", "/livez", refusals.as_rest, health.answer_alive, any_host=True, internal=True, at_once=True),
    Software(r"/hub/health", "/hub/health", refusals.as_rest, health.answer, any_host=True, internal=True),
    Software(r"/metrics", metrics.PATH, refusals.as_rest, metrics.answer, any_host=True, internal=True),
    Software(r"/internal", tls_check.PATH, refusals.as_rest, tls_check.answer, any_host=True, internal=True),
)
_COMPILED = tuple((re.compile(f"{each.pattern}(/.*)?", re.DOTALL | re.IGNORECASE), each) for each in TABLE)
#: What a browser's form is sent as.
_FORMS = frozenset(("application/x-www-form-urlencoded", "multipart/form-data", "text/plain"))
#: Begins where no space is before it: else it would look from each of a million spaces to their end.
_SLASHES = re.compile(r"(?<!\s)\s*/[/\s]*")


def find(path: str) -> Found | None:
    """Whose address the path is, and the path put right; None for pages."""
    tidy = _SLASHES.sub("/", path).rstrip("/ \t\r\n")
    return next(((software, tidy) for pattern, software in _COMPILED if pattern.fullmatch(tidy)), None)


def road(found: Found | None) -> str:
    """On which of a few roads a request comes, as metrics tell them apart."""
    return _ROADS[id(found[0])] if found else "page"


def _road(software: Software) -> str:
    if software.events:
        return "browser" if software.events is browser_door.storing else "server"
    if software.internal:
        return "internal"
    return "graphql" if software.form is refusals.as_graphql else "rest"


_ROADS = {id(software): _road(software) for software in TABLE}


def route(found: Found | None) -> str | None:
    """The address as a template, as traces tell it; None where Django looks for what answers."""
    return _ROUTES.get(id(found[0])) if found else None


#: The examples, without what is one caller's.
_ROUTES = {
    id(software): re.sub(r"/[0-9]+(?=/)", "/{id}", re.sub(r"^/v[0-9.]+", "/{version}", software.example))
    for software in TABLE
    if software.events or software.door is not _django
}


def answer(request: Request, found: Found | None) -> Response | None:
    """The response of the door at the address that was found; None where Django answers.

    Where https is asked for, Django sends those who come without it there.
    """
    if found and found[0].events:
        return store(_storing(at(found[1], request), found[0].events))
    if found and found[0].at_once:
        return found[0].door(at(found[1], request))
    if _is_closed(request.headers["host"], found):
        return refusal(request, found, 404)
    if found is None or (_is_sent_to_https(request) and not found[0].internal):
        return None
    return found[0].door(at(found[1], request))


def answer_together(requests: Sequence[tuple[Request, EventsDoor]]) -> list[Response | None]:
    """The same for requests with events that came at the same time."""
    return store_together([_storing(request, door) for request, door in requests])


def _storing(request: Request, door: EventsDoor) -> Storing[Response | None]:
    if _is_sent_to_https(request):
        return None
    return (yield from door(request))


def _is_sent_to_https(request: Request) -> bool:
    return settings.SECURE_SSL_REDIRECT and request.scheme != "https"


def at(path: str, request: Request) -> Request:
    """The request at its address put right."""
    return request if path == request.path else request._replace(path=path)


def _is_closed(host: str, found: Found | None) -> bool:
    """An account's own domain has its events and script alone: no page or sign-in of which one could mistake whose."""
    return not (found and (found[0].events or found[0].own_domains)) and is_own_domain(host)


def refusal(
    request: Request, found: Found | None, status: int, *headers: tuple[str, str], sentence: str = ""
) -> Response:
    """What the request is told where neither a door nor Django is asked."""
    sentence = sentence or _sentence(status, {})
    if found is None and "html" in request.headers.get("accept", ""):
        page = f"<!doctype html><title>{status}</title><p>{sentence}"
        return Response(status, [*headers, ("Content-Type", "text/html; charset=utf-8")], page.encode())
    form = found[0].form if found else refusals.as_rest
    of_websites = cors.of_answer(request) if found and found[0].events else []
    return Response(status, [*headers, ("Content-Type", "application/json"), *of_websites], form(status, sentence))


def api_conventions(get_response: GetResponse) -> GetResponse:
    """Middleware: put the addresses of APIs right, and write refusals in their form. It goes before all others."""

    def middleware(request: HttpRequest) -> HttpResponse:
        found = _found_for(request)
        if _is_closed(request.META.get("HTTP_HOST", ""), found):
            return _as_django(request, refusal(from_django(request), found, 404))
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
    return _found_for(request) is None


def _found_for(request: HttpRequest) -> Found | None:
    """Whose address the request's is, looked for where the server has not done so."""
    if FOUND not in request.META:
        request.META[FOUND] = find(request.path_info)
    found: Found | None = request.META[FOUND]
    return found


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


_SENTENCES = {
    308: "This portal is asked by https.",
    404: "There is nothing at this address.",
    408: "The request took too long to arrive.",
    413: "The request is too large.",
    429: "Too many requests: wait as long as Retry-After says.",
    503: "The portal cannot answer now. Please try again in a moment.",
}


def _sentence(status: int, headers: Mapping[str, str]) -> str:
    if status == HTTPStatus.METHOD_NOT_ALLOWED:
        return f"This address takes {headers.get('Allow', 'other methods')}."
    return _SENTENCES.get(status) or f"{HTTPStatus(status).phrase}."

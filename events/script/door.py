"""The door for the script in visitors' browsers: GET /sdk/<id>/events.js, /<id>/events.js and /sdk/events.js.

/sdk/<id>/filter.js is the advertiser's own code.
"""

from __future__ import annotations

import re

from django.db import Error as DatabaseError
from django.utils.http import parse_etags

from accounts.own_domains import tenant_of_own_domain
from common import refusals
from common.client_address import network_of
from common.encodings import best_encoding
from common.errors import TooManyRequests
from common.http import Request, Response
from common.postgresql import close_if_cut_off
from common.rate_limits import count_request
from events.script.files import File, files_of, is_new, plain_file

#: Browsers and proxies keep it for half an hour: so long a change takes to reach every page.
_KEPT = ("Cache-Control", "public, max-age=1800")
#: Pages of every website load it, those that name who may be loaded (COEP) included.
_HEADERS = [
    ("Content-Type", "text/javascript; charset=utf-8"),
    ("Vary", "Accept-Encoding"),
    ("Access-Control-Allow-Origin", "*"),
    ("Cross-Origin-Resource-Policy", "cross-origin"),
]
_ADDRESS = re.compile(
    r"/sdk/events\.js|/(?:sdk/)?(?P<id>[0-9]{1,20})/events\.js|/sdk/(?P<filtered>[0-9]{1,20})/filter\.js", re.IGNORECASE
)


def answer(request: Request) -> Response:
    """The file, for who has not got it yet."""
    found = _ADDRESS.fullmatch(request.path)
    if found is None:
        return _refusal(404, "There is nothing at this address.")
    if request.method not in ("GET", "HEAD"):
        return _refusal(405, "This address takes GET, HEAD.", ("Allow", "GET, HEAD"))
    try:
        file = _file(found, request)
    except TooManyRequests as error:
        return _refusal(429, error.message, ("Retry-After", str(error.retry_after)))
    except DatabaseError:
        return _refusal(503, "The portal cannot answer now. Please try again in a moment.", ("Retry-After", "5"))
    if file is None:
        return _refusal(404, "There is no such script of a pixel.")
    return _as_asked(file, request)


def _file(found: re.Match[str], request: Request) -> File | None:
    """At an account's own domain, of the account's own pixels alone: another's code has no business there."""
    any_id = found["id"] or found["filtered"]
    if any_id is None:
        return plain_file()
    close_if_cut_off()
    if is_new(any_id):  # it may be made up: each costs a query
        count_request("BROWSER_ADDRESS", network_of(request.address))
    files = files_of(any_id)
    if files is None or tenant_of_own_domain(request.headers["host"]) not in (None, files.tenant_id):
        return None
    return files.filter if found["filtered"] else files.script


def _as_asked(file: File, request: Request) -> Response:
    encoding = best_encoding(request.headers.get("accept-encoding", ""), file.packed)
    headers = [*_HEADERS, _KEPT, ("ETag", file.etag(encoding))]
    # Proxies that pack or unpack make a tag weak.
    known = {etag.removeprefix("W/") for etag in parse_etags(request.headers.get("if-none-match", ""))}
    if known & {"*", file.etag(encoding)}:
        return Response(304, headers)
    if encoding:
        return Response(200, [*headers, ("Content-Encoding", encoding)], file.packed[encoding])
    return Response(200, headers, file.body)


def _refusal(status: int, sentence: str, *headers: tuple[str, str]) -> Response:
    return Response(status, [("Content-Type", "application/json"), *headers], refusals.as_rest(status, sentence))

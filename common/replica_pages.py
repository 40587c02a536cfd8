"""Pages that only read are read from the replica, where there is one (docs/decisions/0042).

Who asks, and what they may do, the primary has told before. A page whose replica fails, or lacks what it is about, is
made once more, from the primary. Whoever has changed something reads no older state than that: a cookie holds how far
the primary had written then.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import psycopg
from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, Error, connections
from django.http import HttpRequest, HttpResponseBase

from common.metrics import note_replica
from common.postgresql.replica import NotUsable, Replica, replica, written
from common.query_timeout import is_over

GetResponse = Callable[[HttpRequest], HttpResponseBase]

#: Holds a position of the primary's.
COOKIE = "wrote"
#: Beyond every position: the primary is read from.
_NEVER = 2**63 - 1
#: Longer than any replica may lag behind, and still be read from.
_KEPT_SECONDS = 60
_SAFE = ("GET", "HEAD", "OPTIONS", "TRACE")

#: PostgreSQL's codes: a standby writes nothing; replaying went before reading; somebody cancelled the statement.
_READ_ONLY = "25006"
_CONFLICTS = frozenset(("40001", "40P01", "57014"))


def read_page(request: HttpRequest, view: Callable[[], HttpResponseBase]) -> HttpResponseBase:
    """What ``view`` answers; where the request only reads, from the replica if that can tell."""
    source = replica()
    if source is None or request.method not in ("GET", "HEAD") or connections[DEFAULT_DB_ALIAS].in_atomic_block:
        return view()
    response = _from_replica(source, request, view, at_least=max(_position(request), source.bound()))
    return view() if response is None else response


def _from_replica(
    source: Replica, request: HttpRequest, view: Callable[[], HttpResponseBase], at_least: int
) -> HttpResponseBase | None:
    """None where the primary must be asked: whatever goes wrong here may be right there."""
    try:
        with source.in_place(at_least) as ours:
            response = _rendered(view())
            read = "failed" if ours.errors_occurred else "not found" if response.status_code >= 400 else "replica"
    except NotUsable as error:
        response, read = None, error.cause.value
    except Exception as error:
        if is_over():
            raise
        response, read = None, _cause(source, request, error)
    note_replica(read)
    return response if read == "replica" or is_over() else None


def _rendered(response: HttpResponseBase) -> HttpResponseBase:
    """Django renders some pages after their view; by then the primary is back."""
    render = getattr(response, "render", None)
    made: HttpResponseBase = render() if callable(render) else response
    return made


def _cause(source: Replica, request: HttpRequest, error: Exception) -> str:
    if not isinstance(error, Error):  # of what is not there yet, say: a link may be newer than the replica
        return "not found"
    code = getattr(error.__cause__, "sqlstate", None)
    if code == _READ_ONLY:
        request.has_written = True  # type: ignore[attr-defined]  # for remember_writes
        return "write"
    if code in _CONFLICTS:
        return "conflict"
    if isinstance(error.__cause__, (psycopg.OperationalError, psycopg.InterfaceError)):
        source.note_away(error)
        return "away"
    return "failed"


def _position(request: HttpRequest) -> int:
    """How far the primary had written when this browser changed something; 0 where it did not lately."""
    text = request.COOKIES.get(COOKIE, "")
    return int(text) if re.fullmatch("[0-9]{1,19}", text) else 0


def remember_writes(get_response: GetResponse) -> GetResponse:
    """Middleware: who has changed something, and is signed in, is given the cookie.

    It stands where it is known who that is, and who asks too often was refused: strangers cost the primary nothing.
    """

    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        may_have_written = request.method not in _SAFE or hasattr(request, "has_written")
        if may_have_written and replica() is not None and request.user.is_authenticated:
            response.set_cookie(
                COOKIE,
                str(_written()),
                max_age=settings.REPLICA_MAX_LAG_SECONDS + _KEPT_SECONDS,
                secure=settings.SESSION_COOKIE_SECURE,
                httponly=True,
                samesite="Lax",
            )
        return response

    return middleware


def _written() -> int:
    try:
        return written()
    except Error:
        return _NEVER

"""CORS for the intake: pages of every website may send events, and read the answer.

The answer names the page's own origin and allows credentials, since browsers insist on both where a request carries
cookies: a beacon of JSON always does, and ``fetch`` with ``credentials: "include"``. Nothing here reads a cookie, so
there is nothing to protect from other websites.
"""

from __future__ import annotations

import re

from common.http import Request

Headers = list[tuple[str, str]]

#: As browsers write it: "null", or a scheme and a host. Anything else is not repeated.
_ORIGIN = re.compile(r"null|[a-z][a-z0-9+.-]{0,30}://[!-+\--~]{1,300}")
#: Names of headers, as browsers ask for them.
_HEADER_NAMES = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~, -]{1,1000}")

_EXPOSED = ("Access-Control-Expose-Headers", "Retry-After")
_TO_NOBODY_KNOWN: Headers = [("Vary", "Origin"), ("Access-Control-Allow-Origin", "*"), _EXPOSED]


def of_answer(request: Request) -> Headers:
    """The headers of every answer, whatever its status."""
    origin = request.headers.get("origin", "")
    if not _ORIGIN.fullmatch(origin):
        return _TO_NOBODY_KNOWN
    return [
        ("Vary", "Origin"),
        ("Access-Control-Allow-Origin", origin),
        ("Access-Control-Allow-Credentials", "true"),
        _EXPOSED,
    ]


def of_preflight(request: Request) -> Headers:
    """What the answer to an OPTIONS request has besides.

    The headers that were asked for are named: with credentials, browsers take "*" for a header of that name.
    """
    asked_for = request.headers.get("access-control-request-headers", "")
    return [
        ("Access-Control-Allow-Methods", "POST, OPTIONS"),
        ("Access-Control-Allow-Headers", asked_for if _HEADER_NAMES.fullmatch(asked_for) else "Content-Type"),
        ("Access-Control-Max-Age", "86400"),
    ]

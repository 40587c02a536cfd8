"""Who calls: a bearer token (RFC 6750), or the session of the web UI with Django's CSRF check."""

from __future__ import annotations

import re

from django.http import HttpRequest
from ninja.utils import check_csrf

from accounts.authentication import principal_from_bearer, principal_from_session
from accounts.principals import Principal
from portal.errors import TooManyRequests
from portal.graphql.errors import RequestError
from portal.rate_limits import count_caller

#: RFC 6750 §3 wants a parameter behind the scheme.
CHALLENGE = 'Bearer realm="gateway"'

_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*")


def sign_in(request: HttpRequest) -> Principal:
    """The caller, or RequestError. A token beats a session; any other scheme (a proxy's Basic, say) is not for us."""
    try:
        principal = _identify(request)
    except RequestError:
        _count(request, None)
        raise
    _count(request, principal)
    return principal


def _count(request: HttpRequest, principal: Principal | None) -> None:
    try:
        count_caller(request, principal)
    except TooManyRequests as error:
        raise RequestError(error.message, code=429, headers={"Retry-After": str(error.retry_after)}) from None


def _identify(request: HttpRequest) -> Principal:
    scheme, _, credentials = request.META.get("HTTP_AUTHORIZATION", "").strip().partition(" ")
    if scheme.lower() == "bearer":
        return _by_token(credentials.strip())
    if request.method == "GET":
        raise _unauthorized("Sign in with a bearer token: a session may only send POST requests.")
    return _by_session(request)


def _by_token(token: str) -> Principal:
    if not _TOKEN.fullmatch(token):
        raise RequestError(
            "Authorization: must be the word Bearer and one token.",
            headers={"WWW-Authenticate": f'{CHALLENGE}, error="invalid_request"'},
        )
    principal = principal_from_bearer(token)
    if principal is None:
        raise _unauthorized("The access token is unknown or has expired.", error="invalid_token")
    return principal


def _by_session(request: HttpRequest) -> Principal:
    principal = principal_from_session(request)
    if principal is None:
        raise _unauthorized("Sign in: send a bearer token from POST /clients/token.")
    if check_csrf(request) is not None:
        raise _unauthorized("The CSRF check failed: send the CSRF token in the X-CSRFToken header.")
    return principal


def _unauthorized(message: str, *, error: str = "") -> RequestError:
    challenge = f'{CHALLENGE}, error="{error}"' if error else CHALLENGE
    return RequestError(message, code=401, headers={"WWW-Authenticate": challenge})

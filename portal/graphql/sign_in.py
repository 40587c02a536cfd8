"""Who calls: a bearer token (RFC 6750), or the session of the web UI with Django's CSRF check."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.http import HttpRequest
from ninja.utils import check_csrf

from accounts.authentication import BEARER_CHALLENGE, principal_from_bearer, principal_from_session, remembered_bearer
from accounts.last_use import last_uses
from accounts.principals import Principal
from common.errors import TooManyRequests
from common.graphql.errors import RequestError
from common.http import Request
from common.rate_limits import count_caller

_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*")


@dataclass(slots=True)
class Caller:
    """Who calls: a principal, and the token that it may be remembered by."""

    request: Request
    principal: Principal
    token: str = ""

    def confirm(self) -> None:
        """RequestError unless the principal is who calls, at this moment; before this, tell and do nothing."""
        if not (self.principal.guard is None or self.principal.guard.holds):
            with _counted(self.request):
                self.principal = _look_up(self.token)
        if self.principal.api_account is not None:
            last_uses.note(self.principal.api_account.pk, self.request.address)


def sign_in(request: Request, browser: HttpRequest | None) -> Caller:
    """The caller, or RequestError. A token beats a session; any other scheme (a proxy's Basic, say) is not for us."""
    with _counted(request):
        caller = _identify(request, browser)
    try:
        _count(request, caller.principal)
    except RequestError:
        caller.confirm()  # to wait is told to those alone who are known
        raise
    return caller


@contextmanager
def _counted(request: Request) -> Iterator[None]:
    """Count those who are refused, by their address."""
    try:
        yield
    except RequestError:
        _count(request, None)
        raise


def _count(request: Request, principal: Principal | None) -> None:
    try:
        count_caller(request.address, principal.label if principal else None)
    except TooManyRequests as error:
        raise RequestError(error.message, code=429, headers={"Retry-After": str(error.retry_after)}) from None


def _identify(request: Request, browser: HttpRequest | None) -> Caller:
    scheme, _, credentials = request.headers.get("authorization", "").strip().partition(" ")
    if scheme.lower() == "bearer":
        return _by_token(request, credentials.strip())
    if request.method == "GET":
        raise _unauthorized("Sign in with a bearer token: a session may only send POST requests.")
    return Caller(request, _by_session(browser))


def _by_token(request: Request, token: str) -> Caller:
    if not _TOKEN.fullmatch(token):
        raise RequestError(
            "Authorization: must be the word Bearer and one token.",
            headers={"WWW-Authenticate": f'{BEARER_CHALLENGE}, error="invalid_request"'},
        )
    if remembered := remembered_bearer(token):
        return Caller(request, remembered, token)
    return Caller(request, _look_up(token))


def _look_up(token: str) -> Principal:
    principal = principal_from_bearer(token)
    if principal is None:
        raise _unauthorized("The access token is unknown or has expired.", error="invalid_token")
    return principal


def _by_session(browser: HttpRequest | None) -> Principal:
    principal = principal_from_session(browser) if browser else None
    if browser is None or principal is None:
        raise _unauthorized("Sign in: send a bearer token from POST /clients/token.")
    if check_csrf(browser) is not None:
        raise _unauthorized("The CSRF check failed: send the CSRF token in the X-CSRFToken header.")
    return principal


def _unauthorized(message: str, *, error: str = "") -> RequestError:
    challenge = f'{BEARER_CHALLENGE}, error="{error}"' if error else BEARER_CHALLENGE
    return RequestError(message, code=401, headers={"WWW-Authenticate": challenge})

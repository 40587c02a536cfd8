"""What the REST API's operations have in common: who calls, and what a refusal looks like."""

from __future__ import annotations

import logging
from typing import Any

from django.db import Error as DatabaseError
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from ninja import NinjaAPI, Schema
from ninja.errors import AuthenticationError, ValidationError
from ninja.security import HttpBearer

from accounts.authentication import BEARER_CHALLENGE, principal_from_bearer, principal_from_session
from accounts.last_use import last_uses
from accounts.principals import Principal
from common.client_address import client_address
from common.errors import InvalidInput, NotAuthorized, PortalError, TooManyRequests, Unavailable, unavailable
from common.rate_limits import count_caller

logger = logging.getLogger(__name__)


class Problem(Schema):
    """What is wrong: in words, as the HTTP status again, and with the parameter that it is about."""

    message: str
    code: int
    field: str | None = None


class Refused(Schema):
    """The answer to a request that was refused; it has changed nothing."""

    error: Problem


class SignedIn(HttpBearer):
    """A bearer token from POST /clients/token, or the session of the web UI. A token beats a session.

    For operations that only read: a session's other requests need Django's CSRF check.
    """

    def __call__(self, request: HttpRequest) -> Principal | None:
        principal = self._principal(request)
        count_caller(client_address(request), principal.label if principal else None)
        return principal

    def _principal(self, request: HttpRequest) -> Principal | None:
        if request.headers.get("Authorization", "").lower().startswith("bearer"):
            principal: Principal | None = super().__call__(request)
            return principal
        return principal_from_session(request)

    def authenticate(self, request: HttpRequest, token: str) -> Principal | None:
        principal = principal_from_bearer(token.strip())
        if principal and principal.api_account:
            last_uses.note(principal.api_account.pk, client_address(request))
        return principal


def render_refusals(api: NinjaAPI) -> None:
    """Have the API answer refusals in the form of ``Refused``."""
    for kind in (PortalError, AuthenticationError, ValidationError, InterfaceError, OperationalError):
        api.add_exception_handler(kind, lambda request, error: _refuse(_as_ours(error)))


def _as_ours(error: object) -> PortalError:
    if isinstance(error, PortalError):
        return error
    if isinstance(error, DatabaseError):
        logger.warning("The database did not answer a request.", exc_info=error)
        away = unavailable(error)
        if away is None:
            raise error
        return away
    if isinstance(error, ValidationError):
        fault: dict[str, Any] = error.errors[0]
        return InvalidInput(str(fault["loc"][-1]), f"{fault['msg'].lower()}.")
    return NotAuthorized("Sign in: send a bearer token from POST /clients/token.")


def _refuse(error: PortalError) -> HttpResponse:
    problem = Problem(message=error.message, code=error.code, field=error.field)
    response = JsonResponse({"error": problem.model_dump(exclude_none=True)}, status=error.code)
    if error.code == 401:
        response["WWW-Authenticate"] = BEARER_CHALLENGE  # RFC 9110 §15.5.2
    if isinstance(error, TooManyRequests | Unavailable):
        response["Retry-After"] = str(error.retry_after)
    return response

"""The OAuth 2 authorization server: client credentials for API accounts (docs/decisions/0004-oauth.md).

Authlib runs the grant, revocation and introspection. What it leaves open is closed here: how a request is read, one
answer to every failed sign-in, and the limit on failures. Sections (§) are those of RFC 6749.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable
from functools import partial
from typing import Any

from authlib.common.encoding import json_dumps
from authlib.oauth2 import AuthorizationServer, OAuth2Error
from authlib.oauth2.rfc6749 import (
    ClientCredentialsGrant,
    InvalidRequestError,
    TokenEndpoint,
)
from authlib.oauth2.rfc7009 import RevocationEndpoint
from authlib.oauth2.rfc7662 import IntrospectionEndpoint
from authlib.oauth2.rfc8414 import AuthorizationServerMetadata
from django.conf import settings
from django.urls import reverse

from accounts.models import AccessToken, ApiAccount, RoleLevel
from accounts.oauth_requests import (
    AUTH_METHODS,
    AccountExpired,
    DatabaseAway,
    OurFault,
    SignInFailed,
    SlowDown,
    TokenRequest,
    TooManyFailures,
)
from accounts.principals import principal_of_api_account
from accounts.role_names import role_name
from accounts.services.api_accounts import (
    check_credentials,
    find_access_token,
    revoke_access_token,
    store_access_token,
)
from common.errors import NotFound, TooManyRequests, unavailable
from common.http import Request, Response
from common.rate_limits import RateLimit, count_request

logger = logging.getLogger(__name__)

#: What a token may be good for: a role that API accounts act in.
SCOPES = [role_name(level, None) for level in (RoleLevel.ADMIN, RoleLevel.VIEW)]


def scope_of(api_account: ApiAccount) -> str:
    """What the account's tokens are good for; ``tenant:<id>`` follows the role where it holds in one account alone."""
    role = role_name(RoleLevel.VIEW if api_account.read_only else RoleLevel.ADMIN, None)
    return f"{role} tenant:{api_account.tenant_id}" if api_account.tenant_id else role


class PortalAuthorizationServer(AuthorizationServer):
    """Authlib's server over ApiAccount and AccessToken."""

    def create_token_response(self, request: Request) -> Response:
        """A token for the API account that the request names."""
        return self._answered(request, super().create_token_response)

    def create_endpoint_response(self, name: str, request: Request) -> Response:
        """What the endpoint of that name says to the request."""
        return self._answered(request, partial(super().create_endpoint_response, name))

    def _answered(self, request: Request, answer: Callable[[Request], Response]) -> Response:
        """Authlib answers the errors of its own steps; those of reading the request are answered here."""
        try:
            response = answer(request)
        except OAuth2Error as error:
            response = self.handle_error_response(request, error)
        except Exception as error:
            logger.exception("A request about a token could not be answered.")
            fault = DatabaseAway() if unavailable(error) else OurFault()
            response = self.handle_error_response(request, fault)
        return response

    def handle_response(self, status: int, body: Any, headers: list[tuple[str, str]]) -> Response:
        """The answer, as doors give it."""
        return Response(status, headers, (json_dumps(body) if isinstance(body, dict) else body).encode())

    def send_signal(self, name: str, *args: object, **kwargs: object) -> None:
        """Nobody listens."""

    def create_oauth2_request(self, request: Request) -> TokenRequest:
        """Read the request, more strictly than Authlib."""
        return TokenRequest(request)

    def get_token_grant(self, request: TokenRequest) -> ClientCredentialsGrant:
        """A missing grant type is an invalid request; Authlib calls it an unsupported one."""
        if not request.payload.grant_type:
            raise InvalidRequestError("grant_type is missing.")
        return super().get_token_grant(request)

    def authenticate_client(self, request: TokenRequest, methods: list[str], endpoint: str = "token") -> ApiAccount:
        """The API account. Failures are counted by client and address; beyond the limit no secret is looked at.

        Replaces Authlib's look-up by method, which tells unknown clients apart.
        """
        failures = RateLimit("token", settings.TOKEN_RATE_LIMIT)
        who = (request.name, request.address)
        if failures.is_exhausted(*who):
            raise TooManyFailures(failures.retry_after(*who))
        api_account = check_credentials(name=request.name, secret=request.secret)
        if api_account is None:
            failures.hit(*who)
            try:  # many names from one address
                count_request("ADDRESS", request.address)
            except TooManyRequests as error:
                raise TooManyFailures(error.retry_after) from None
            raise SignInFailed
        if api_account.has_expired:
            raise AccountExpired
        return api_account

    def save_token(self, token: dict[str, Any], request: TokenRequest) -> None:
        """Keep the token's hash, unless the account was deleted since it signed in."""
        try:
            kept = store_access_token(
                api_account=request.client,
                token=token["access_token"],
                secret=request.secret,
                address=request.sender,
            )
        except NotFound:
            raise SignInFailed from None
        token["expires_in"] = round((kept.expires_at - kept.issued_at).total_seconds())


def bearer_token(*, client: ApiAccount, scope: str | None = None, **_: Any) -> dict[str, Any]:
    """A new token, as the client gets it (§5.1); the reference's clients read ``token``.

    Whatever scope is asked for is ignored, and the answer says which holds (§3.3).
    """
    value = secrets.token_urlsafe(32)
    return {
        "access_token": value,
        "token": value,
        "token_type": "Bearer",  # nosec B105  # the scheme
        "expires_in": settings.TOKEN_LIFETIME_SECONDS,
        **({"scope": scope_of(client)} if scope else {}),
    }


class OwnTokens(TokenEndpoint):
    """An endpoint about a token of the API account that asks; another's is as unknown as one that never was."""

    CLIENT_AUTH_METHODS = AUTH_METHODS

    def authenticate_token(self, request: TokenRequest, client: ApiAccount) -> AccessToken | None:
        """The token, if it is the client's and valid. Each question is counted, as a request with the token is.

        There is one type of token, so ``token_type_hint`` says nothing here.
        """
        token = request.payload.data.get("token")
        if not token:
            raise InvalidRequestError("token is missing.")
        try:
            count_request("API", principal_of_api_account(client).label)
        except TooManyRequests as error:
            raise SlowDown(error.retry_after) from None
        return find_access_token(api_account=client, token=token)


class Revocation(OwnTokens, RevocationEndpoint):
    """RFC 7009: an API account ends a token of its own."""

    def revoke_token(self, token: AccessToken, request: TokenRequest) -> None:
        """End it, at once and everywhere."""
        revoke_access_token(token)


class Introspection(OwnTokens, IntrospectionEndpoint):
    """RFC 7662: an API account asks whether a token of its own is valid, and until when."""

    def introspect_token(self, token: AccessToken) -> dict[str, Any]:
        """What is told of a valid token."""
        return {
            "client_id": token.api_account.name,
            "sub": token.api_account.name,
            "token_type": "Bearer",  # nosec B105  # the scheme
            "scope": scope_of(token.api_account),
            "iat": int(token.issued_at.timestamp()),
            "exp": int(token.expires_at.timestamp()),
            "iss": settings.BASE_URL,
        }


def metadata() -> AuthorizationServerMetadata:
    """What RFC 8414 has clients find out by themselves."""
    methods = list(AUTH_METHODS)
    return AuthorizationServerMetadata(
        issuer=settings.BASE_URL,
        token_endpoint=f"{settings.BASE_URL}{reverse('token')}",
        token_endpoint_auth_methods_supported=methods,
        revocation_endpoint=f"{settings.BASE_URL}{reverse('revoke_token')}",
        revocation_endpoint_auth_methods_supported=methods,
        introspection_endpoint=f"{settings.BASE_URL}{reverse('introspect_token')}",
        introspection_endpoint_auth_methods_supported=methods,
        scopes_supported=SCOPES,
        grant_types_supported=[ClientCredentialsGrant.GRANT_TYPE],
        response_types_supported=[],  # of an authorization endpoint, which is not there
    )


authorization_server = PortalAuthorizationServer()
authorization_server.register_token_generator("default", bearer_token)
authorization_server.register_grant(ClientCredentialsGrant)
authorization_server.register_endpoint(Revocation)
authorization_server.register_endpoint(Introspection)

"""The OAuth 2 authorization server: client credentials for API accounts (docs/decisions/0004-oauth.md).

Authlib runs the grant. What it leaves open is closed here: how a request is read, one answer to every failed sign-in,
no scopes, and the limit on failures. Sections (§) are those of RFC 6749.
"""

from __future__ import annotations

import logging
import secrets
from typing import Any

from authlib.integrations.django_oauth2 import AuthorizationServer
from authlib.oauth2 import OAuth2Error, OAuth2Request
from authlib.oauth2.rfc6749 import (
    ClientCredentialsGrant,
    InvalidClientError,
    InvalidRequestError,
    InvalidScopeError,
)
from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload
from authlib.oauth2.rfc6749.util import extract_basic_authorization
from django.conf import settings
from django.core.exceptions import BadRequest, SuspiciousOperation
from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django.http.multipartparser import MultiPartParserError

from accounts.models import AccessToken, ApiAccount
from accounts.services.api_accounts import check_credentials, store_access_token
from portal.client_address import client_network
from portal.errors import NotFound, TooManyRequests, Unavailable, unavailable
from portal.rate_limits import RateLimit, count_request

logger = logging.getLogger(__name__)

PARAMETERS = ("grant_type", "client_id", "client_secret", "scope")
FORM_TYPES = ("application/x-www-form-urlencoded", "multipart/form-data")
MAX_BODY_BYTES = 10_000
MAX_PARAMETER_LENGTH = 500
#: What Django raises for a form that it cannot or will not read; LookupError is an unknown charset.
UNREADABLE = (BadRequest, LookupError, MultiPartParserError, SuspiciousOperation, UnreadablePostError, ValueError)


class SignInFailed(InvalidClientError):
    """One answer whether the account is unknown or the secret wrong (§5.2); a 401 always names its scheme."""

    status_code = 401
    description = "The API account is unknown, or the secret is wrong."

    def get_headers(self) -> list[tuple[str, str]]:
        """Authlib's challenge lacks the realm, which RFC 7617 requires."""
        return [*OAuth2Error.get_headers(self), ("WWW-Authenticate", 'Basic realm="API accounts", charset="UTF-8"')]


class TooManyFailures(OAuth2Error):
    """The limit on failures is reached. ``slow_down`` is the registered code that says so (RFC 8628 §3.5)."""

    status_code = 429
    error = "slow_down"
    description = "Too many failed attempts: wait as long as Retry-After says."

    def __init__(self, retry_after: int) -> None:
        super().__init__()
        self.retry_after = retry_after

    def get_headers(self) -> list[tuple[str, str]]:
        """Say how long to wait."""
        return [*super().get_headers(), ("Retry-After", str(self.retry_after))]


class OurFault(OAuth2Error):
    """What nobody foresaw, told in the form of the other errors; the code is §4.1.2.1's, since §5.2 has none."""

    status_code = 500
    error = "server_error"
    description = "Something went wrong here. Try again in a moment."


class DatabaseAway(OAuth2Error):
    """The code is §4.1.2.1's as well."""

    status_code = Unavailable.code
    error = "temporarily_unavailable"
    description = "The database does not answer. Try again in a moment."

    def get_headers(self) -> list[tuple[str, str]]:
        """Say how long to wait."""
        return [*super().get_headers(), ("Retry-After", str(Unavailable.retry_after))]


def read_form(request: HttpRequest) -> dict[str, str]:
    """The parameters that we know; others are ignored, and one without a value counts as not sent (§3.2)."""
    if request.content_type not in FORM_TYPES:
        raise InvalidRequestError(f"Send the parameters as {' or '.join(FORM_TYPES)}.")
    try:
        if int(request.META.get("CONTENT_LENGTH") or 0) > MAX_BODY_BYTES:
            raise InvalidRequestError(f"The body must have at most {MAX_BODY_BYTES} bytes.")
        query, form = request.GET, request.POST
    except UNREADABLE:
        raise InvalidRequestError("The body cannot be read as a form.") from None
    for name in PARAMETERS:
        if name in query:
            raise InvalidRequestError(f"{name} belongs into the body: addresses are logged.")
        if len(form.getlist(name)) > 1:
            raise InvalidRequestError(f"{name} is repeated.")
        if len(form.get(name, "")) > MAX_PARAMETER_LENGTH:
            raise InvalidRequestError(f"{name} must have at most {MAX_PARAMETER_LENGTH} characters.")
    return {name: form[name] for name in PARAMETERS if form.get(name)}


def read_credentials(authorization: str, form: dict[str, str]) -> tuple[str, str]:
    """Name and secret, from the Authorization header or from the form, never from both (§2.3.1)."""
    if not authorization:
        return form.get("client_id", ""), form.get("client_secret", "")
    if "client_secret" in form:
        raise InvalidRequestError("Send the secret in one place: in the Authorization header or in the form.")
    try:
        name, secret = extract_basic_authorization({"Authorization": authorization})
    except ValueError:  # not UTF-8
        raise SignInFailed from None
    if form.get("client_id", name) != name:
        raise InvalidRequestError("client_id differs from the name in the Authorization header.")
    return name or "", secret or ""


class TokenRequest(OAuth2Request):
    """A request for a token, as far as it can be read."""

    def __init__(self, request: HttpRequest) -> None:
        # Authlib refuses any address without https. TLS may end before us: SECURE_SSL_REDIRECT is what enforces it.
        super().__init__("POST", f"https://{request.get_host()}{request.path}", headers=request.headers)
        form = read_form(request)
        self.payload = BasicOAuth2Payload(form)
        self.address = client_network(request)
        self.name, self.secret = read_credentials(request.headers.get("Authorization", ""), form)


class PortalAuthorizationServer(AuthorizationServer):
    """Authlib's server over ApiAccount and AccessToken."""

    def create_token_response(self, request: HttpRequest) -> HttpResponse:
        """Authlib answers the errors of the grant; those of reading the request are answered here."""
        try:
            response: HttpResponse = super().create_token_response(request)
        except OAuth2Error as error:
            response = self.handle_error_response(request, error)
        except Exception as error:
            logger.exception("A token could not be issued.")
            fault = DatabaseAway() if unavailable(error) else OurFault()
            response = self.handle_error_response(request, fault)
        return response

    def create_oauth2_request(self, request: HttpRequest) -> TokenRequest:
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
        return api_account

    def validate_requested_scope(self, scope: str | None) -> None:
        """There are none, so each is invalid (§3.3); Authlib lets all pass where none are configured."""
        if scope:
            raise InvalidScopeError("There are no scopes here: leave the parameter out.")

    def save_token(self, token: dict[str, Any], request: TokenRequest) -> None:
        """Keep the token's hash, unless the account was deleted since it signed in."""
        try:
            store_access_token(api_account=request.client, token=token["access_token"])
        except NotFound:
            raise SignInFailed from None


def bearer_token(**_: Any) -> dict[str, Any]:
    """A new token, as the client gets it (§5.1); the reference's clients read ``token``."""
    value = secrets.token_urlsafe(32)
    return {
        "access_token": value,
        "token": value,
        "token_type": "Bearer",  # nosec B105  # the scheme
        "expires_in": settings.TOKEN_LIFETIME_SECONDS,
    }


authorization_server = PortalAuthorizationServer(ApiAccount, AccessToken)
authorization_server.register_token_generator("default", bearer_token)
authorization_server.register_grant(ClientCredentialsGrant)

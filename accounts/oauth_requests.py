"""How a request about tokens is read, and the errors that it may get. Sections (§) are those of RFC 6749."""

from __future__ import annotations

from authlib.oauth2 import OAuth2Error, OAuth2Request
from authlib.oauth2.rfc6749 import InvalidClientError, InvalidRequestError
from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload
from authlib.oauth2.rfc6749.util import extract_basic_authorization
from django.core.exceptions import BadRequest, SuspiciousOperation
from django.http import UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from django.utils.http import parse_header_parameters

from common.client_address import network_of
from common.errors import Unavailable
from common.http import Form, Request

PARAMETERS = ("grant_type", "client_id", "client_secret", "scope", "token")
FORM_TYPES = ("application/x-www-form-urlencoded", "multipart/form-data")
#: The ways of signing in that ``read_credentials`` knows.
AUTH_METHODS = ("client_secret_basic", "client_secret_post")
MAX_BODY_BYTES = 10_000
MAX_PARAMETER_LENGTH = 500
#: What Django raises for a form that it cannot or will not read; LookupError is an unknown charset.
UNREADABLE = (
    *(BadRequest, LookupError, MultiPartParserError, OSError, SuspiciousOperation, UnreadablePostError, ValueError),
)


class SignInFailed(InvalidClientError):
    """One answer whether the account is unknown or the secret wrong (§5.2); a 401 always names its scheme."""

    status_code = 401
    description = "The API account is unknown, or the secret is wrong."

    def get_headers(self) -> list[tuple[str, str]]:
        """Authlib's challenge lacks the realm, which RFC 7617 requires."""
        return [*OAuth2Error.get_headers(self), ("WWW-Authenticate", 'Basic realm="API accounts", charset="UTF-8"')]


class AccountExpired(SignInFailed):
    """Told to who knows the secret, and to nobody else."""

    description = "The API account has expired. Ask an admin of the host for a later end, or for another account."


class SlowDown(OAuth2Error):
    """A limit is reached. ``slow_down`` is the registered code that says so (RFC 8628 §3.5)."""

    status_code = 429
    error = "slow_down"
    description = "Too many requests: wait as long as Retry-After says."

    def __init__(self, retry_after: int) -> None:
        super().__init__()
        self.retry_after = retry_after

    def get_headers(self) -> list[tuple[str, str]]:
        """Say how long to wait."""
        return [*super().get_headers(), ("Retry-After", str(self.retry_after))]


class TooManyFailures(SlowDown):
    """The limit on failures is reached."""

    description = "Too many failed attempts: wait as long as Retry-After says."


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


def read_form(request: Request) -> dict[str, str]:
    """The parameters that we know; others are ignored, and one without a value counts as not sent (§3.2)."""
    if parse_header_parameters(request.headers.get("content-type", ""))[0] not in FORM_TYPES:
        raise InvalidRequestError(f"Send the parameters as {' or '.join(FORM_TYPES)}.")
    try:
        sent = Form(request, _read_body(request))
        form = sent.read_fields()
    except UNREADABLE:
        raise InvalidRequestError("The body cannot be read as a form.") from None
    for name in PARAMETERS:
        if name in sent.GET:
            raise InvalidRequestError(f"{name} belongs into the body: addresses are logged.")
        if len(form.getlist(name)) > 1:
            raise InvalidRequestError(f"{name} is repeated.")
        if len(form.get(name, "")) > MAX_PARAMETER_LENGTH:
            raise InvalidRequestError(f"{name} must have at most {MAX_PARAMETER_LENGTH} characters.")
    return {name: str(form[name]) for name in PARAMETERS if form.get(name)}


def _read_body(request: Request) -> bytes:
    length = request.content_length or 0
    body = b"" if length > MAX_BODY_BYTES else request.body.read(MAX_BODY_BYTES + 1)
    if max(length, len(body)) > MAX_BODY_BYTES:
        raise InvalidRequestError(f"The body must have at most {MAX_BODY_BYTES} bytes.")
    if len(body) < length:
        raise InvalidRequestError("The body did not arrive whole.")
    return body


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

    def __init__(self, request: Request) -> None:
        # Authlib refuses any address without https. TLS may end before us: SECURE_SSL_REDIRECT is what enforces it.
        super().__init__("POST", f"https://{request.headers['host']}{request.path}", headers=request.headers)
        form = read_form(request)
        self.payload = BasicOAuth2Payload(form)
        self._body = form  # where Authlib's endpoints look for ``token``
        self.sender = request.address
        self.address = network_of(request.address)
        self.name, self.secret = read_credentials(request.headers.get("authorization", ""), form)

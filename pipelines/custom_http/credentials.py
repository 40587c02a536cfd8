"""Who sends: a key, a password, a token that is fetched, or one that is signed here.

A token that is signed is sent as it is, as a bearer (docs/decisions/0033-http-destinations.md).
"""

from __future__ import annotations

import base64
import time
from urllib.parse import urlsplit

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

from pipelines.custom_http.answers import Held, Wait
from pipelines.custom_http.configuration import Secrets, Shown
from pipelines.custom_http.requests import CredentialPlace
from pipelines.custom_http.tokens import fetched_token

#: How long a signed token is good for, in seconds; each request gets its own.
SIGNED_TOKEN_SECONDS = 300

#: Shorter keys are guessed (RFC 7518, section 3.3).
RSA_MIN_BITS = 2_048
_EC_ALGORITHMS = {"secp256r1": "ES256", "secp384r1": "ES384", "secp521r1": "ES512"}


def place_of(shown: Shown) -> CredentialPlace | None:
    """Where the credential stands; None where there is none."""
    match shown.auth_type:
        case "NONE":
            return None
        case "API_KEY" if shown.api_key_auth:
            return CredentialPlace(shown.api_key_auth.name, is_parameter=shown.api_key_auth.add_to == "QUERY_PARAM")
        case "BASIC":
            return CredentialPlace("Authorization", "Basic ")
        case _:
            return CredentialPlace("Authorization", "Bearer ")


def credential_of(shown: Shown, secrets: Secrets, *, is_renewed: bool = False) -> str | Wait | Held:
    """What stands there, or why it cannot be had."""
    match shown.auth_type:
        case "CLIENT_CREDENTIALS" if shown.client_credentials_auth:
            return fetched_token(shown.client_credentials_auth, secrets.client_secret, is_renewed=is_renewed)
        case "JSON_WEB_TOKEN" if shown.json_web_token_auth:
            account = shown.json_web_token_auth.service_user_account
            return signed_token(account, audience_of(shown.endpoint), secrets.private_key)
        case "BASIC":
            return basic_credential(secrets.credentials)
        case _:
            return secrets.api_key


def basic_credential(credentials: str) -> str:
    """``user:password`` in its encoded form (RFC 7617); what has no colon is taken to have it already."""
    return base64.b64encode(credentials.encode()).decode() if ":" in credentials else credentials


def audience_of(endpoint: str) -> str:
    """Whom a token is for: the endpoint's host, with a slash, as servers that take such tokens call themselves."""
    parts = urlsplit(endpoint)
    return f"{parts.scheme}://{parts.netloc}/"


def signed_token(account: str, audience: str, private_key: str) -> str | Held:
    """A token in the account's name (RFC 7519, RFC 9068 has the same claims)."""
    now = int(time.time())
    claims = {"iss": account, "sub": account, "aud": audience, "iat": now, "exp": now + SIGNED_TOKEN_SECONDS}
    try:
        key, algorithm = read_private_key(private_key)
        return jwt.encode({"alg": algorithm, "typ": "JWT"}, claims, key, algorithms=[algorithm])
    except (JoseError, ValueError):
        return Held("The private key cannot sign.")


def read_private_key(text: str) -> tuple[RSAKey | ECKey, str]:
    """A key in PEM form, and what it signs with; ValueError for any other text."""
    try:
        key = load_pem_private_key(text.encode(), password=None)
    except (TypeError, UnsupportedAlgorithm) as error:
        raise ValueError("no key that can be read") from error
    if isinstance(key, RSAPrivateKey) and key.key_size >= RSA_MIN_BITS:
        return RSAKey.import_key(key), "RS256"
    if isinstance(key, EllipticCurvePrivateKey) and key.curve.name in _EC_ALGORITHMS:
        return ECKey.import_key(key), _EC_ALGORITHMS[key.curve.name]
    raise ValueError("no key that is good for tokens")

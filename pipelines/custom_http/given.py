"""What a caller gives for a destination, and what is stored of it: what may be shown (``Shown``), and ``Secrets``."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, TypeVar
from urllib.parse import urlsplit

import msgspec
from django.db.models import TextChoices

from common.errors import InvalidInput
from common.validation import clean_text, refuse_control_characters
from pipelines.custom_http.checking import check_credentials, check_private_key, check_template, clean_endpoint
from pipelines.custom_http.template import TEMPLATE_MAX_LENGTH
from pipelines.validation import clean_script

SECRET_MAX_LENGTH = 4_096
NAME_MAX_LENGTH = 255
#: Of a header, and good for a parameter.
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
#: They say how the request itself is to be read.
_RESERVED_HEADERS = frozenset(
    (
        "accept-encoding", "connection", "content-encoding", "content-length", "content-type", "expect", "host",
        "keep-alive", "proxy-authorization", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade",
    )
)  # fmt: skip


class HttpMethod(TextChoices):
    """The reference's ``HttpMethodType``."""

    GET = "GET"
    POST = "POST"
    PUT = "PUT"
    UNKNOWN = "UNKNOWN"


class AddTo(TextChoices):
    """The reference's ``AddAuthTo``."""

    HEADER = "HEADER"
    QUERY_PARAM = "QUERY_PARAM"
    UNKNOWN = "UNKNOWN"


class AuthType(TextChoices):
    """The reference's ``AuthType``."""

    NONE = "NONE"
    API_KEY = "API_KEY"
    BASIC = "BASIC"
    CLIENT_CREDENTIALS = "CLIENT_CREDENTIALS"
    JSON_WEB_TOKEN = "JSON_WEB_TOKEN"  # noqa: S105  # the name of a way  # nosec B105
    UNKNOWN = "UNKNOWN"


class HttpConfig(msgspec.Struct, frozen=True, kw_only=True):
    """What a caller gives. Of the ways to sign in, that of ``auth_type`` alone is looked at."""

    endpoint: str
    http_method: HttpMethod
    auth_type: AuthType
    payload_schema: str
    api_key_auth: Mapping[str, Any] = {}
    basic_auth: Mapping[str, Any] = {}
    client_credentials_auth: Mapping[str, Any] = {}
    json_web_token_auth: Mapping[str, Any] = {}


#: The settings that may be shown, and the secrets.
Cleaned = tuple[dict[str, Any], dict[str, str]]


def clean_http_config(config: HttpConfig, before: Mapping[str, Any], secrets: Mapping[str, str]) -> Cleaned:
    """What is stored of the configuration, with the secrets of ``before`` where none is given and none goes astray."""
    shown: dict[str, Any] = {
        "endpoint": clean_endpoint("endpoint", config.endpoint),
        "httpMethod": _chosen("httpMethod", config.http_method),
        "authType": _chosen("authType", config.auth_type),
        "payloadSchema": _clean_template(config.payload_schema, config.http_method),
    }
    ways = {
        AuthType.API_KEY: ("apiKeyAuth", "apiKey", config.api_key_auth, _clean_api_key),
        AuthType.BASIC: ("basicAuth", "credentials", config.basic_auth, _clean_basic),
        AuthType.CLIENT_CREDENTIALS: (
            "clientCredentialsAuth", "clientSecret", config.client_credentials_auth, _clean_client,
        ),
        AuthType.JSON_WEB_TOKEN: ("jsonWebTokenAuth", "privateKey", config.json_web_token_auth, _clean_jwt),
    }  # fmt: skip
    if config.auth_type not in ways:
        return shown, {}
    way, name, given, clean = ways[config.auth_type]
    own, secret = clean(given)
    if own:
        shown[way] = own
    if not secret:
        secret = secrets.get(name, "") if _receivers(shown) == _receivers(before) else ""
    if not secret:
        raise InvalidInput(f"{way}.{_ARGUMENTS[name]}", "must be given: none is stored for this address.")
    return shown, {name: secret}


#: What the reference calls a secret, by our name.
_ARGUMENTS = {
    "apiKey": "value", "credentials": "credentials", "clientSecret": "clientSecret", "privateKey": "privateKey",
}  # fmt: skip


def _receivers(shown: Mapping[str, Any]) -> tuple[Any, ...]:
    """Who gets the secret to see."""
    endpoint = urlsplit(shown.get("endpoint", ""))
    auth = shown.get("clientCredentialsAuth", {}).get("authEndpoint", "")
    return shown.get("authType"), endpoint.scheme, endpoint.netloc, auth


def _clean_template(template: str, method: str) -> str:
    if not template.strip():
        raise InvalidInput("payloadSchema", "must not be empty.")
    cleaned = clean_script("payloadSchema", template, TEMPLATE_MAX_LENGTH)
    check_template("payloadSchema", cleaned, method)
    return cleaned


_Choice = TypeVar("_Choice", bound=TextChoices)


def _chosen(field: str, value: _Choice | None) -> str:
    if value is None or value.value == "UNKNOWN":
        raise InvalidInput(field, "must be a value other than UNKNOWN.")
    return str(value.value)


def _text(field: str, value: str | None, max_length: int = NAME_MAX_LENGTH) -> str:
    return clean_text(field, value or "", max_length=max_length)


def _secret(field: str, value: str | None, clean: Callable[[str, str], None] = refuse_control_characters) -> str:
    """A secret as it was given; empty where the stored one is meant."""
    if not value:
        return ""
    if len(value) > SECRET_MAX_LENGTH:
        raise InvalidInput(field, "must have at most {limit:,} characters.", limit=SECRET_MAX_LENGTH)
    clean(field, value)
    return value


def _clean_api_key(given: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
    name = _text("apiKeyAuth.name", given.get("name"))
    add_to = _chosen("apiKeyAuth.addTo", given.get("add_to"))
    if not _TOKEN.fullmatch(name):
        raise InvalidInput("apiKeyAuth.name", "must be the name of a header, such as X-Api-Key.")
    if add_to == AddTo.HEADER and name.lower() in _RESERVED_HEADERS:
        raise InvalidInput("apiKeyAuth.name", "must not be a header that tells how to read the request.")
    return {"name": name, "addTo": add_to}, _secret("apiKeyAuth.value", given.get("value"), _ascii)


def _ascii(field: str, value: str) -> None:
    """A header holds nothing else."""
    if not (value.isascii() and value.isprintable() and value == value.strip()):
        raise InvalidInput(field, "must be printable ASCII characters, without spaces around them.")


def _clean_basic(given: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
    return {}, _secret("basicAuth.credentials", given.get("credentials"), check_credentials)


def _clean_client(given: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
    own = {
        "authEndpoint": clean_endpoint("clientCredentialsAuth.authEndpoint", given.get("auth_endpoint") or ""),
        "httpMethod": _chosen("clientCredentialsAuth.httpMethod", given.get("http_method") or HttpMethod.POST),
        "clientId": _text("clientCredentialsAuth.clientId", given.get("client_id")),
    }
    return own, _secret("clientCredentialsAuth.clientSecret", given.get("client_secret"))


def _clean_jwt(given: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
    own = {"serviceUserAccount": _text("jsonWebTokenAuth.serviceUserAccount", given.get("service_user_account"))}
    # As it stands in a JSON file of a service account, too.
    key = (given.get("private_key") or "").replace("\\n", "\n")
    return own, _secret("jsonWebTokenAuth.privateKey", key, check_private_key)

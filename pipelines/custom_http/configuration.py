"""How a destination is called: what may be shown of it as it is stored, and the secrets beside it."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from common.secrets import MASK

Method = Literal["GET", "POST", "PUT"]


class ApiKeyAuth(msgspec.Struct, frozen=True, rename="camel"):
    """A key under a name, in a header or in the address."""

    name: str
    add_to: Literal["HEADER", "QUERY_PARAM"]


class ClientCredentialsAuth(msgspec.Struct, frozen=True, rename="camel"):
    """Where a token is asked for."""

    auth_endpoint: str
    http_method: Method
    client_id: str


class JsonWebTokenAuth(msgspec.Struct, frozen=True, rename="camel"):
    """In whose name tokens are signed."""

    service_user_account: str


class Shown(msgspec.Struct, frozen=True, rename="camel"):
    """What may be shown. Of the ways to sign in, that of ``auth_type`` is there."""

    endpoint: str
    http_method: Method
    auth_type: Literal["NONE", "API_KEY", "BASIC", "CLIENT_CREDENTIALS", "JSON_WEB_TOKEN"]
    payload_schema: str
    api_key_auth: ApiKeyAuth | None = None
    client_credentials_auth: ClientCredentialsAuth | None = None
    json_web_token_auth: JsonWebTokenAuth | None = None

    @classmethod
    def read(cls, stored: Mapping[str, Any]) -> Shown:
        """Of a destination's settings; msgspec.ValidationError where it was never configured."""
        return msgspec.convert(stored, cls)


class Secrets(msgspec.Struct, frozen=True, rename="camel"):
    """What nobody is shown: of these, the one that ``auth_type`` needs."""

    api_key: str = ""
    credentials: str = ""
    client_secret: str = ""
    private_key: str = ""

    @classmethod
    def read(cls, stored: Mapping[str, str]) -> Secrets:
        return msgspec.convert(stored, cls)

    @property
    def values(self) -> tuple[str, ...]:
        """Those that are there; of ``credentials`` both forms, and the password without its user."""
        pair = self.credentials if ":" in self.credentials else _decoded(self.credentials)
        password = pair.partition(":")[2]
        ours = (self.api_key, self.credentials, pair, password, self.client_secret, self.private_key)
        return tuple(filter(None, ours))

    def __repr__(self) -> str:
        return f"Secrets({MASK})"


def _decoded(credentials: str) -> str:
    """``user:password`` of its encoded form; empty where it is none."""
    try:
        return base64.b64decode(credentials, validate=True).decode()
    except ValueError:
        return ""

"""The access key of a pixel: some ask their senders for it."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

from common.errors import NotAuthorized, NotFound
from events.intake.pixel_settings import PixelSettings, get_pixel_settings_anew

UNKNOWN_PIXEL = "This pixel is not connected to this gateway."

_MAX_FIELDS = 100


class Keys(NamedTuple):
    """What a request gives as a key; None where it gives nothing."""

    access_key: str | None = None
    #: The clients of the Graph API have no field but this one: the key may come in it. Else it is ignored, since the
    #: gateway uses the pixel's own token.
    access_token: str | None = None

    def or_else(self, others: Keys) -> Keys:
        """These, and the others where one is missing."""
        return Keys(self.access_key or others.access_key, self.access_token or others.access_token)


def keys_in(fields: Mapping[str, Any]) -> Keys:
    """The keys among the fields of a body or a query."""
    return Keys(_text(fields.get("accessKey")), _text(fields.get("access_token")))


def keys_beside_body(environ: Mapping[str, Any]) -> Keys:
    """The keys in a request's address and, as the Graph API takes its token too, in its Authorization header."""
    query, authorization = environ.get("QUERY_STRING", ""), environ.get("HTTP_AUTHORIZATION", "")
    keys = Keys()
    if query:
        with suppress(ValueError):  # too many fields
            keys = keys_in(dict(parse_qsl(query, max_num_fields=_MAX_FIELDS)))
    scheme, _, token = authorization.partition(" ")
    return keys.or_else(Keys(access_token=token.strip())) if scheme.lower() == "bearer" else keys


def _text(value: Any) -> str | None:
    """What is no text is no pixel's key: it is read as a wrong one."""
    if value is None or value == "":
        return None
    return value if isinstance(value, str) else "wrong"


def check_access_key(pixel: PixelSettings, keys: Keys) -> None:
    """NotAuthorized where the pixel requires its key and it is missing, or where an ``accessKey`` is wrong."""
    if _refusal_of(keys, pixel) is None:
        return
    # Another process may have changed the key a moment ago.
    anew = get_pixel_settings_anew(pixel.pixel_id)
    if anew is None:
        raise NotFound(UNKNOWN_PIXEL)
    refusal = _refusal_of(keys, anew)
    if refusal is not None:
        raise NotAuthorized(refusal)


def _refusal_of(keys: Keys, pixel: PixelSettings) -> str | None:
    given = keys.access_key or (keys.access_token if pixel.requires_access_key else None)
    if given is None:
        return "accessKey: this pixel asks its senders for its access key." if pixel.requires_access_key else None
    is_the_key = hmac.compare_digest(given.encode(), pixel.access_key.encode())
    return None if is_the_key else "accessKey: this is not the pixel's access key."

"""The access key of a pixel: some ask their senders for it."""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import unquote_plus

from common.errors import NotAuthorized, NotFound
from common.http import Request
from events.intake.pixel_settings import PixelSettings, get_pixel_settings_anew

UNKNOWN_PIXEL = "This pixel is not connected to this gateway."

#: However many other fields there are.
_keys_of_query = re.compile("(?:^|&)(accessKey|access_token)=([^&]+)").findall
#: OAuth is the Graph API's older name for Bearer.
_SCHEMES = ("bearer", "oauth")


class Keys(NamedTuple):
    """What a request gives as a key, in all the places that have room for one."""

    access_keys: tuple[str, ...] = ()
    #: The clients of the Graph API have no field but this one: the key may come in it. Else it is ignored, since the
    #: gateway uses the pixel's own token.
    access_tokens: tuple[str, ...] = ()

    def and_also(self, others: Keys) -> Keys:
        """These and the others."""
        return Keys(self.access_keys + others.access_keys, self.access_tokens + others.access_tokens)


NO_KEYS = Keys()


def keys_in(fields: Mapping[str, Any]) -> Keys:
    """The keys among the fields of a body."""
    return Keys(_given(fields.get("accessKey")), _given(fields.get("access_token")))


def keys_beside_body(request: Request) -> Keys:
    """The keys in a request's address and, as the Graph API takes its token too, in its Authorization header."""
    authorization = request.headers.get("authorization", "")
    if not (request.query or authorization):  # as mostly
        return NO_KEYS
    access_keys: list[str] = []
    access_tokens: list[str] = []
    for name, value in _keys_of_query(request.query):
        (access_keys if name == "accessKey" else access_tokens).append(unquote_plus(value))
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() in _SCHEMES and token.strip():
        access_tokens.append(token.strip())
    return Keys(tuple(access_keys), tuple(access_tokens))


def _given(value: Any) -> tuple[str, ...]:
    """What is no text is no pixel's key: it is read as a wrong one."""
    if value is None or value == "":
        return ()
    return (value if isinstance(value, str) else "wrong",)


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
    """An ``accessKey`` says that it is the key; of tokens, nobody knows what they are meant to be."""
    candidates = keys.access_keys or (keys.access_tokens if pixel.requires_access_key else ())
    if not candidates:
        return "accessKey: this pixel asks its senders for its access key." if pixel.requires_access_key else None
    return None if _is_among(candidates, pixel) else "accessKey: this is not the pixel's access key."


def hold_key(keys: Keys, pixel: PixelSettings) -> bool:
    """Does whoever gives these keys have the pixel's, whether it asks for it or not?"""
    return bool(pixel.access_key) and _is_among(keys.access_keys + keys.access_tokens, pixel)


def _is_among(candidates: tuple[str, ...], pixel: PixelSettings) -> bool:
    key = pixel.access_key.encode()
    return any(hmac.compare_digest(given.encode(errors="replace"), key) for given in candidates)

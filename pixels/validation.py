"""Rules for what comes in about pixels. Fields carry the API's names; no message repeats a token."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from django.conf import settings

from common.domains import clean_domain
from common.errors import InvalidInput
from common.validation import clean_text
from pixels.models import (
    ACCESS_TOKEN_MAX_LENGTH,
    BUSINESS_ID_MAX_LENGTH,
    EXTERNAL_ID_MAX_LENGTH,
    NAME_MAX_LENGTH,
    PIXEL_ID_MAX_LENGTH,
)

_PIXEL_ID = re.compile(rf"[0-9]{{1,{PIXEL_ID_MAX_LENGTH}}}")
_API_VERSION = re.compile(r"v[0-9]{1,3}\.[0-9]{1,3}")
DEFAULT_WINDOW = 60  # minutes
_MAX_WINDOW = 43_200  # 30 days


#: Websites that may send to a pixel by its visitors' browsers.
WEBSITES_MAX = 100


def clean_websites(values: Sequence[str]) -> list[str]:
    """Domains in the form in which they are compared, each once."""
    websites = sorted({clean_domain("websites", value) for value in values})
    if len(websites) > WEBSITES_MAX:
        raise InvalidInput("websites", "must be at most {limit}.", limit=WEBSITES_MAX)
    return websites


def is_pixel_id(value: str) -> bool:
    """Could this be a pixel's id?"""
    return _PIXEL_ID.fullmatch(value) is not None


def clean_pixel_id(value: str) -> str:
    """A pixel's id: 1 to 20 digits."""
    if not is_pixel_id(value):
        raise InvalidInput("pixelId", "must be 1 to {limit} digits.", limit=PIXEL_ID_MAX_LENGTH)
    return value


def clean_api_version(value: str) -> str:
    """A version of the Graph API; it becomes a part of the addresses that events are published to."""
    if not _API_VERSION.fullmatch(value):
        raise InvalidInput("apiVersion", "must be a Graph API version such as v24.0.")
    return value


def clean_access_token(value: str) -> str:
    """An access token: opaque, but never with white space, which would be a mistake of copying."""
    if not 1 <= len(value) <= ACCESS_TOKEN_MAX_LENGTH:
        raise InvalidInput("accessToken", "must have 1 to {limit:,} characters.", limit=ACCESS_TOKEN_MAX_LENGTH)
    if not value.isprintable() or any(char.isspace() for char in value):
        raise InvalidInput("accessToken", "must not contain white space or control characters.")
    return value


def clean_business_id(value: str) -> str:
    """The id of a business at Meta."""
    business_id = clean_text("businessId", value, max_length=BUSINESS_ID_MAX_LENGTH)
    if not business_id.isprintable():
        raise InvalidInput("businessId", "must contain printable characters only.")
    return business_id


def clean_external_id(value: str) -> str:
    """The external business id; clients that connect with a manually generated token have none."""
    return clean_text("externalId", value, max_length=EXTERNAL_ID_MAX_LENGTH, min_length=0)


def clean_name(value: str) -> str | None:
    """A pixel's name, None for an empty one."""
    return clean_text("name", value, max_length=NAME_MAX_LENGTH, min_length=0) or None


def clean_time_window(value: int | None) -> int:
    """A number of minutes to look back; None stands for the default."""
    minutes = DEFAULT_WINDOW if value is None else value
    if not 1 <= minutes <= _MAX_WINDOW:
        raise InvalidInput("timeWindowMin", "must be 1 to {limit:,} minutes.", limit=_MAX_WINDOW)
    return minutes


def clean_pixel_ids(given: Sequence[str] | None, known: Collection[str]) -> list[str]:
    """The pixels that are named, each once; none named (null or an empty list) stands for all, and gives ``[]``.

    ``known`` are the account's own: another account's pixel is as unknown as one that nobody has.
    """
    pixel_ids = list(dict.fromkeys(given or ()))
    limit = settings.GRAPHQL_MAX_LIST_LENGTH
    if len(given or ()) > limit:
        raise InvalidInput("pixelIds", "must name at most {limit} pixels.", limit=limit)
    if not set(pixel_ids) <= set(known):
        raise InvalidInput("pixelIds", "must name pixels that are connected in this account.")
    return pixel_ids

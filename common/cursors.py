"""Cursors of paged lists: an opaque name for a row's place, so that a page goes on after it whatever has changed."""

from __future__ import annotations

import base64
import binascii
import json

from common.errors import InvalidInput

MAX_PAGE = 200
#: What a place is made of; numbers up to 53 bits, which every client and database holds.
Position = list[int | str]
_MAX_NUMBER = 2**53


def encode_cursor(*place: int | str) -> str:
    """The name of the place."""
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode()


def decode_cursor(cursor: str, *types: type[int] | type[str]) -> Position:
    """The place, whose parts have the types; InvalidInput for what ``encode_cursor`` has not made."""
    try:
        place = json.loads(base64.urlsafe_b64decode(cursor.encode()))
    except (binascii.Error, ValueError, RecursionError):
        place = None
    if not isinstance(place, list) or len(place) != len(types) or not all(map(_fits, place, types)):
        raise InvalidInput("after", "must be a cursor that an earlier page returned.")
    return place


def _fits(part: object, wanted: type[int] | type[str]) -> bool:
    if isinstance(part, str):
        return wanted is str and _is_storable(part)
    return wanted is int and type(part) is int and 0 <= part < _MAX_NUMBER


def _is_storable(text: str) -> bool:
    """No NUL, which PostgreSQL cannot compare, and no half surrogates, which are no characters."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return "\0" not in text


def clean_page_size(first: int | None, *, default: int = 50) -> int:
    """How many rows a page has; None stands for the default."""
    size = default if first is None else first
    if not 1 <= size <= MAX_PAGE:
        raise InvalidInput("first", f"must be between 1 and {MAX_PAGE}.")
    return size

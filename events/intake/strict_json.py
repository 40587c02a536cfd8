"""JSON that is read in one way only."""

from __future__ import annotations

import re
from typing import Any

import msgspec
import orjson

from common.errors import InvalidInput
from events.unreadable import refusal_of

_ESCAPED_COLON = re.compile(rb"\\u003[aA]")
_ESCAPED_NUL = re.compile(rb"\\u0000")


def decode(field: str, text: bytes) -> tuple[Any, bytes]:
    """Parse JSON strictly: what one reader takes for one thing, no other may take for another. Then write it again.

    Of a key that an object has twice, readers keep the first or the last. Such a text has more colons than its parsed
    form, written down again, since no colon stands in JSON but in strings and after keys.
    """
    try:
        value = msgspec.json.decode(text)
        written = orjson.dumps(value)
    except ValueError as error:
        refusal = InvalidInput(field, "must be valid JSON in UTF-8: {error}.", error=str(error))
        raise refusal_of(field, text) or refusal from None
    except (RecursionError, TypeError):
        raise InvalidInput(field, "is nested too deeply, or holds an integer beyond 64 bits.") from None
    # Most texts are written like that already: then there is nothing to look for.
    if text != written and text.count(b":") + _count(_ESCAPED_COLON, text) != written.count(b":"):
        raise InvalidInput(field, "must not have a key twice in one object.")
    if _count(_ESCAPED_NUL, written):
        raise refusal_of(field, text) or InvalidInput(field, "must not contain NUL characters.")
    return value, written


def _count(escape: re.Pattern[bytes], text: bytes) -> int:
    """How often is a character escaped? Behind a backslash that is escaped itself stands no escape."""
    if b"\\" not in text or not escape.search(text):  # of nearly all texts, that is all
        return 0
    return len(escape.findall(text.replace(b"\\\\", b"")))

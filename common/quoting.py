"""What another server says, as it is stored and shown; and when it wants to be asked again."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from urllib.parse import quote, quote_plus

from django.utils import timezone

from common.secrets import MASK

_encoded = re.compile("%[0-9A-F]{2}")


def shown(text: str | None, max_length: int, *secrets: str) -> str:
    """A text without the secrets, as they are or as JSON, HTML or an address holds them, and printable.

    In a text that was parsed they are masked after that, since a short secret may be part of the text's own syntax; and
    before it is cut, since a part of a secret would stay.
    """
    text = text or ""
    # The longest first: one may be a part of another.
    for form in sorted({form for secret in secrets for form in _forms(secret)}, key=len, reverse=True):
        if form:
            text = text.replace(form, MASK)
    return "".join(char if char.isprintable() else " " for char in text)[:max_length]


def _forms(secret: str) -> Iterator[str]:
    """How another server may write it: PHP escapes slashes in JSON, and addresses have two forms of a space."""
    yield secret
    for in_json in (json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]):
        yield in_json
        yield in_json.replace("/", r"\/")
    for quoted in (quote(secret, safe=""), quote(secret), quote_plus(secret)):
        yield quoted
        yield _encoded.sub(lambda code: code[0].lower(), quoted)
    yield html.escape(secret)
    yield html.escape(secret, quote=False)


def seconds_until(retry_after: str | None) -> float | None:
    """The Retry-After header, as seconds or as a date (RFC 9110, section 10.2.3)."""
    if not retry_after:
        return None
    if retry_after.isdecimal():
        return float(retry_after[:9])
    try:
        at = parsedate_to_datetime(retry_after)
    except (ValueError, OverflowError):
        return None
    return max(0.0, (at - timezone.now()).total_seconds()) if at.tzinfo else None

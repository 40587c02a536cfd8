"""Bounds for text that comes from outside; every message names the field and the rule."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator

from common.errors import InvalidInput

_is_email = EmailValidator()

EMAIL_MAX_LENGTH = 254
#: Digits of the milliseconds of a date, and the last millisecond of the calendar.
_DIGITS, _LAST = 15, 253_402_300_799_999

# They turn the text around them wherever it is shown.
_BIDI_CONTROLS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def clean_text(field: str, value: str, *, max_length: int, min_length: int = 1) -> str:
    """Return ``value`` without surrounding white space.

    Raises InvalidInput where it is shorter or longer than allowed (in characters) or holds control characters,
    NUL and unpaired surrogates among them.
    """
    refuse_control_characters(field, value)
    text = value.strip()
    if len(text) < min_length or (text and not any(unicodedata.category(char)[0] not in "CZ" for char in text)):
        raise InvalidInput(field, "must not be empty.")
    if len(text) > max_length:
        raise InvalidInput(field, "must have at most {limit} characters.", limit=max_length)
    return text


def refuse_control_characters(field: str, value: str) -> None:
    """Raise InvalidInput for control characters and for what no database can store (NUL, unpaired surrogates)."""
    if has_control_characters(value):
        raise InvalidInput(field, "must not contain control characters.")


def has_control_characters(value: str) -> bool:
    """Does it hold any, or what no database can store?"""
    if value.isprintable():  # which no control character is
        return False
    return any(unicodedata.category(char) in ("Cc", "Cs") or char in _BIDI_CONTROLS for char in value)


def clean_email(field: str, value: str) -> str:
    """Return the address in lower case: addresses are compared and returned that way."""
    # In lower case before anything is checked: some characters grow, or turn into others, on the way.
    email = clean_text(field, value.lower(), max_length=EMAIL_MAX_LENGTH)
    try:
        _is_email(email)
    except ValidationError:
        raise InvalidInput(field, "must be an email address such as name@example.com.") from None
    if email.startswith('"') or email.endswith("]"):
        # Other spellings of a mailbox: "ada"@…, and "\\ada"@…, are ada@…; [192.0.2.1] may be example.com.
        raise InvalidInput(field, "must have no quotes, and a domain by its name, such as name@example.com.")
    if not email.isascii():
        raise InvalidInput(field, "must be written in ASCII; write an international domain as xn--….")
    return email


def clean_choice(field: str, value: int, choices: Sequence[int]) -> int:
    """Return ``value`` if it is one of ``choices``."""
    if value not in choices:
        raise InvalidInput(field, "must be one of {choices}.", choices=", ".join(map(str, choices)))
    return value


def clean_milliseconds(field: str, text: str | None) -> datetime | None:
    """The moment so many milliseconds after the epoch; InvalidInput for what is no such number."""
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= _DIGITS):
        raise InvalidInput(field, "must be milliseconds since the epoch, digits alone.")
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=min(int(text), _LAST))

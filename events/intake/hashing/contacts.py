"""E-mail addresses and telephone numbers."""

from __future__ import annotations

import re

from events.intake.hashing.text import digits

#: The characters of RFC 5322 and, by RFC 6531, letters of any script.
_is_local_part = re.compile(r"[\w!#$%&'*+/=?^`{|}~-]+(?:\.[\w!#$%&'*+/=?^`{|}~-]+)*").fullmatch
_is_label = re.compile(r"[^\W_]+(?:-+[^\W_]+)*").fullmatch

#: E.164: with its country code, a telephone number has no more digits.
_LONGEST_PHONE = 15


def email(text: str) -> str:
    """An address as it is: only a name at a domain of two labels or more is one."""
    local, _, domain = text.partition("@")
    labels = domain.split(".")
    if len(labels) < 2 or not _is_local_part(local) or not all(map(_is_label, labels)):
        return ""
    return text


def phone(text: str) -> str:
    """Digits alone, country code first: no symbols, no letters, no leading zeros."""
    number = digits(text).lstrip("0")
    return number if len(number) <= _LONGEST_PHONE else ""

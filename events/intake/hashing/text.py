"""What the rules of several fields share."""

from __future__ import annotations

import re
import unicodedata

_without_others = re.compile(r"[^0-9]+").sub
_without_signs = re.compile(r"[^a-z0-9]+").sub
_words = re.compile(r"[^\W_]+").findall


def digits(text: str) -> str:
    """The digits of a text."""
    return _without_others("", ascii_digits(text))


def ascii_digits(text: str) -> str:
    """A text with the digits of every script as those of ASCII."""
    if text.isascii():
        return text
    return "".join(str(unicodedata.decimal(char)) if char.isdecimal() else char for char in text)


def without_punctuation(text: str) -> str:
    """A text in lower case without punctuation, signs and spaces of any script."""
    if text.isascii():
        return _without_signs("", text)
    return "".join(char for char in text if unicodedata.category(char)[0] not in "PSZC")


def alphanumeric(text: str) -> str:
    """Letters, with their marks, and digits of any script, of a text in lower case."""
    if text.isascii():
        return _without_signs("", text)
    return "".join(char for char in text if char.isalnum() or unicodedata.category(char)[0] == "M")


def words(text: str) -> list[str]:
    """The words of a text in lower case, without accents, so that Québec is Quebec."""
    if not text.isascii():
        text = "".join(char for char in unicodedata.normalize("NFD", text) if not unicodedata.combining(char))
    return _words(text)

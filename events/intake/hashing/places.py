"""Cities, states, postal codes and countries."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from events.intake.hashing import countries
from events.intake.hashing.states import CODES, STATES
from events.intake.hashing.text import alphanumeric, ascii_digits, words

_holds_a_letter = re.compile(r"[^\W\d_]").search
#: ISO 3166-2: the country, then the state.
_as_subdivision = re.compile(r"([a-z]{2})[-_:]([a-z0-9]{1,3})").fullmatch
#: "California (CA)", "California, USA", "California - CA".
_with_more = re.compile(r"([^,(/]*?)(?:\s*[,(/]|\s-\s)(.*)").fullmatch
_STATE_OF = re.compile(r"(?:the )?(?:state|commonwealth|province) of ")
_AMERICAN_POSTAL_CODE = re.compile(r"([0-9]{5})[\s\u2010-\u2015\u2212-]*[0-9]{4}").fullmatch


def city(text: str) -> str:
    """Letters and digits of any script, without spaces and punctuation."""
    return alphanumeric(text) if _holds_a_letter(text) else ""


@lru_cache(maxsize=1024)
def state(text: str) -> str:
    """The two letters of an American or Canadian state where it is one of these; others as they are named."""
    if not _holds_a_letter(text):
        return ""
    if found := _as_subdivision(text):
        country, code = found.groups()
        return (code if _holds_a_letter(code) else "") if countries.is_code(country) else code
    return _known_state(text) or alphanumeric(text)


def _known_state(text: str) -> str:
    if code := _state_named(text):
        return code
    if (found := _with_more(text)) and (code := _state_named(found[1])):
        more = found[2].rstrip(") ")
        if countries.find(more) in {"us", "ca"} or _state_named(more) == code:
            return code
    return ""


def _state_named(text: str) -> str:
    named = words(_STATE_OF.sub("", text))
    if named[-1:] in (["state"], ["province"]):
        named.pop()
    name = "".join(named)
    return name if name in CODES else STATES.get(name, "")


def postal_code(text: str) -> str:
    """Without spaces and dashes; of an American one, the first five digits."""
    text = ascii_digits(text)
    if found := _AMERICAN_POSTAL_CODE(text):
        return found[1]
    code = "".join(char for char in text if not char.isspace() and unicodedata.category(char) != "Pd")
    return code if len(code) >= 2 else ""


@lru_cache(maxsize=1024)
def country(text: str) -> str:
    """The two letters of ISO 3166-1."""
    return countries.find(text)

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
#: "us-california", "US California".
_behind_country = re.compile(r"(?:usa?|united states|ca|can|canada)[\s:,_/-]+(.+)").fullmatch
_before_country = re.compile(r"(.+?)\s+(?:usa?|united states|can|canada)").fullmatch
#: "CA 94035", "Bayern 80331", "ON K1A 0B1".
_without_postal_code = re.compile(r"[\s,]+(?:[0-9]{4,6}(?:-[0-9]{4})?|[a-z][0-9][a-z]\s?[0-9][a-z][0-9])$").sub
_STATE_OF = re.compile(r"(?:the )?(?:state|commonwealth|province) of ")
#: No country's code is longer.
_is_postal_code = re.compile(r"[a-z0-9]{2,10}").fullmatch
#: As a spreadsheet writes a number.
_without_decimals = re.compile(r"(?<=[0-9])\.0+$").sub
_AMERICAN_POSTAL_CODE = re.compile(r"([0-9]{5})[\s\u2010-\u2015\u2212-]*[0-9]{4}").fullmatch


def city(text: str) -> str:
    """Letters and digits of any script, without spaces and punctuation."""
    return alphanumeric(text) if _holds_a_letter(text) else ""


@lru_cache(maxsize=1024)
def state(text: str) -> str:
    """The two letters of an American or Canadian state where it is one of these; others as they are named."""
    text = _without_postal_code("", text)
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
    for shape in (_behind_country, _before_country):
        if (found := shape(text)) and (code := _state_named(found[1])):
            return code
    return ""


def _state_named(text: str) -> str:
    named = words(_STATE_OF.sub("", text))
    if named[-1:] in (["state"], ["province"]):
        named.pop()
    name = "".join(named)
    return name if name in CODES else STATES.get(name, "")


def postal_code(text: str) -> str:
    """Letters and digits, without spaces and dashes; of an American one, the first five digits."""
    code, comma, place = ascii_digits(text).removeprefix("〒").rstrip(".,; ").partition(",")
    place = place.strip()
    if comma and not (countries.find(place) or _state_named(place)):
        return ""
    code = _without_decimals("", code.strip())
    if found := _AMERICAN_POSTAL_CODE(code):
        return found[1]
    code = "".join(char for char in code if not char.isspace() and unicodedata.category(char) != "Pd")
    return code if _is_postal_code(code) else ""


@lru_cache(maxsize=1024)
def country(text: str) -> str:
    """The two letters of ISO 3166-1."""
    return countries.find(text)

"""People's identifiers are stored as Meta takes them: normalised, then as their SHA-256.

The rules of normalising are those of Meta's page "Customer Information Parameters" of the Conversions API; where it
leaves something open, those of Meta's parameter builder library.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import pycountry

from events.left_out import LeftOut, Reason
from portal.errors import InvalidInput

# Meta's parameter builder library adds two or eight characters, by which Meta tells the library's version.
_HASH = re.compile(r"[0-9a-f]{64}(\.[A-Za-z0-9_-]{2}|\.[A-Za-z0-9_-]{8})?")
_is_hash = _HASH.fullmatch
_HASH_LENGTH = 64
_without_others = re.compile(r"[^0-9]+").sub
_HEX_DIGITS = b"0123456789abcdef"

#: Unicode's normal form takes a time that grows with the square of what is marked with accents in one place; what
#: says who somebody is, is shorter by far.
VALUE_MAX_LENGTH = 500
#: A hash may take many times the bytes of what was sent.
MAX_VALUES = 20


def hash_identifiers(user_data: dict[str, Any]) -> list[LeftOut]:
    """Replace what is not hashed yet, in place; what holds nothing that could be hashed is left out, and returned.

    Raises InvalidInput, with the path within the event, for what is neither a text nor a list of texts, and for too
    many or too long ones.
    """
    left_out: list[LeftOut] = []
    for field, value in list(user_data.items()):
        if field not in NORMALISERS or _is_hashed(value):
            continue
        values = value if isinstance(value, list) else [value]
        if len(values) > MAX_VALUES:
            raise InvalidInput(f"user_data.{field}", "must have at most {limit} values.", limit=MAX_VALUES)
        hashes = [hashed for one in values if (hashed := hash_identifier(field, one)) is not None]
        if len(hashes) < len([one for one in values if one is not None]):
            left_out.append(LeftOut(f"user_data.{field}", Reason.NOTHING))
        if not hashes:
            del user_data[field]
        else:
            user_data[field] = hashes if isinstance(value, list) else hashes[0]
    return left_out


def are_hashed(people: list[dict[str, Any]]) -> bool:
    """Is there surely nothing to do for any of these ``user_data``? Told of all at once, it takes half the time."""
    hashes: list[Any] = []
    for field in NORMALISERS.keys() & set().union(*people):
        for person in people:
            if field in person:
                value = person[field]
                hashes += value if type(value) is list and value else [value]
    try:
        if not set(map(len, hashes)) <= {_HASH_LENGTH}:  # an appendix is looked at by hash_identifiers
            return False
        return not "".join(hashes).encode("ascii", "replace").translate(None, _HEX_DIGITS)
    except TypeError:  # no text
        return False


def _is_hashed(value: Any) -> bool:
    """Is there nothing to do? So it is for most senders, and their events are many."""
    if type(value) is not list:
        return type(value) is str and _is_hash(value) is not None
    for one in value:  # a generator takes twice as long
        if type(one) is not str or _is_hash(one) is None:
            return False
    return bool(value)


def hash_identifier(field: str, value: Any) -> str | None:
    """One value, hashed; None for null and for what nothing is left of, such as a telephone number without digits.

    Only a SHA-256 counts as hashed already: Meta matches no other.
    """
    if value is None:
        return None
    if type(value) is int:  # a telephone number or a postal code
        value = str(value)
    if not isinstance(value, str):
        raise InvalidInput(f"user_data.{field}", "must be a text or a list of texts.")
    if len(value) > VALUE_MAX_LENGTH:  # before anything is done with it
        raise InvalidInput(f"user_data.{field}", "must have at most {limit} characters.", limit=VALUE_MAX_LENGTH)
    text = unicodedata.normalize("NFC", value).strip()
    if len(text) >= _HASH_LENGTH:
        digest, dot, appendix = text.partition(".")
        as_hash = digest.lower() + dot + appendix
        if _is_hash(as_hash):
            return as_hash
    normalised = NORMALISERS[field](text.lower())
    return hashlib.sha256(normalised.encode()).hexdigest() if normalised else None


def _email(text: str) -> str:
    return text


def _phone(text: str) -> str:
    """Digits alone, country code first: no symbols, no letters, no leading zeros."""
    return _digits(text).lstrip("0")


def _name(text: str) -> str:
    """Without punctuation and spaces; letters of any script stay."""
    if text.isalpha():
        return text
    return "".join(char for char in text if unicodedata.category(char)[0] not in "PSZC")


def _alphanumeric(text: str) -> str:
    if text.isalnum():
        return text
    return "".join(char for char in text if char.isalnum() or unicodedata.category(char)[0] == "M")


def _state(text: str) -> str:
    """The two letters of an American or Canadian state where it is one of these."""
    plain = _alphanumeric(text)
    return _states().get(plain, plain) if len(plain) > 2 else plain


def _country(text: str) -> str:
    """The two letters of ISO 3166-1."""
    plain = _alphanumeric(text)
    return _countries().get(plain, plain) if len(plain) > 2 else plain


def _postal_code(text: str) -> str:
    """Without spaces and dashes; of an American one, the first five digits."""
    if re.fullmatch(r"[0-9]{5}\s*-\s*[0-9]{4}", text):
        return text[:5]
    return "".join(char for char in text if not char.isspace() and unicodedata.category(char) != "Pd")


def _gender(text: str) -> str:
    return text[:1]


def _date_of_birth(text: str) -> str:
    """YYYYMMDD. Three numbers may come with the year first or last; the month is before the day where both can be."""
    parts = re.findall(r"[0-9]+", text)
    if len(parts) < 3:
        return "".join(parts)
    year, month, day = parts[:3] if len(parts[0]) == 4 else (parts[2], parts[0], parts[1])
    if len(month) <= 2 and int(month) > 12:
        month, day = day, month
    return f"{year:0>4}{month:0>2}{day:0>2}"


def _digits(text: str) -> str:
    return _without_others("", unicodedata.normalize("NFKC", text))


def _two_digits(text: str) -> str:
    digits = _digits(text)
    return digits and f"{digits:0>2}"


#: By field of ``user_data``: how its text, in lower case, is normalised.
NORMALISERS: dict[str, Callable[[str], str]] = {
    "em": _email,
    "ph": _phone,
    "fn": _name,
    "ln": _name,
    "ct": _alphanumeric,
    "st": _state,
    "zp": _postal_code,
    "country": _country,
    "ge": _gender,
    "db": _date_of_birth,
    # Parts of the above, which Meta's SDKs send hashed too.
    "f5first": lambda text: _name(text)[:5],
    "f5last": lambda text: _name(text)[:5],
    "fi": lambda text: _name(text)[:1],
    "dobd": _two_digits,
    "dobm": _two_digits,
    "doby": _digits,
}


@lru_cache(maxsize=1)
def _states() -> dict[str, str]:
    """By name without spaces: the two letters."""
    return {
        _alphanumeric(state.name.lower()): state.code.partition("-")[2].lower()
        for state in pycountry.subdivisions
        if state.country_code in {"CA", "US"}
    }


@lru_cache(maxsize=1)
def _countries() -> dict[str, str]:
    """By name or three letters, without spaces: the two letters."""
    names = ("name", "common_name", "official_name", "alpha_3")
    return {
        _alphanumeric(name.lower()): country.alpha_2.lower()
        for country in pycountry.countries
        for name in (getattr(country, attribute, None) for attribute in names)
        if name
    }

"""People's identifiers are stored as Meta takes them: normalised, then as their SHA-256.

The rules of normalising are those of Meta's page "Customer Information Parameters" of the Conversions API. Where it is
silent, those of Meta's parameter builder library hold. Where both would make an identifier of a value that is none,
the value is left out (docs/decisions/0016).
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Callable
from itertools import chain
from typing import Any, NamedTuple

from events.intake.hashing import contacts, dates, names, places
from events.intake.identifiers import HASHES_OF_NOTHING, are_surely_ids, is_no_id, is_nothing, visible
from events.intake.left_out import LeftOut, Reason
from events.intake.tables import Table

# Meta's parameter builder library adds two or eight characters, by which Meta tells the library's version.
_is_hash = re.compile(r"[0-9a-f]{64}(\.[A-Za-z0-9_-]{2}|\.[A-Za-z0-9_-]{8})?").fullmatch
_HASH_LENGTH = 64
_HEX_DIGITS = b"0123456789abcdef"
#: MD5, SHA-1, SHA-224, SHA-384, SHA-512; SHA-256 in Base64.
_is_other_hash = re.compile(
    r"[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{56}|[0-9a-f]{96}|[0-9a-f]{128}|[a-z0-9+/_-]{43}="
).fullmatch

#: What says who somebody is, is shorter by far.
VALUE_MAX_LENGTH = 500
#: A hash may take many times the bytes of what was sent.
MAX_VALUES = 20
#: No letter carries so many accents. Unicode's normal form takes a time that grows with the square of their number.
_has_many_marks = re.compile(r"[^\w\x00-\x7f]{9}").search


class Normalisation(NamedTuple):
    """How a field's text, in lower case, is normalised: to nothing where it is not what the field holds."""

    normalise: Callable[[str], str]
    otherwise: Reason


#: By field of ``user_data``.
RULES: dict[str, Normalisation] = {
    "em": Normalisation(contacts.email, Reason.NO_EMAIL),
    "ph": Normalisation(contacts.phone, Reason.NO_PHONE),
    "fn": Normalisation(names.name, Reason.NO_NAME),
    "ln": Normalisation(names.name, Reason.NO_NAME),
    "ct": Normalisation(places.city, Reason.NO_CITY),
    "st": Normalisation(places.state, Reason.NO_STATE),
    "zp": Normalisation(places.postal_code, Reason.NO_POSTAL_CODE),
    "country": Normalisation(places.country, Reason.NO_COUNTRY),
    "ge": Normalisation(names.gender, Reason.NO_GENDER),
    "db": Normalisation(dates.date_of_birth, Reason.NO_DATE),
    # Parts of the above, which Meta's SDKs send hashed too.
    "f5first": Normalisation(lambda text: names.name(text)[:5], Reason.NO_NAME),
    "f5last": Normalisation(lambda text: names.name(text)[:5], Reason.NO_NAME),
    "fi": Normalisation(lambda text: names.name(text)[:1], Reason.NO_NAME),
    "dobd": Normalisation(dates.day, Reason.NO_DATE),
    "dobm": Normalisation(dates.month, Reason.NO_DATE),
    "doby": Normalisation(dates.year, Reason.NO_DATE),
}


class _Unusable(Exception):
    """A value is left out, for this reason."""

    def __init__(self, reason: Reason) -> None:
        self.reason = reason


def hash_identifiers(user_data: dict[str, Any]) -> list[LeftOut]:
    """Replace what is not hashed yet, in place, and leave out what Meta cannot use; each reason is told once a field.

    What is null, or an empty list, was never given: it goes without a word.
    """
    left_out: list[LeftOut] = []
    for field, value in list(user_data.items()):
        if field in RULES:
            if not _is_hashed(value):
                _replace(user_data, field, _hash_of, left_out)
        elif field == "external_id" and not (type(value) is str and not is_no_id(value)):
            _replace(user_data, field, _id_of, left_out)
    return left_out


def are_hashes(people: Table) -> bool:
    """Is surely all that is to be hashed in these ``user_data`` a hash? Told of all at once, it takes half the time."""
    try:
        return all(_are_hashes(_values(people, field)) for field in RULES.keys() & people.names)
    except TypeError:  # no text
        return False


def _are_hashes(values: list[Any]) -> bool:
    if not set(map(len, values)) <= {_HASH_LENGTH}:  # an appendix is looked at by hash_identifiers
        return False
    if "".join(values).encode("ascii", "replace").translate(None, _HEX_DIGITS):
        return False
    return HASHES_OF_NOTHING.isdisjoint(values)


def are_ids(people: Table) -> bool:
    """Is surely every ``external_id`` in these ``user_data`` one?"""
    ids = _values(people, "external_id")
    try:
        return not ids or are_surely_ids(ids)
    except TypeError:  # no text
        return False


def count_identifiers(events: list[Any]) -> int:
    """How many values of people are looked at in these events, of whatever form?"""
    people = [event.get("user_data") for event in events if type(event) is dict]
    known = [person for person in people if type(person) is dict]
    return sum(
        min(len(value), MAX_VALUES) if type(value) is list else 1
        for person in known
        for field, value in person.items()
        if field in RULES or field == "external_id"
    )


def _values(people: Table, field: str) -> list[Any]:
    """All values of a field; an empty list is one that nothing is sure of."""
    values = people.column(field)
    types = set(map(type, values))
    if list not in types:
        return values
    if types == {list} and all(values):  # as Meta's SDKs write them
        return list(chain.from_iterable(values))
    return list(chain.from_iterable([value if type(value) is list and value else [value] for value in values]))


def hash_identifier(field: str, value: Any) -> str | None:
    """One value, hashed; None for what Meta cannot use."""
    try:
        return _hash_of(field, value)
    except _Unusable:
        return None


def _is_hashed(value: Any) -> bool:
    """Is there nothing to do? So it is for most senders, and their events are many."""
    if type(value) is not list:
        return type(value) is str and _is_hash(value) is not None and value[:_HASH_LENGTH] not in HASHES_OF_NOTHING
    for one in value:  # a generator takes twice as long
        if type(one) is not str or _is_hash(one) is None or one[:_HASH_LENGTH] in HASHES_OF_NOTHING:
            return False
    return bool(value)


def _replace(user_data: dict[str, Any], field: str, usable: Callable[[str, Any], Any], left_out: list[LeftOut]) -> None:
    """Put into a field what is usable of its values."""
    value = user_data[field]
    values = value if isinstance(value, list) else [value]
    reasons: dict[Reason, None] = {}
    kept = []
    for one in values[:MAX_VALUES]:
        if one is None:
            continue
        try:
            kept.append(usable(field, one))
        except _Unusable as unusable:
            reasons[unusable.reason] = None
    if len(values) > MAX_VALUES:
        reasons[Reason.TOO_MANY] = None
    if not kept:
        del user_data[field]
    else:
        user_data[field] = kept if isinstance(value, list) else kept[0]
    left_out += [LeftOut(f"user_data.{field}", reason) for reason in reasons]


def _id_of(_field: str, value: Any) -> Any:
    """A shop's own id stays as it is: Meta compares it to what the pixel in the browser sends."""
    if is_no_id(value):
        raise _Unusable(Reason.NOTHING)
    if type(value) is float and value.is_integer():  # as a spreadsheet exports a number
        value = int(value)
    if not isinstance(value, str | int):
        raise _Unusable(Reason.NO_TEXT)
    return value if isinstance(value, str) or abs(value) < 2**63 else str(value)


def _hash_of(field: str, value: Any) -> str:
    """Only a SHA-256 counts as hashed already: Meta matches no other."""
    text = _text(value)
    if len(text) >= _HASH_LENGTH:
        digest, dot, appendix = text.partition(".")
        as_hash = digest.lower() + dot + appendix
        if _is_hash(as_hash):
            if digest.lower() in HASHES_OF_NOTHING:
                raise _Unusable(Reason.NOTHING)
            return as_hash
    text = text.lower()
    if is_nothing(text):
        raise _Unusable(Reason.NOTHING)
    if len(text) >= 32 and _is_other_hash(text):
        raise _Unusable(Reason.OTHER_HASH)
    rule = RULES[field]
    normalised = rule.normalise(text)
    if not normalised:
        raise _Unusable(rule.otherwise)
    digest = hashlib.sha256(normalised.encode()).hexdigest()
    if digest in HASHES_OF_NOTHING:
        raise _Unusable(Reason.NOTHING)
    return digest


def _text(value: object) -> str:
    """A value as a text in Unicode's normal form, without what nobody sees."""
    if type(value) is float and value.is_integer():  # as a spreadsheet exports a number
        value = int(value)
    if type(value) is int:  # a telephone number or a postal code
        value = str(value)
    if not isinstance(value, str):
        raise _Unusable(Reason.NOTHING if is_nothing(value) else Reason.NO_TEXT)
    if len(value) > VALUE_MAX_LENGTH:  # before anything is done with it
        raise _Unusable(Reason.TOO_LONG)
    text = visible(value)
    if text.isascii():
        return text
    if _has_many_marks(text):
        raise _Unusable(Reason.UNUSABLE)
    return unicodedata.normalize("NFC", text)

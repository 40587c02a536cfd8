"""The rules for values of parameters: what Meta takes, and what anything else may clearly be read as.

A rule looks at many values at once: of a request with hundreds of events, one by one takes several times as long.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Sequence
from itertools import chain
from typing import Any, NamedTuple

from events.intake.identifiers import is_nothing
from events.intake.left_out import Reason

#: "Server side API parameter error": Meta's subcode for most refusals.
PARAMETER_ERROR = 2804019

Column = Sequence[Any]


class Unusable(Exception):
    """A value is to be left out, all but what is ``kept`` of it."""

    def __init__(self, reason: Reason, kept: Any = None) -> None:
        super().__init__(reason)
        self.reason, self.kept = reason, kept


class ParameterRule(NamedTuple):
    """What a parameter takes."""

    #: Are all of these values usable as they are? TypeError means no.
    are_usable: Callable[[Column], bool]
    #: What any other value is read as. Raises Unusable.
    mend: Callable[[Any], Any]
    #: What it must be, in words, and the subcode of Meta's refusal, where it has one.
    words: str
    subcode: int | None = PARAMETER_ERROR

    def takes(self, value: Any) -> bool:
        """Is this value usable as it is?"""
        try:
            return self.are_usable((value,))
        except TypeError:
            return False


def because(value: Any, reason: Reason) -> Unusable:
    """Words such as "undefined" are no mistake of form."""
    return Unusable(Reason.NOTHING if not isinstance(value, bool) and is_nothing(value) else reason)


def refuse(reason: Reason) -> Callable[[Any], Any]:
    """Nothing else can be read as a usable value."""

    def mend(value: Any) -> Any:
        raise because(value, reason)

    return mend


def stripped(is_usable: Callable[[str], Any], reason: Reason) -> Callable[[Any], str]:
    """Spaces around a value are nobody's intention."""

    def mend(value: Any) -> str:
        if isinstance(value, str) and is_usable(value.strip()):
            return value.strip()
        raise because(value, reason)

    return mend


# --- Texts and ids ---------------------------------------------------------------------------------------------------

#: Whole numbers beyond are no longer exact as floats.
_EXACT = 2**53


def _whole(value: Any) -> Any:
    """A whole number that a spreadsheet or another language has written as 12.0."""
    return int(value) if type(value) is float and abs(value) < _EXACT and value.is_integer() else value


def all_of(*types: type) -> Callable[[Iterable[Any]], bool]:
    """Are values of these types alone?"""
    known = frozenset(types)
    return lambda values: known.issuperset(map(type, values))


_are_texts = all_of(str)
are_texts_or_whole = all_of(str, int)
_are_whole = all_of(int)
_are_numbers = all_of(int, float)
_are_texts_or_numbers = all_of(str, int, float)
_are_objects = all_of(dict)
are_lists = all_of(list)


def _are_filled_texts(values: Column) -> bool:
    return _are_texts(values) and "" not in values


def _text(value: Any) -> str:
    value = _whole(value)
    if type(value) is int:
        return str(value)
    raise because(value, Reason.NO_SINGLE_TEXT)


def _are_ids(values: Column) -> bool:
    return are_texts_or_whole(values) and "" not in values


def _id(value: Any) -> Any:
    value = _whole(value)
    if type(value) is int:
        return value
    raise because(value, Reason.NO_SINGLE_TEXT)


TEXT = ParameterRule(_are_texts, _text, "must be a text.")
FILLED_TEXT = ParameterRule(_are_filled_texts, refuse(Reason.NO_SINGLE_TEXT), "must be a text that is not empty.")
ID = ParameterRule(_are_ids, _id, "must be a text or a whole number.")


def one_of(choices: Collection[str]) -> ParameterRule:
    """One of a few words, in lower case."""
    known = frozenset(choices)

    def mend(value: Any) -> str:
        if isinstance(value, str) and value.strip().lower() in known:
            return value.strip().lower()
        raise because(value, Reason.NO_CHOICE)

    return ParameterRule(known.issuperset, mend, f"must be one of {', '.join(sorted(known))}.")


# --- Numbers ---------------------------------------------------------------------------------------------------------

_are_digits = re.compile(r"[0-9]{1,300}").fullmatch
_is_plain_number = re.compile(r"[0-9]{1,300}(?:\.[0-9]{1,300})?").fullmatch
#: Bounded: a long text of digits would take the square of its length.
_is_number = re.compile(r"[+-]?(?:[0-9]{1,300}\.?[0-9]{0,300}|\.[0-9]{1,300})(?:[eE][+-]?[0-9]{1,3})?").fullmatch


def _are_amounts(values: Column) -> bool:
    if _are_numbers(values):
        return not values or min(values) >= 0
    return _are_texts_or_numbers(values) and all(
        _is_plain_number(value) is not None if type(value) is str else value >= 0 for value in values
    )


def _amount(value: Any) -> Any:
    if isinstance(value, str):
        text = value.strip()
        if _is_plain_number(text):
            return text
        if not _is_number(text):
            raise because(value, Reason.NO_NUMBER)
        value = float(text)
    if type(value) not in (int, float) or value == float("inf"):
        raise because(value, Reason.NO_NUMBER)
    if value < 0:
        raise Unusable(Reason.NEGATIVE)
    return value


def _are_counts(values: Column) -> bool:
    if _are_whole(values):
        return not values or min(values) >= 0
    return are_texts_or_whole(values) and all(
        _are_digits(value) is not None if type(value) is str else value >= 0 for value in values
    )


def _count(value: Any) -> Any:
    amount = _amount(value)
    whole = _whole(float(amount) if isinstance(amount, str) else amount)
    if type(whole) is not int:
        raise Unusable(Reason.NO_WHOLE_NUMBER)
    return amount if isinstance(amount, str) and _are_digits(amount) else whole


def _whole_number(value: Any) -> int:
    if isinstance(value, str) and len(value) < 20 and _are_digits(value.strip()):
        return int(value)
    value = _whole(value)
    if type(value) is not int:
        raise because(value, Reason.NO_WHOLE_NUMBER)
    return value


AMOUNT = ParameterRule(_are_amounts, _amount, "must be a number, not below zero.")
COUNT = ParameterRule(_are_counts, _count, "must be a whole number, not below zero.")
WHOLE = ParameterRule(_are_whole, _whole_number, "must be a whole number.")


# --- Flags -----------------------------------------------------------------------------------------------------------

_FLAGS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


_are_flags = all_of(bool)
_are_flags_or_whole = all_of(bool, int)


def _are_bits(values: Column) -> bool:
    return _are_flags_or_whole(values) and set(values) <= {0, 1}


def _flag(value: Any) -> bool:
    flag = _FLAGS.get(str(value).strip().lower()) if isinstance(value, str | int) else None
    if flag is None:
        raise because(value, Reason.NO_FLAG)
    return flag


FLAG = ParameterRule(_are_flags, _flag, "must be a boolean.")
BIT = ParameterRule(_are_bits, _flag, "must be a boolean, or 0 or 1.")


# --- Objects and lists -----------------------------------------------------------------------------------------------


def _are_lists_of_objects(values: Column) -> bool:
    return are_lists(values) and _are_objects(chain.from_iterable(values))


def _as_list(value: Any) -> Any:
    """PHP writes a list of which some entries were removed as an object, with their numbers as keys."""
    if type(value) is dict and value and all(map(_are_digits, value)):
        return list(value.values())
    return value


def _objects(value: Any) -> Any:
    value = _as_list(value)
    if type(value) is dict and value:
        return [value]
    if type(value) is list and _are_objects(value):
        return value
    raise because(value, Reason.NO_LIST_OF_OBJECTS)


def _are_lists_of_ids(values: Column) -> bool:
    return are_lists(values) and _are_ids(list(chain.from_iterable(values)))


_holds_several = re.compile(r'[,;|\[\]{}"]').search


def _ids(value: Any) -> list[Any]:
    """Who has one id to give leaves out the brackets. A text that may hold several ids is no single one."""
    value = _as_list(value)
    if isinstance(value, str):
        if is_nothing(value) or _holds_several(value):
            raise because(value, Reason.NO_TEXT)
        return [value.strip()]
    given = [_whole(one) for one in (value if isinstance(value, list) else [value]) if one is not None]
    kept = [one for one in given if _are_ids([one])]
    if given and not kept:
        raise because(value, Reason.NO_TEXT)
    if len(kept) < len(given):
        raise Unusable(Reason.NO_TEXT, kept)
    return kept


OBJECT = ParameterRule(_are_objects, refuse(Reason.NO_OBJECT), "must be an object.")
OBJECTS = ParameterRule(_are_lists_of_objects, _objects, "must be a list of objects.")
IDS = ParameterRule(_are_lists_of_ids, _ids, "must be a list of texts or whole numbers.")

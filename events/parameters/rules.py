"""The rules for values of parameters: what Meta takes, and what anything else may clearly be read as.

A rule looks at many values at once: of a request with hundreds of events, one by one takes several times as long.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
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


class Rule(NamedTuple):
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


def _are_texts(values: Column) -> bool:
    return set(map(type, values)) <= {str}


def _are_filled_texts(values: Column) -> bool:
    return set(map(type, values)) <= {str} and "" not in values


def _text(value: Any) -> str:
    value = _whole(value)
    if type(value) is int:
        return str(value)
    raise because(value, Reason.NO_SINGLE_TEXT)


def _are_ids(values: Column) -> bool:
    return set(map(type, values)) <= {str, int} and "" not in values


def _id(value: Any) -> Any:
    value = _whole(value)
    if type(value) is int:
        return value
    raise because(value, Reason.NO_SINGLE_TEXT)


TEXT = Rule(_are_texts, _text, "must be a text.")
FILLED_TEXT = Rule(_are_filled_texts, refuse(Reason.NO_SINGLE_TEXT), "must be a text that is not empty.")
ID = Rule(_are_ids, _id, "must be a text or a whole number.")


def one_of(choices: Collection[str]) -> Rule:
    """One of a few words, in lower case."""
    known = frozenset(choices)

    def mend(value: Any) -> str:
        if isinstance(value, str) and value.strip().lower() in known:
            return value.strip().lower()
        raise because(value, Reason.NO_CHOICE)

    return Rule(known.issuperset, mend, f"must be one of {', '.join(sorted(known))}.")


# --- Numbers ---------------------------------------------------------------------------------------------------------

_are_digits = re.compile(r"[0-9]{1,300}").fullmatch
_is_plain_number = re.compile(r"[0-9]{1,300}(?:\.[0-9]{1,300})?").fullmatch
#: Bounded: a long text of digits would take the square of its length.
_is_number = re.compile(r"[+-]?(?:[0-9]{1,300}\.?[0-9]{0,300}|\.[0-9]{1,300})(?:[eE][+-]?[0-9]{1,3})?").fullmatch


def _are_amounts(values: Column) -> bool:
    types = set(map(type, values))
    if types <= {int, float}:
        return not values or min(values) >= 0
    return types <= {int, float, str} and all(
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
    types = set(map(type, values))
    if types <= {int}:
        return not values or min(values) >= 0
    return types <= {int, str} and all(
        _are_digits(value) is not None if type(value) is str else value >= 0 for value in values
    )


def _count(value: Any) -> Any:
    amount = _amount(value)
    whole = _whole(float(amount) if isinstance(amount, str) else amount)
    if type(whole) is not int:
        raise Unusable(Reason.NO_WHOLE_NUMBER)
    return amount if isinstance(amount, str) and _are_digits(amount) else whole


def _are_whole(values: Column) -> bool:
    return set(map(type, values)) <= {int}


def _whole_number(value: Any) -> int:
    if isinstance(value, str) and len(value) < 20 and _are_digits(value.strip()):
        return int(value)
    value = _whole(value)
    if type(value) is not int:
        raise because(value, Reason.NO_WHOLE_NUMBER)
    return value


AMOUNT = Rule(_are_amounts, _amount, "must be a number, not below zero.")
COUNT = Rule(_are_counts, _count, "must be a whole number, not below zero.")
WHOLE = Rule(_are_whole, _whole_number, "must be a whole number.")


# --- Flags -----------------------------------------------------------------------------------------------------------

_FLAGS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


def _are_flags(values: Column) -> bool:
    return set(map(type, values)) <= {bool}


def _are_bits(values: Column) -> bool:
    return set(map(type, values)) <= {bool, int} and set(values) <= {0, 1}


def _flag(value: Any) -> bool:
    flag = _FLAGS.get(str(value).strip().lower()) if isinstance(value, str | int) else None
    if flag is None:
        raise because(value, Reason.NO_FLAG)
    return flag


FLAG = Rule(_are_flags, _flag, "must be a boolean.")
BIT = Rule(_are_bits, _flag, "must be a boolean, or 0 or 1.")


# --- Objects and lists -----------------------------------------------------------------------------------------------


def _are_objects(values: Column) -> bool:
    return set(map(type, values)) <= {dict}


def _are_lists_of_objects(values: Column) -> bool:
    return set(map(type, values)) <= {list} and set(map(type, chain.from_iterable(values))) <= {dict}


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
    if not set(map(type, values)) <= {list}:
        return False
    return _are_ids(list(chain.from_iterable(values)))


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


OBJECT = Rule(_are_objects, refuse(Reason.NO_OBJECT), "must be an object.")
OBJECTS = Rule(_are_lists_of_objects, _objects, "must be a list of objects.")
IDS = Rule(_are_lists_of_ids, _ids, "must be a list of texts or whole numbers.")

"""What pages give the Meta Pixel in another form than Meta takes, put right where the meaning is certain.

A value whose meaning is not certain stays as it is: the rules for every event then leave it out and say so.
"""

from __future__ import annotations

import re
from contextlib import suppress
from typing import Any

import orjson

Object = dict[str, Any]

_ANY = "[0-9a-fA-F]{2}"
#: As JSON escapes them: both halves of a character, NUL, or a half alone. Before them, backslashes that are escaped.
_odd_escape = re.compile(
    rf"(?<!\\)((?:\\\\)*)\\u(?:([dD][89abAB]{_ANY}\\u[dD][c-fC-F]{_ANY})|(0000)|[dD][89a-fA-F]{_ANY})".encode()
)

#: A currency's sign or code, before or behind the digits.
_AROUND = r"\s*(?:[^\W\d_]{1,3}[.$]?|[$€£¥₹₺₽₩₪₫฿₴₱₦])?\s*"
_as_amount = re.compile(rf"{_AROUND}([+-]?[\d.,'’\s]*\d){_AROUND}").fullmatch
_is_plain = re.compile(r"[+-]?\d+(?:\.\d+)?").fullmatch
#: With the sign before decimals, if there may be any. One that stands twice, a space and an apostrophe part thousands.
_FORMS = (
    (re.compile(r"[+-]?\d{1,3}(?:([,'’\s])\d{3})(?:\1\d{3})*\.\d+"), "."),  # 1,299.00 and 1 299.00
    (re.compile(r"[+-]?\d{1,3}(?:([.'’\s])\d{3})(?:\1\d{3})*,\d+"), ","),  # 1.299,00 and 1 299,00
    (re.compile(r"[+-]?\d+,\d{1,2}"), ","),  # 9,99
    (re.compile(r"[+-]?\d{1,3}(?:(['’\s])\d{3})(?:\1\d{3})*"), ""),  # 1 299
    (re.compile(r"[+-]?\d{1,3}(?:([.,])\d{3})(?:\1\d{3})+"), ""),  # 1,299,000
    (re.compile(r"[+-]?\d{1,2}(?:,\d{2})+,\d{3}(?:\.\d+)?"), "."),  # 1,29,900.00, as in India
)
#: No price is longer.
_LONGEST_AMOUNT = 40
_NUMBERS = ("value", "predicted_ltv", "net_revenue", "num_items")
_NUMBERS_OF_CONTENT = ("item_price", "quantity")


def with_whole_characters(text: bytes) -> bytes:
    """JSON without NUL, and with a mark in place of half a character, as is left where a text is cut in its middle."""
    return _odd_escape.sub(_whole, text) if b"\\u" in text else text


def _whole(found: re.Match[bytes]) -> bytes:
    backslashes, both_halves, nul = found.groups()
    if both_halves:
        return found[0]
    return bytes(backslashes) + (b"" if nul else rb"\ufffd")


def _read(text: str) -> Any:
    """What stands in a text as JSON; ValueError where it is none."""
    return orjson.loads(with_whole_characters(text.encode()))


def as_object(value: Any) -> Object | None:
    """An object, also where it comes as its JSON text; None for anything else."""
    if type(value) is str and value.lstrip().startswith("{"):
        with suppress(ValueError):
            value = _read(value)
    return value if type(value) is dict else None


def mend(custom_data: Object) -> None:
    """Put right what is known to come in other forms."""
    _mend_numbers(custom_data, _NUMBERS)
    if "content_ids" in custom_data:
        custom_data["content_ids"] = as_ids(custom_data["content_ids"])
    if "contents" in custom_data:
        custom_data["contents"] = contents = as_contents(custom_data["contents"])
        for content in contents if type(contents) is list else ():
            if type(content) is dict:
                _mend_numbers(content, _NUMBERS_OF_CONTENT)


def _mend_numbers(values: Object, fields: tuple[str, ...]) -> None:
    for field in fields:
        if type(values.get(field)) is str:
            values[field] = as_number(values[field])


def as_number(text: str) -> Any:
    """The number that a price's text means; the text itself where it may mean several, as "1,234" does."""
    found = _as_amount(text.strip()) if len(text) <= _LONGEST_AMOUNT else None
    if found is None:
        return text
    digits = found[1].strip()
    if _is_plain(digits):
        return _number(digits)
    for form, decimal in _FORMS:
        if form.fullmatch(digits):
            return _number(re.sub(rf"[^\d+{re.escape(decimal)}-]", "", digits).replace(",", "."))
    return text


def _number(digits: str) -> int | float:
    return float(digits) if "." in digits or len(digits) > 18 else int(digits)


def as_ids(value: Any) -> Any:
    """A list of texts: of one id, of a list's JSON text, or of a list with numbers in it."""
    if type(value) is str and value.lstrip().startswith("["):
        with suppress(ValueError):
            value = _read(value)
    values = value if type(value) is list else [value]
    if any(type(one) not in (str, int, float) for one in values if one is not None):
        return value
    return [str(one) for one in values if one is not None and one != ""]


def as_contents(value: Any) -> Any:
    """A list of objects: also from its JSON text, or from one object."""
    if type(value) is str and value.lstrip()[:1] in ("[", "{"):
        with suppress(ValueError):
            value = _read(value)
    return [value] if type(value) is dict else value

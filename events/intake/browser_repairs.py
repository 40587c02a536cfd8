"""What pages give the Meta Pixel in another form than Meta takes, put right where the meaning is certain.

A value whose meaning is not certain stays as it is: the rules for every event then leave it out and say so.
"""

from __future__ import annotations

import re
from contextlib import suppress
from typing import Any

import orjson

Object = dict[str, Any]

#: A currency's sign or code, before or behind the digits.
_AROUND = r"\s*(?:[^\W\d_]{1,3}\$?|[$€£¥₹₺₽₩₪₫฿₴₱₦])?\s*"
_as_amount = re.compile(rf"{_AROUND}([+-]?[\d.,'’\s]*\d){_AROUND}").fullmatch
_is_plain = re.compile(r"[+-]?\d+(?:\.\d+)?").fullmatch
#: 1,299.00 and 1 299.00, then 1.299,00 and 1 299,00, then 9,99: the last sign that is not alike comes before decimals.
_FORMS = (
    (re.compile(r"[+-]?\d{1,3}(?:([,'’\s])\d{3})(?:\1\d{3})*\.\d+"), "."),
    (re.compile(r"[+-]?\d{1,3}(?:([.'’\s])\d{3})(?:\1\d{3})*,\d+"), ","),
    (re.compile(r"[+-]?\d+,\d{1,2}"), ","),
)
#: No price is longer.
_LONGEST_AMOUNT = 40
_NUMBERS = ("value", "predicted_ltv", "num_items")


def as_object(value: Any) -> Object | None:
    """An object, also where it comes as its JSON text; None for anything else."""
    if type(value) is str and value.lstrip().startswith("{"):
        with suppress(ValueError):
            value = orjson.loads(value)
    return value if type(value) is dict else None


def mend(custom_data: Object) -> None:
    """Put right what is known to come in other forms."""
    for field in _NUMBERS:
        if type(custom_data.get(field)) is str:
            custom_data[field] = as_number(custom_data[field])
    if "content_ids" in custom_data:
        custom_data["content_ids"] = as_ids(custom_data["content_ids"])
    if "contents" in custom_data:
        custom_data["contents"] = as_contents(custom_data["contents"])


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
            value = orjson.loads(value)
    values = value if type(value) is list else [value]
    if any(type(one) not in (str, int, float) for one in values if one is not None):
        return value
    return [str(one) for one in values if one is not None and one != ""]


def as_contents(value: Any) -> Any:
    """A list of objects: also from its JSON text, or from one object."""
    if type(value) is str and value.lstrip()[:1] in ("[", "{"):
        with suppress(ValueError):
            value = orjson.loads(value)
    return [value] if type(value) is dict else value
